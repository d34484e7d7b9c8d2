//! The CSV files that spreadsheets open: a byte order mark so that names keep their letters, times that they read as
//! times, numbers with the decimal sign that goes with the separator, and no text that they would run as a formula.

use chrono::NaiveDateTime;

use crate::booking::{Booking, BookingStatus};
use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::tickets::code::TicketCodes;

/// What a line of the file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// The tickets of one ticket type in a booking.
    Lines,
    /// One ticket, with its code.
    Tickets,
}

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// With a decimal point.
    Comma,
    /// With a decimal comma: how Excel reads and writes CSV where numbers have one.
    Semicolon,
}

/// A booking, and what happened to its tickets.
pub struct ExportedBooking {
    pub booking: Booking,
    pub uses: Vec<TicketUse>,
}

/// That a ticket was let in, or given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketUse {
    pub seat: i32,
    pub ticket_type_id: i64,
    pub is_admitted: bool,
    pub gate: String,
    /// UTC.
    pub at: NaiveDateTime,
}

/// Writes a concert's file, piece by piece.
pub struct Spreadsheet {
    pub rows: Rows,
    pub separator: Separator,
    pub event: Event,
    pub ticket_types: Vec<TicketType>,
}

type Outcome = Result<Vec<u8>, String>;

impl Spreadsheet {
    /// The beginning of the file: the byte order mark and the headings.
    ///
    /// # Errors
    /// When a cell cannot be written.
    pub fn head(&self) -> Outcome {
        let zone = self.event.clock().0.name();
        let at = |what: &str| format!("{what} ({zone})");
        let text = |name: &str| name.to_owned();
        let (created, checked_in, canceled) = (at("created_at"), at("checked_in_at"), at("canceled_at"));
        let headings: Vec<String> = match self.rows {
            Rows::Lines => {
                ["reference", &created, "ticket_type", "quantity", "returned", "unit_price", "total"]
                    .into_iter()
                    .chain(["currency", "buyer_name", "buyer_email", "buyer_id", "status"])
                    .chain(["checked_in", &at("last_checked_in_at"), &canceled])
                    .map(text)
                    .collect()
            }
            Rows::Tickets => ["reference", "ticket", "code", "ticket_type", "price", "currency", "status"]
                .into_iter()
                .chain([
                    checked_in.as_str(),
                    "gate",
                    "buyer_name",
                    "buyer_email",
                    "buyer_id",
                    &created,
                    &canceled,
                ])
                .map(text)
                .collect(),
        };
        let mut file = "\u{feff}".as_bytes().to_vec();
        file.extend(self.write([headings])?);
        Ok(file)
    }

    /// The lines of some bookings.
    ///
    /// # Errors
    /// When a cell cannot be written.
    pub fn body(&self, bookings: &[ExportedBooking], codes: &TicketCodes) -> Outcome {
        self.write(bookings.iter().flat_map(|it| match self.rows {
            Rows::Lines => self.lines(it),
            Rows::Tickets => self.tickets(it, codes),
        }))
    }

    fn write(&self, records: impl IntoIterator<Item = Vec<String>>) -> Outcome {
        let delimiter = match self.separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        for record in records {
            writer.write_record(record).map_err(|e| e.to_string())?;
        }
        writer.into_inner().map_err(|e| e.to_string())
    }

    fn lines(&self, exported: &ExportedBooking) -> Vec<Vec<String>> {
        let ExportedBooking { booking, uses } = exported;
        let line = |line: &crate::booking::BookingLine| {
            let admitted =
                uses.iter().filter(|it| it.is_admitted && it.ticket_type_id == line.ticket_type_id);
            let last = admitted.clone().map(|it| it.at).max();
            vec![
                booking.reference.clone(),
                self.time(Some(booking.created_at)),
                harmless(self.ticket_type(line.ticket_type_id)),
                line.quantity.to_string(),
                line.returned.to_string(),
                self.money(line.unit_price_minor, &booking.currency),
                self.money(line.unit_price_minor.saturating_mul(line.quantity.into()), &booking.currency),
                booking.currency.clone(),
                harmless(&booking.buyer_name),
                harmless(&booking.shown_email()),
                harmless(booking.buyer.external_id().unwrap_or_default()),
                booking.status.as_str().to_owned(),
                admitted.count().to_string(),
                self.time(last),
                self.time(booking.canceled_at),
            ]
        };
        booking.lines.iter().map(line).collect()
    }

    fn tickets(&self, exported: &ExportedBooking, codes: &TicketCodes) -> Vec<Vec<String>> {
        let ExportedBooking { booking, uses } = exported;
        let ticket = |seat: i32| {
            let id = booking.ticket_type_of_seat(seat)?;
            let price = booking.lines.iter().find(|line| line.ticket_type_id == id)?.unit_price_minor;
            let used = uses.iter().find(|it| it.seat == seat);
            let status = match (booking.status, used) {
                (BookingStatus::Confirmed, None) => "valid",
                (BookingStatus::Confirmed, Some(used)) if used.is_admitted => "checked in",
                (BookingStatus::Confirmed, Some(_)) => "returned",
                (other, _) => other.as_str(),
            };
            // A ticket that opens no gate has no code.
            let is_good = booking.is_confirmed() && used.is_none_or(|used| used.is_admitted);
            let code = codes.sign(&booking.reference, seat).filter(|_| is_good);
            let admitted = used.filter(|used| used.is_admitted);
            Some(vec![
                booking.reference.clone(),
                seat.to_string(),
                code.unwrap_or_default(),
                harmless(self.ticket_type(id)),
                self.money(price, &booking.currency),
                booking.currency.clone(),
                status.to_owned(),
                self.time(admitted.map(|it| it.at)),
                harmless(admitted.map(|it| it.gate.as_str()).unwrap_or_default()),
                harmless(&booking.buyer_name),
                harmless(&booking.shown_email()),
                harmless(booking.buyer.external_id().unwrap_or_default()),
                self.time(Some(booking.created_at)),
                self.time(booking.canceled_at),
            ])
        };
        (1..=booking.quantity()).filter_map(ticket).collect()
    }

    fn ticket_type(&self, id: i64) -> &str {
        self.ticket_types.iter().find(|it| it.id == id).map(|it| it.name.as_str()).unwrap_or_default()
    }

    /// On the venue's clock, whose zone is in the heading: "2026-11-27 17:27:03".
    fn time(&self, at: Option<NaiveDateTime>) -> String {
        let local = at.map(|at| self.event.clock().local(&at).format("%Y-%m-%d %H:%M:%S").to_string());
        local.unwrap_or_default()
    }

    fn money(&self, minor: i64, currency: &str) -> String {
        let number = Money::new(minor, currency).number();
        match self.separator {
            Separator::Comma => number,
            Separator::Semicolon => number.replace('.', ","),
        }
    }
}

/// Characters with which a formula starts, full-width ones included (OWASP, "CSV injection").
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/// Where a spreadsheet that splits at another character than the file's begins a new cell.
const CELL_ENDS: [char; 4] = [',', ';', '\t', '|'];

/// A leading apostrophe keeps a spreadsheet from running a text that starts like a formula, in the cell or behind a
/// character at which a spreadsheet of another country starts a new one.
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
