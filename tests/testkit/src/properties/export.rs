//! The CSV file: for all names of buyers and ticket types, a spreadsheet reads the same rows and cells, and none of
//! them as a formula.

use techkraft::admin::csv_file::{CsvFile, Separator, harmless};
use techkraft::admin::spreadsheet::{ExportedBooking, Rows, Spreadsheet};
use techkraft::events::TicketType;
use techkraft::tickets::code::TicketCodes;

use crate::properties::{SECRET, samples, texts};

const COLUMNS: usize = 15;
/// The columns with text that somebody typed.
const TYPED: [usize; 3] = [2, 8, 9];

/// The input is the name of a tier, the name of a buyer, and an email address.
pub fn holds(input: &[u8]) {
    let typed: [_; TYPED.len()] = texts(input);
    let ticket_type = TicketType { name: typed[0].to_string(), ..samples::ticket_type("") };
    let event = samples::event("Show", "Hall", "Town");
    let ticket_types = vec![ticket_type];
    let spreadsheet = Spreadsheet { rows: Rows::Lines, event, ticket_types, ticket_type_id: None };
    let booking = || ExportedBooking { booking: samples::booking(&typed[1], &typed[2]), uses: Vec::new() };
    let lines = [booking(), booking()];
    let codes = TicketCodes::new(&SECRET.into());
    let mut csv = CsvFile::new(Separator::Comma, &spreadsheet.headings()).expect("it renders");
    for line in lines.iter().flat_map(|line| spreadsheet.rows_of(line, &codes)) {
        csv.push(&line).expect("it renders");
    }
    let file = csv.take().expect("it renders");
    let file = file.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("it reads back");
    assert_eq!(rows.len(), 1 + lines.len(), "{rows:?}");
    for row in &rows[1..] {
        assert_eq!(row.len(), COLUMNS, "{row:?}");
        assert!(row.iter().all(|cell| !is_formula(cell)), "{row:?}");
        for (column, text) in TYPED.into_iter().zip(&typed) {
            let cell = &row[column];
            assert_eq!(cell, harmless(text), "{text:?} has become {cell:?}");
            let is_whole = cell.replace('\'', "") == text.replace('\'', "");
            assert!(is_whole, "{text:?} has become {cell:?}");
        }
    }
    assert_eq!(rows[1], rows[2]);
}

/// OWASP, "CSV injection": the characters that begin a formula in a spreadsheet, including their full-width forms.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}
