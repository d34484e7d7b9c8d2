//! Whether a ticket type is on sale. That is computed from the event, the ticket type and the time, and never
//! stored. `sale_state_1` in PostgreSQL's migrations is the same rule in SQL: it decides whether an order is
//! booked. The rule here decides that on SQLite, and is what pages and the board show.

use chrono::NaiveDateTime;

use super::{Event, EventState, PaymentChoice, TicketType, TicketTypeState};

/// Whether a ticket type is on sale, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaleState {
    /// Also when nothing is left.
    OnSale,
    /// UTC.
    NotYet(NaiveDateTime),
    Ended,
    /// By the organizer.
    Paused,
    /// The event is canceled.
    Canceled,
    /// The public does not see it.
    Hidden,
}

impl SaleState {
    #[must_use]
    pub fn is_on_sale(self) -> bool {
        self == Self::OnSale
    }

    /// Whether tickets in that state are sold, or will be.
    #[must_use]
    pub fn may_sell(self) -> bool {
        matches!(self, Self::OnSale | Self::NotYet(_) | Self::Paused)
    }
}

/// The words of pages.
impl SaleState {
    /// In a few words, for a badge.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OnSale => "On sale",
            Self::NotYet(_) => "Not on sale yet",
            Self::Ended => "Sales have ended",
            Self::Paused => "Sales paused",
            Self::Canceled => "Canceled",
            Self::Hidden => "Not on sale",
        }
    }

    /// Why nothing is sold now: "On sale Friday, June 4, 2027, 10:00 AM CDT".
    #[must_use]
    pub fn sentence(self, event: &Event) -> String {
        match self {
            Self::NotYet(opens) => format!("On sale {}", event.local_time(&opens)),
            Self::Paused => "Paused by the organizer".into(),
            other => other.label().into(),
        }
    }
}

impl Event {
    /// Whether its tickets can be paid for online.
    #[must_use]
    pub fn is_paid_online(&self) -> bool {
        self.payment != PaymentChoice::Venue
    }

    /// Whether the public sees it at all.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.state != EventState::Draft && self.archived_from != Some(EventState::Draft)
    }

    /// Whether the show is over at that time (UTC).
    #[must_use]
    pub fn is_over(&self, now: NaiveDateTime) -> bool {
        self.state == EventState::Archived || now >= self.ends_at
    }

    /// Whether a ticket type of it is on sale at that time (UTC).
    #[must_use]
    pub fn sale_state(&self, ticket_type: &TicketType, now: NaiveDateTime) -> SaleState {
        let (starts, ends) = self.sales_window(ticket_type);
        if !self.is_public() || ticket_type.state == TicketTypeState::Hidden {
            SaleState::Hidden
        } else if self.state == EventState::Canceled {
            SaleState::Canceled
        } else if self.state == EventState::Archived || now >= ends {
            SaleState::Ended
        } else if self.paused || ticket_type.state == TicketTypeState::Paused {
            SaleState::Paused
        } else {
            match starts {
                Some(starts) if now < starts => SaleState::NotYet(starts),
                _ => SaleState::OnSale,
            }
        }
    }

    /// UTC. When sales of a ticket type start (`None`: from publication on) and end: within the event's window and its
    /// own.
    pub fn sales_window(&self, ticket_type: &TicketType) -> (Option<NaiveDateTime>, NaiveDateTime) {
        let of_event = self.sales_end_at.unwrap_or(self.starts_at);
        let ends = ticket_type.sales_end_at.map_or(of_event, |own| own.min(of_event));
        (self.sales_start_at.max(ticket_type.sales_start_at), ends)
    }

    /// The next time after `now` (UTC) at which a ticket type of it may change between these states, or the event is
    /// over.
    #[must_use]
    pub fn next_sale_change(&self, ticket_types: &[TicketType], now: NaiveDateTime) -> Option<NaiveDateTime> {
        let windows = ticket_types.iter().map(|ticket_type| self.sales_window(ticket_type));
        let turns = windows.flat_map(|(starts, ends)| [starts, Some(ends)]).chain([Some(self.ends_at)]);
        turns.flatten().filter(|turn| *turn > now).min()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::events::tests::{event, ticket_type};

    #[test]
    fn a_sale_opens_at_its_first_second_and_closes_at_its_last() {
        let now = event().starts_at - TimeDelta::days(10);
        let second = TimeDelta::seconds(1);
        let opens = Event { sales_start_at: Some(now), ..event() };
        let vip = ticket_type(5);
        assert_eq!(opens.sale_state(&vip, now - second), SaleState::NotYet(now));
        assert_eq!(opens.sale_state(&vip, now), SaleState::OnSale);
        assert_eq!(opens.next_sale_change(std::slice::from_ref(&vip), now - second), Some(now));
        assert_eq!(opens.next_sale_change(std::slice::from_ref(&vip), now), Some(opens.starts_at));
        assert_eq!(opens.sale_state(&vip, opens.starts_at - second), SaleState::OnSale);
        assert_eq!(opens.sale_state(&vip, opens.starts_at), SaleState::Ended, "without an end of its own");
        let early = TicketType { sales_end_at: Some(now + second), ..ticket_type(5) };
        assert_eq!(opens.sale_state(&early, now + second), SaleState::Ended);
        let late = TicketType { sales_start_at: Some(now + second), ..ticket_type(5) };
        assert_eq!(opens.sale_state(&late, now), SaleState::NotYet(now + second), "the later of the two");
    }

    #[test]
    fn the_reason_is_the_one_that_stays() {
        let now = event().starts_at - TimeDelta::days(10);
        let vip = ticket_type(5);
        let paused = Event { paused: true, ..event() };
        assert_eq!(paused.sale_state(&vip, now), SaleState::Paused);
        assert_eq!(paused.sale_state(&vip, paused.starts_at), SaleState::Ended);
        let canceled = Event { state: EventState::Canceled, ..paused.clone() };
        assert_eq!(canceled.sale_state(&vip, canceled.starts_at), SaleState::Canceled);
        let draft = Event { state: EventState::Draft, ..event() };
        assert_eq!(draft.sale_state(&vip, now), SaleState::Hidden);
        let hidden = TicketType { state: TicketTypeState::Hidden, ..ticket_type(5) };
        assert_eq!(event().sale_state(&hidden, now), SaleState::Hidden);
        let own = TicketType { state: TicketTypeState::Paused, ..ticket_type(5) };
        assert_eq!(event().sale_state(&own, now), SaleState::Paused);
        let archived = Event { state: EventState::Archived, ..event() };
        assert_eq!(archived.sale_state(&vip, now), SaleState::Ended);
        assert!(archived.is_over(now) && !event().is_over(now));
    }
}
