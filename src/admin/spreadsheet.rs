//! The contents of the files for spreadsheets: the bookings of a concert line by line, or its tickets.
//! [`csv_file`](super::csv_file) and [`workbook`](super::workbook) write the files.

use chrono::NaiveDateTime;

use crate::booking::{Booking, BookingLine, BookingStatus};
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

/// What a spreadsheet reads in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetCell {
    Empty,
    Text(String),
    Count(i64),
    Money(Money),
    /// On the venue's clock.
    Time(NaiveDateTime),
}

/// A booking, and what happened to its tickets.
pub struct ExportedBooking {
    pub booking: Booking,
    pub uses: Vec<TicketUse>,
}

/// Records that a ticket was let in, or given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketUse {
    pub seat: i32,
    pub ticket_type_id: i64,
    pub is_admitted: bool,
    pub gate: String,
    /// UTC.
    pub at: NaiveDateTime,
}

/// What the files of a concert contain.
pub struct Spreadsheet {
    pub rows: Rows,
    pub event: Event,
    pub ticket_types: Vec<TicketType>,
    /// Only rows of this ticket type.
    pub ticket_type_id: Option<i64>,
}

impl Spreadsheet {
    /// What the columns are called. Times are on the venue's clock, whose zone is in the heading.
    #[must_use]
    pub fn headings(&self) -> Vec<String> {
        let zone = self.event.clock().0.name();
        let at = |what: &str| format!("{what} ({zone})");
        let (created, checked_in, canceled) = (at("created_at"), at("checked_in_at"), at("canceled_at"));
        let last_checked_in = at("last_checked_in_at");
        let headings = match self.rows {
            Rows::Lines => vec![
                "reference",
                &created,
                "ticket_type",
                "quantity",
                "returned",
                "unit_price",
                "total",
                "currency",
                "buyer_name",
                "buyer_email",
                "buyer_id",
                "status",
                "checked_in",
                &last_checked_in,
                &canceled,
            ],
            Rows::Tickets => vec![
                "reference",
                "ticket",
                "code",
                "ticket_type",
                "price",
                "currency",
                "status",
                &checked_in,
                "gate",
                "buyer_name",
                "buyer_email",
                "buyer_id",
                &created,
                &canceled,
            ],
        };
        headings.into_iter().map(str::to_owned).collect()
    }

    /// The rows of a booking.
    #[must_use]
    pub fn rows_of(&self, exported: &ExportedBooking, codes: &TicketCodes) -> Vec<Vec<SheetCell>> {
        match self.rows {
            Rows::Lines => self.lines(exported),
            Rows::Tickets => self.tickets(exported, codes),
        }
    }

    fn lines(&self, exported: &ExportedBooking) -> Vec<Vec<SheetCell>> {
        let ExportedBooking { booking, uses } = exported;
        let line = |line: &BookingLine| {
            let admitted =
                uses.iter().filter(|it| it.is_admitted && it.ticket_type_id == line.ticket_type_id);
            let last = admitted.clone().map(|it| it.at).max();
            let due = line.unit_price_minor.saturating_mul(line.kept().into());
            vec![
                text(&booking.reference),
                self.time(Some(booking.created_at)),
                text(self.ticket_type(line.ticket_type_id)),
                SheetCell::Count(line.quantity.into()),
                SheetCell::Count(line.returned.into()),
                SheetCell::Money(Money::new(line.unit_price_minor, &booking.currency)),
                // What is due for the tickets that are left: the column adds up to the revenue.
                SheetCell::Money(Money::new(due, &booking.currency)),
                text(&booking.currency),
                text(&booking.buyer_name),
                SheetCell::Text(booking.shown_email()),
                text(booking.buyer.external_id().unwrap_or_default()),
                text(booking.status.as_str()),
                SheetCell::Count(admitted.count().try_into().unwrap_or(i64::MAX)),
                self.time(last),
                self.time(booking.canceled_at),
            ]
        };
        booking.lines.iter().filter(|it| self.is_wanted(it.ticket_type_id)).map(line).collect()
    }

    fn tickets(&self, exported: &ExportedBooking, codes: &TicketCodes) -> Vec<Vec<SheetCell>> {
        let ExportedBooking { booking, uses } = exported;
        let ticket = |seat: i32| {
            let id = booking.ticket_type_of_seat(seat).filter(|id| self.is_wanted(*id))?;
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
            let code = if is_good { codes.sign(&booking.reference, seat) } else { None };
            let admitted = used.filter(|used| used.is_admitted);
            let returned = used.filter(|used| !used.is_admitted);
            Some(vec![
                text(&booking.reference),
                SheetCell::Count(seat.into()),
                SheetCell::Text(code.unwrap_or_default()),
                text(self.ticket_type(id)),
                SheetCell::Money(Money::new(price, &booking.currency)),
                text(&booking.currency),
                text(status),
                self.time(admitted.map(|it| it.at)),
                text(admitted.map(|it| it.gate.as_str()).unwrap_or_default()),
                text(&booking.buyer_name),
                SheetCell::Text(booking.shown_email()),
                text(booking.buyer.external_id().unwrap_or_default()),
                self.time(Some(booking.created_at)),
                self.time(returned.map(|it| it.at).or(booking.canceled_at)),
            ])
        };
        (1..=booking.quantity()).filter_map(ticket).collect()
    }

    fn is_wanted(&self, ticket_type_id: i64) -> bool {
        self.ticket_type_id.is_none_or(|id| id == ticket_type_id)
    }

    fn ticket_type(&self, id: i64) -> &str {
        self.ticket_types.iter().find(|it| it.id == id).map(|it| it.name.as_str()).unwrap_or_default()
    }

    fn time(&self, at: Option<NaiveDateTime>) -> SheetCell {
        at.map_or(SheetCell::Empty, |at| SheetCell::Time(self.event.clock().local(&at).naive_local()))
    }
}

fn text(text: &str) -> SheetCell {
    SheetCell::Text(text.to_owned())
}
