//! What a concert has sold: how many tickets are sold, held and available now, and the revenue and the
//! history of its bookings.
//!
//! Available and held tickets are read for each page; the rest of the capacity is sold. Revenue and history
//! need the bookings. While there are few bookings, a page counts them if something has changed since the
//! last count. Many bookings are counted at most once a minute for everybody who looks (see [`counter`]). A
//! booking writes nothing for this.
//!
//! Whether the counts add up does not belong here (see `reconciliation`).

pub mod chart;
pub mod counter;
pub mod history;
pub mod remembered;
pub mod store;

use chrono::{NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};

use self::history::SalesHistory;
use crate::events::{Event, TicketType};
use crate::money::Money;

/// Between two counts of the bookings of one concert, where these are many.
const COUNT_EVERY: TimeDelta = TimeDelta::seconds(60);

/// The bookings of a concert with no more than this are counted while the page waits, in a millisecond or
/// two.
const FEW_BOOKINGS: i64 = 500;
/// People come in from this long before the start of a concert until this long after its end.
const ADMISSION_MARGIN: TimeDelta = TimeDelta::days(1);
/// If more tickets than this were admitted, they are not counted for each page.
const FEW_ADMITTED: i64 = 5_000;

/// How many bookings of a concert there are, by their status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingCounts {
    pub confirmed: i64,
    pub held: i64,
    pub canceled: i64,
}

impl BookingCounts {
    /// Whether there are too many bookings to count them for each page.
    const fn are_many(self) -> bool {
        self.confirmed > FEW_BOOKINGS
    }
}

/// The sums of a ticket type's confirmed bookings, without what was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedTicketType {
    pub id: i64,
    pub sold: i64,
    pub revenue_minor: i64,
}

/// The counts and sums of a concert's bookings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesCount {
    pub bookings: BookingCounts,
    /// People who have confirmed bookings.
    pub holders: i64,
    pub ticket_types: Vec<CountedTicketType>,
    pub history: SalesHistory,
    /// Tickets that were admitted.
    pub admitted: i64,
}

/// A count, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedCount {
    pub count: SalesCount,
    /// UTC.
    pub counted_at: NaiveDateTime,
    /// The concert's [`Sales::stock`] then.
    pub stock: String,
}

impl DatedCount {
    /// Whether nothing was booked, confirmed or given back since.
    fn is_of(&self, stock: &str) -> bool {
        self.stock == stock
    }

    /// Whether it is old enough to be made again.
    fn is_old(&self, now: NaiveDateTime) -> bool {
        // A clock that was set back does not stop the counting.
        (now - self.counted_at).abs() >= COUNT_EVERY
    }
}

/// What a ticket type has sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketTypeSales {
    pub ticket_type: TicketType,
    /// Tickets that bookings hold for now.
    pub held: i64,
    /// `None`: its bookings are not counted yet.
    pub revenue_minor: Option<i64>,
}

impl TicketTypeSales {
    /// Tickets in confirmed bookings: what is neither available nor held.
    #[must_use]
    pub fn sold(&self) -> i64 {
        i64::from(self.ticket_type.capacity) - i64::from(self.ticket_type.available) - self.held
    }

    #[must_use]
    pub fn revenue(&self, event: &Event) -> Option<Money> {
        Some(Money::new(self.revenue_minor?, &event.currency))
    }
}

/// What a concert has sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sales {
    pub event: Event,
    pub ticket_types: Vec<TicketTypeSales>,
    /// `None`: its bookings are not counted yet.
    pub counted: Option<DatedCount>,
}

impl Sales {
    #[must_use]
    pub fn sold(&self) -> i64 {
        self.ticket_types.iter().map(TicketTypeSales::sold).sum()
    }

    #[must_use]
    pub fn held(&self) -> i64 {
        self.ticket_types.iter().map(|it| it.held).sum()
    }

    #[must_use]
    pub fn capacity(&self) -> i64 {
        self.ticket_types.iter().map(|it| i64::from(it.ticket_type.capacity)).sum()
    }

    #[must_use]
    pub fn available(&self) -> i64 {
        self.ticket_types.iter().map(|it| i64::from(it.ticket_type.available)).sum()
    }

    /// `None`: its bookings are not counted yet.
    #[must_use]
    pub fn revenue(&self) -> Option<Money> {
        let counted = self.counted.as_ref()?;
        // Of all ticket types, also of one that is gone since.
        let minor = counted.count.ticket_types.iter().map(|it| it.revenue_minor).sum();
        Some(Money::new(minor, &self.event.currency))
    }

    /// `None`: its bookings are not counted yet.
    #[must_use]
    pub fn bookings(&self) -> Option<BookingCounts> {
        Some(self.counted.as_ref()?.count.bookings)
    }

    /// When its bookings were counted, if something has changed since. UTC.
    #[must_use]
    pub fn counted_before(&self) -> Option<NaiveDateTime> {
        let counted = self.counted.as_ref()?;
        (!counted.is_of(&self.stock())).then_some(counted.counted_at)
    }

    /// Whether its bookings should be counted: they never were, something has changed since, or people are
    /// coming in. `now`: UTC.
    #[must_use]
    pub fn is_count_due(&self, now: NaiveDateTime) -> bool {
        let Some(bookings) = self.bookings() else { return true };
        let event = &self.event;
        let admits = (event.starts_at - ADMISSION_MARGIN..event.ends_at + ADMISSION_MARGIN).contains(&now);
        (admits && bookings.are_many()) || self.counted_before().is_some()
    }

    /// How many tickets were admitted when the bookings were counted, if both the tickets and the bookings
    /// are many.
    #[must_use]
    pub fn many_admitted(&self) -> Option<i64> {
        let count = &self.counted.as_ref()?.count;
        (count.admitted > FEW_ADMITTED && count.bookings.are_many()).then_some(count.admitted)
    }

    /// A fingerprint: the versions of the concert and its stock, and how many tickets are held. Whatever
    /// changes the sums of its bookings changes one of these: booking, expiry and giving back raise the
    /// version of a stock, and confirming a hold lowers what is held.
    #[must_use]
    pub fn stock(&self) -> String {
        let types = self.ticket_types.iter().map(|it| &it.ticket_type);
        let versions: i64 = types.map(|it| it.version % 1_000_000_000_000_000).sum();
        format!("{}.{}.{versions}.{}", self.event.facts_version, self.ticket_types.len(), self.held())
    }
}
