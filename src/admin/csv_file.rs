//! CSV files for a spreadsheet: a byte order mark so that names keep their letters, times that it reads as times,
//! numbers with the decimal sign that goes with the separator, and no text that it would run as a formula.

use std::io;

use super::spreadsheet::SheetCell;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// With a decimal point.
    Comma,
    /// With a decimal comma: how Excel reads and writes CSV where numbers have one.
    Semicolon,
}

/// A CSV file that is sent while it is written.
pub struct CsvFile {
    separator: Separator,
    writer: csv::Writer<Vec<u8>>,
    out: Vec<u8>,
}

impl CsvFile {
    /// Begins a file with these headings.
    ///
    /// # Errors
    /// When a heading cannot be written.
    pub fn new(separator: Separator, headings: &[String]) -> io::Result<Self> {
        let out = "\u{feff}".as_bytes().to_vec();
        let mut file = Self { separator, writer: writer(separator), out };
        file.writer.write_record(headings)?;
        Ok(file)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When a cell cannot be written.
    pub fn push(&mut self, cells: &[SheetCell]) -> io::Result<()> {
        for cell in cells {
            match cell {
                SheetCell::Empty => self.writer.write_field("")?,
                SheetCell::Text(text) => self.writer.write_field(harmless(text))?,
                SheetCell::Count(number) => self.writer.write_field(number.to_string())?,
                SheetCell::Money(money) => {
                    let number = money.number();
                    match self.separator {
                        Separator::Comma => self.writer.write_field(number)?,
                        Separator::Semicolon => self.writer.write_field(number.replace('.', ","))?,
                    }
                }
                // "2026-11-27 17:27:03"
                SheetCell::Time(local) => {
                    self.writer.write_field(local.format("%Y-%m-%d %H:%M:%S").to_string())?;
                }
            }
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// What can be sent of the file so far.
    ///
    /// # Errors
    /// When it cannot be put together.
    pub fn take(&mut self) -> io::Result<Vec<u8>> {
        let full = std::mem::replace(&mut self.writer, writer(self.separator));
        self.out.extend(full.into_inner().map_err(|e| io::Error::other(e.to_string()))?);
        Ok(std::mem::take(&mut self.out))
    }
}

fn writer(separator: Separator) -> csv::Writer<Vec<u8>> {
    let delimiter = match separator {
        Separator::Comma => b',',
        Separator::Semicolon => b';',
    };
    csv::WriterBuilder::new().delimiter(delimiter).terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

/// Characters with which a formula starts, full-width ones included (OWASP, "CSV injection").
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/// Characters at which some spreadsheet begins a new cell, whichever separator the file has.
const CELL_ENDS: [char; 4] = [',', ';', '\t', '|'];

/// A leading apostrophe keeps a spreadsheet from running a text that starts like a formula. It is added at
/// the start of the cell, and after each character at which a spreadsheet of another country starts a new
/// cell.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut begins_cell = true;
    for c in text.chars() {
        if begins_cell && FORMULA_STARTS.contains(&c) {
            safe.push('\'');
        }
        // A spreadsheet drops the spaces and the quote before a formula.
        begins_cell = CELL_ENDS.contains(&c) || begins_cell && (c.is_whitespace() || c == '"');
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text() {
        assert_eq!(harmless("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(harmless("＝1+1"), "'＝1+1", "in full width");
        assert_eq!(harmless("+49 30 123"), "'+49 30 123");
        assert_eq!(harmless("\t=1"), "'\t'=1");
        assert_eq!(harmless("  =1"), "  '=1");
        assert_eq!(harmless("Ada;=1+1"), "Ada;'=1+1", "where a semicolon separates cells");
        assert_eq!(harmless("Ada,\"@SUM(A1)"), "Ada,\"'@SUM(A1)");
        for name in ["Ada", "Anne-Marie", "O'Brien", "", "R2 + D2", "ada+tickets@example.org", "a=b"] {
            assert_eq!(harmless(name), name);
        }
    }
}
