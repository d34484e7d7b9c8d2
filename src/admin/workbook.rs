//! Excel workbooks (Office Open XML, ECMA-376) that are written row by row: headings that stay in sight,
//! times as times, money as numbers, and texts as texts, which no spreadsheet runs as formulas.
//! [`spreadsheet`](super::spreadsheet) decides what a file contains.

use std::fmt::Write as _;
use std::io;

use chrono::{NaiveDate, NaiveDateTime};

use super::spreadsheet::SheetCell;
use super::zip::ZipWriter;

/// The most rows that a sheet may have. Rows after them go onto another sheet.
const ROWS_MAX: u32 = 1_048_576;
const SECONDS_OF_DAY: f64 = 86_400.0;

/// Numbers of the styles in `STYLES`.
const HEADING: u8 = 1;
const TIME: u8 = 2;
/// The style of an amount, by its number of decimals. No currency has exactly one decimal.
const MONEY: [u8; 4] = [3, 3, 4, 5];

const STYLES: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">"#,
    r#"<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/><numFmt numFmtId="165" formatCode="0.000"/></numFmts>"#,
    r#"<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>"#,
    r#"<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>"#,
    r#"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#,
    r#"<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6">"#,
    r#"<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>"#,
    r#"<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>"#,
    r#"<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#,
);
const PACKAGE: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" "#,
    r#"Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
);

/// A workbook that is sent while it is written.
pub struct Workbook {
    zip: ZipWriter,
    /// What its sheets are called.
    name: &'static str,
    headings: Vec<String>,
    sheets: usize,
    /// The rows of the open sheet.
    rows: u32,
    rows_max: u32,
    /// The XML of the rows that are being written.
    xml: String,
}

impl Workbook {
    #[must_use]
    pub fn new(name: &'static str, headings: Vec<String>) -> Self {
        let rows_max = ROWS_MAX;
        Self { zip: ZipWriter::default(), name, headings, sheets: 0, rows: 0, rows_max, xml: String::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file is too long.
    pub fn push(&mut self, cells: &[SheetCell]) -> io::Result<()> {
        if self.sheets == 0 || self.rows == self.rows_max {
            self.begin_sheet()?;
        }
        self.rows += 1;
        self.xml.push_str("<row>");
        cells.iter().for_each(|cell| write_cell(&mut self.xml, cell));
        self.xml.push_str("</row>");
        Ok(())
    }

    /// What can be sent of the file so far.
    ///
    /// # Errors
    /// When the file is too long.
    pub fn take(&mut self) -> io::Result<Vec<u8>> {
        if !self.xml.is_empty() {
            self.zip.write(self.xml.as_bytes())?;
            self.xml.clear();
        }
        Ok(self.zip.take())
    }

    fn begin_sheet(&mut self) -> io::Result<()> {
        self.end_sheet()?;
        self.sheets += 1;
        self.zip.begin(&format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        self.xml.push_str(concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">"#,
            r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#,
            r#"<sheetFormatPr defaultRowHeight="15"/>"#,
        ));
        _ = write!(
            self.xml,
            r#"<cols><col min="1" max="{}" width="20" customWidth="1"/></cols>"#,
            self.headings.len()
        );
        self.xml.push_str("<sheetData><row>");
        for heading in &self.headings {
            write_text(&mut self.xml, heading, HEADING);
        }
        self.xml.push_str("</row>");
        self.rows = 1;
        Ok(())
    }

    fn end_sheet(&mut self) -> io::Result<()> {
        if self.sheets > 0 {
            self.xml.push_str("</sheetData></worksheet>");
            self.zip.write(self.xml.as_bytes())?;
            self.xml.clear();
        }
        Ok(())
    }

    /// Ends the file: the list of its sheets comes last.
    ///
    /// # Errors
    /// When the file is too long.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.sheets == 0 {
            self.begin_sheet()?;
        }
        self.end_sheet()?;
        for (name, xml) in [
            ("xl/styles.xml", STYLES.to_owned()),
            ("xl/workbook.xml", self.list()),
            ("xl/_rels/workbook.xml.rels", self.relations()),
            ("_rels/.rels", PACKAGE.to_owned()),
            ("[Content_Types].xml", self.types()),
        ] {
            self.zip.begin(name)?;
            self.zip.write(xml.as_bytes())?;
        }
        self.zip.finish()
    }

    fn list(&self) -> String {
        let mut xml = concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" "#,
            r#"xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>"#,
        )
        .to_owned();
        for number in 1..=self.sheets {
            let name = if number == 1 { self.name.to_owned() } else { format!("{} {number}", self.name) };
            _ = write!(xml, r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>"#);
        }
        xml.push_str("</sheets></workbook>");
        xml
    }

    fn relations(&self) -> String {
        const TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let mut xml = concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
        )
        .to_owned();
        for number in 1..=self.sheets {
            _ = write!(
                xml,
                r#"<Relationship Id="rId{number}" Type="{TYPE}/worksheet" Target="worksheets/sheet{number}.xml"/>"#
            );
        }
        let last = self.sheets + 1;
        _ = write!(
            xml,
            r#"<Relationship Id="rId{last}" Type="{TYPE}/styles" Target="styles.xml"/></Relationships>"#
        );
        xml
    }

    fn types(&self) -> String {
        const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        let mut xml = concat!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">"#,
            r#"<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>"#,
            r#"<Default Extension="xml" ContentType="application/xml"/>"#,
        )
        .to_owned();
        for (part, kind) in [("workbook", "sheet.main"), ("styles", "styles")] {
            _ = write!(xml, r#"<Override PartName="/xl/{part}.xml" ContentType="{TYPE}.{kind}+xml"/>"#);
        }
        for number in 1..=self.sheets {
            _ = write!(
                xml,
                r#"<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{TYPE}.worksheet+xml"/>"#
            );
        }
        xml.push_str("</Types>");
        xml
    }
}

fn write_cell(xml: &mut String, cell: &SheetCell) {
    match cell {
        SheetCell::Empty => xml.push_str("<c/>"),
        SheetCell::Text(text) => write_text(xml, text, 0),
        SheetCell::Count(number) => _ = write!(xml, "<c><v>{number}</v></c>"),
        SheetCell::Money(money) => {
            let number = money.number();
            let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let style = MONEY.get(decimals).copied().unwrap_or(0);
            _ = write!(xml, r#"<c s="{style}"><v>{number}</v></c>"#);
        }
        SheetCell::Time(local) => _ = write!(xml, r#"<c s="{TIME}"><v>{}</v></c>"#, serial(local)),
    }
}

/// An inline string: never a formula, whatever it begins with.
fn write_text(xml: &mut String, text: &str, style: u8) {
    if text.is_empty() {
        return xml.push_str("<c/>");
    }
    _ = write!(xml, r#"<c t="inlineStr" s="{style}"><is><t xml:space="preserve">"#);
    for (at, c) in text.char_indices() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // `_x0041_` would be read as "A".
            '_' if is_escape(&text[at..]) => xml.push_str("_x005F_"),
            // What XML cannot hold.
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => xml.push(c),
        }
    }
    xml.push_str("</t></is></c>");
}

/// Whether a text begins like `_x0041_`.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && (bytes[1], bytes[6]) == (b'x', b'_') && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

/// Days since the end of 1899, as spreadsheets count them.
fn serial(local: &NaiveDateTime) -> f64 {
    let day_zero = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
    (*local - day_zero).num_seconds() as f64 / SECONDS_OF_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(cell: SheetCell) -> String {
        let mut xml = String::new();
        write_cell(&mut xml, &cell);
        xml
    }

    #[test]
    fn cells_are_what_they_are() {
        let time =
            NaiveDate::from_ymd_opt(2026, 11, 27).expect("a date").and_hms_opt(12, 0, 0).expect("noon");
        assert_eq!(xml(SheetCell::Time(time)), r#"<c s="2"><v>46353.5</v></c>"#);
        assert_eq!(xml(SheetCell::Count(3)), "<c><v>3</v></c>");
        assert_eq!(
            xml(SheetCell::Money(crate::money::Money::new(1250, "USD"))),
            r#"<c s="4"><v>12.50</v></c>"#
        );
        assert_eq!(
            xml(SheetCell::Money(crate::money::Money::new(1250, "JPY"))),
            r#"<c s="3"><v>1250</v></c>"#
        );
        let text = xml(SheetCell::Text("=A&<b>\u{1}_x0041_".into()));
        assert!(text.contains(">=A&amp;&lt;b&gt;_x005F_x0041_<"), "{text}");
        assert!(xml(SheetCell::Text("buyer_name".into())).contains(">buyer_name<"));
        assert_eq!(xml(SheetCell::Text(String::new())), "<c/>");
    }

    #[test]
    fn rows_that_no_sheet_holds_go_onto_another() {
        let mut book = Workbook { rows_max: 3, ..Workbook::new("Tickets", vec!["n".into()]) };
        for n in 0..5 {
            book.push(&[SheetCell::Count(n)]).expect("short");
        }
        book.finish().expect("short");
        assert_eq!(book.sheets, 3, "two rows on each, under the headings");
    }
}
