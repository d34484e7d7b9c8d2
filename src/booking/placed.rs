//! A booking put together with what it is for, as pages, mails and gates show it.

use chrono::NaiveDateTime;

use super::buyer::{shown_email, suggest_email};
use super::cancellation::note::CancellationNote;
use super::{Booking, BookingLine};
use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::payment::PaidOnline;

/// A booking with its event and ticket types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedBooking {
    pub booking: Booking,
    pub event: Event,
    /// In the order in which the page shows them.
    pub lines: Vec<PlacedLine>,
    /// The seats whose tickets were given back.
    pub returned_seats: Vec<i32>,
    /// The seats whose tickets were scanned, and when: UTC.
    pub admissions: Vec<(i32, NaiveDateTime)>,
    /// The organizer's notes about tickets that the organizer canceled, the oldest first.
    pub notes: Vec<CancellationNote>,
    /// What was paid online. `None`: nothing was.
    pub online: Option<PaidOnline>,
}

/// The tickets of one ticket type in a booking, and the ticket type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLine {
    pub line: BookingLine,
    pub ticket_type: TicketType,
    currency: String,
}

impl PlacedLine {
    #[must_use]
    pub fn unit_price(&self) -> Money {
        Money::new(self.line.unit_price_minor, &self.currency)
    }

    /// What is due for the tickets that were not given back.
    #[must_use]
    pub fn due(&self) -> Money {
        Money::new(self.line.unit_price_minor.saturating_mul(self.line.kept().into()), &self.currency)
    }
}

impl PlacedBooking {
    /// Puts a booking together with its event and ticket types.
    #[must_use]
    pub fn new(booking: Booking, event: Event, ticket_types: &[TicketType]) -> Self {
        let place = |line: &BookingLine| {
            let ticket_type =
                ticket_types.iter().find(|ticket_type| ticket_type.id == line.ticket_type_id)?;
            Some(PlacedLine {
                line: *line,
                ticket_type: ticket_type.clone(),
                currency: booking.currency.clone(),
            })
        };
        let mut lines: Vec<PlacedLine> = booking.lines.iter().filter_map(place).collect();
        lines.sort_by_key(|line| (line.ticket_type.position, line.ticket_type.id));
        Self {
            booking,
            event,
            lines,
            returned_seats: Vec::new(),
            admissions: Vec::new(),
            notes: Vec::new(),
            online: None,
        }
    }

    /// The seats whose tickets were scanned.
    #[must_use]
    pub fn admitted_seats(&self) -> Vec<i32> {
        self.admissions.iter().map(|(seat, _)| *seat).collect()
    }

    /// Its tickets without those that were given back: "2 × VIP", "2 × VIP, 1 × Front Row". If nothing is
    /// left, all that was ordered.
    #[must_use]
    pub fn summary(&self) -> String {
        let line = |it: &PlacedLine| format!("{} × {}", self.shown_quantity(it), it.ticket_type.name);
        self.lines.iter().filter(|it| self.shown_quantity(it) > 0).map(line).collect::<Vec<_>>().join(", ")
    }

    /// How many tickets of a line were not given back. If nothing is left of the booking, how many were
    /// ordered.
    #[must_use]
    pub fn shown_quantity(&self, line: &PlacedLine) -> i32 {
        let is_anything_left = self.lines.iter().any(|it| it.line.kept() > 0);
        if is_anything_left { line.line.kept() } else { line.line.quantity }
    }

    /// What is due for the tickets that were not given back. If nothing is left, the total of the order.
    #[must_use]
    pub fn due(&self) -> Money {
        if self.lines.iter().all(|it| it.line.kept() == 0) {
            return self.booking.total();
        }
        Money::new(self.lines.iter().map(|it| it.due().minor).sum(), &self.booking.currency)
    }

    /// The label before the price on a page.
    #[must_use]
    pub fn due_label(&self) -> &'static str {
        match &self.online {
            _ if self.due().minor == 0 => "Total",
            Some(_) => "Paid online",
            None => "Due at the venue",
        }
    }

    /// What is to be paid at the venue, or what was paid online.
    #[must_use]
    pub fn payment_words(&self) -> String {
        match (self.due(), &self.online) {
            (due, None) if due.minor == 0 => "There is nothing to pay. Nothing was charged online.".into(),
            (due, None) => format!("Due at the venue: {due}. Nothing was charged online."),
            (due, Some(_)) if due.minor == 0 => "There is nothing to pay.".into(),
            (due, Some(_)) => format!("Paid online: {due}."),
        }
    }

    /// How much money goes back if the buyer gives back all of these seats; for some of them, less goes back.
    #[must_use]
    pub fn refund_terms(&self, seats: impl IntoIterator<Item = i32>) -> String {
        let prices: Vec<i64> =
            seats.into_iter().filter_map(|seat| self.price_of_seat(seat)).map(|it| it.minor).collect();
        match &self.online {
            Some(online) => online.terms(&prices),
            None => "You paid nothing online, so there is nothing to refund here.".into(),
        }
    }

    /// What happened to the money for tickets that were given back.
    #[must_use]
    pub fn refund_words(&self) -> String {
        match &self.online {
            Some(online) => online.words(),
            None => "Nothing was charged online, so there is nothing to refund.".into(),
        }
    }

    /// The address that was probably meant by a mistyped one, as people read it.
    #[must_use]
    pub fn suggested_email(&self) -> Option<String> {
        Some(shown_email(&suggest_email(self.booking.email()?)?))
    }

    /// The organizer's note, when it was the organizer who canceled the booking.
    #[must_use]
    pub fn organizer_cancellation(&self) -> Option<&CancellationNote> {
        let canceled_at = self.booking.canceled_at?;
        // It is written in the same transaction that ends the booking.
        self.notes.last().filter(|note| note.canceled_at >= canceled_at)
    }

    /// The organizer's note about these seats, as the mail about them lists them.
    #[must_use]
    pub fn organizer_return(&self, seats: &str) -> Option<&CancellationNote> {
        self.notes.iter().rev().find(|note| note.seats == seats)
    }

    /// The accent of its page: that of its first line.
    #[must_use]
    pub fn accent_class(&self) -> i32 {
        self.lines.first().map_or(1, |line| line.ticket_type.accent_class())
    }

    /// The ticket type of a seat.
    #[must_use]
    pub fn ticket_type_of_seat(&self, seat: i32) -> Option<&TicketType> {
        self.line_of_seat(seat).map(|line| &line.ticket_type)
    }

    /// What the ticket of a seat cost.
    #[must_use]
    pub fn price_of_seat(&self, seat: i32) -> Option<Money> {
        self.booking.price_of_seat(seat)
    }

    fn line_of_seat(&self, seat: i32) -> Option<&PlacedLine> {
        let id = self.booking.ticket_type_of_seat(seat)?;
        self.lines.iter().find(|line| line.ticket_type.id == id)
    }
}
