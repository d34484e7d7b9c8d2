//! The CSV file: whatever buyers and tiers are called, a spreadsheet reads the same rows and cells again, and
//! none of them as a formula.

use techkraft::admin::{ExportedLine, export};

use crate::properties::{samples, texts};

const COLUMNS: usize = 12;
/// The columns that hold what somebody typed.
const TYPED: [usize; 3] = [2, 8, 9];

/// The input is the name of a tier, the name of a buyer, and an email address.
pub fn holds(input: &[u8]) {
    let typed: [_; TYPED.len()] = texts(input);
    let lines: Vec<ExportedLine> = (0..2).map(|_| line(&typed.each_ref().map(|text| &**text))).collect();
    let file = export::render(&lines).expect("it renders");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("it reads back");
    assert_eq!(rows.len(), 1 + lines.len(), "{rows:?}");
    for row in &rows[1..] {
        assert_eq!(row.len(), COLUMNS, "{row:?}");
        assert!(row.iter().all(|cell| !is_formula(cell)), "{row:?}");
        for (column, text) in TYPED.into_iter().zip(&typed) {
            let cell = &row[column];
            let is_escaped = cell.strip_prefix('\'') == Some(text) && is_formula(text);
            assert!(cell == text || is_escaped, "{text:?} has become {cell:?}");
        }
    }
    assert_eq!(rows[1], rows[2]);
}

/// OWASP, "CSV injection": what spreadsheets take for the beginning of a formula, in full width too.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn line(typed: &[&str; TYPED.len()]) -> ExportedLine {
    let booking = samples::booking(typed[1], typed[2]);
    ExportedLine { booking, line: samples::line(), ticket_type: typed[0].to_owned() }
}
