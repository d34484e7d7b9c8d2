//! What a draft lacks before it can be published.

use chrono::NaiveDateTime;

use crate::events::{Event, TicketType, TicketTypeState};

/// Something that is missing, and where it is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The field of the concert's form; `None`: its ticket types.
    pub field: Option<&'static str>,
    pub words: &'static str,
}

/// The prices that buyers see.
#[must_use]
pub fn prices(ticket_types: &[TicketType]) -> Vec<i64> {
    let shown = ticket_types.iter().filter(|it| it.state != TicketTypeState::Hidden);
    shown.map(|it| it.price_minor).collect()
}

/// What is missing. `now`: UTC. `payment_fault`: why the chosen way of payment does not work.
#[must_use]
pub fn missing(
    event: &Event,
    ticket_types: &[TicketType],
    now: NaiveDateTime,
    payment_fault: Option<&'static str>,
) -> Vec<Missing> {
    let shown = || ticket_types.iter().filter(|it| it.state != TicketTypeState::Hidden);
    let is_paid = shown().any(|ticket_type| ticket_type.price_minor > 0);
    let sells = shown().any(|ticket_type| event.sales_window(ticket_type).1 > now);
    let checks = [
        (event.venue.is_empty(), Some("venue"), "The venue."),
        (event.city.is_empty(), Some("city"), "The city."),
        (event.starts_at <= now, Some("starts_at"), "A start in the future."),
        (ticket_types.is_empty(), None, "At least one ticket type."),
        (!ticket_types.is_empty() && shown().next().is_none(), None, "A ticket type that is not hidden."),
        (
            event.starts_at > now && shown().next().is_some() && !sells,
            Some("sales_end_at"),
            "An end of sales that is still to come.",
        ),
        (is_paid && payment_fault.is_some(), Some("payment"), payment_fault.unwrap_or_default()),
    ];
    let missing = checks.into_iter().filter(|(lacks, ..)| *lacks);
    missing.map(|(_, field, words)| Missing { field, words }).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::events::tests::{event, ticket_type};

    #[test]
    fn what_is_missing_is_listed() {
        let now = event().starts_at - TimeDelta::days(10);
        let words = |event: &Event, types: &[TicketType]| {
            missing(event, types, now, None).into_iter().map(|it| it.words).collect::<Vec<_>>()
        };
        let vip = [ticket_type(5)];
        assert_eq!(words(&event(), &vip), [""; 0]);
        assert_eq!(words(&event(), &[]), ["At least one ticket type."]);
        let hidden = [TicketType { state: TicketTypeState::Hidden, ..ticket_type(5) }];
        assert_eq!(words(&event(), &hidden), ["A ticket type that is not hidden."]);
        let nowhere = Event { venue: String::new(), city: String::new(), ..event() };
        assert_eq!(words(&nowhere, &vip), ["The venue.", "The city."]);
        let closed = Event { sales_end_at: Some(now), ..event() };
        assert_eq!(words(&closed, &vip), ["An end of sales that is still to come."]);
        assert_eq!(missing(&event(), &vip, event().starts_at, None).len(), 1);
        let fault = Some("No account.");
        let lacks = |event: &Event, types: &[TicketType]| missing(event, types, now, fault).len();
        assert_eq!(lacks(&event(), &vip), 1);
        assert_eq!(
            lacks(&event(), &[TicketType { price_minor: 0, ..ticket_type(5) }]),
            0,
            "free needs no way"
        );
    }
}
