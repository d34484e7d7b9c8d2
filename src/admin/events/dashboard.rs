//! What a concert's page shows of its sale. It refreshes itself.

use chrono::NaiveDateTime;
use diesel::QueryResult;

use crate::db::Db;
use crate::events::{Event, EventState};
use crate::money::grouped;
use crate::sales::chart::{Chart, charts};
use crate::sales::remembered::RememberedCounts;
use crate::sales::{self, Sales, TicketTypeSales};
use crate::tickets::store::attendance;

/// A concert's sale as its organizer watches it.
pub struct Dashboard {
    pub sales: Sales,
    /// How many tickets were checked in.
    pub admitted: i64,
    pub charts: Vec<Chart>,
    /// Seconds between two refreshes.
    pub poll_seconds: u32,
}

impl Dashboard {
    /// `now`: UTC.
    pub fn load(
        db: &mut Db,
        event: Event,
        remembered: &RememberedCounts,
        now: NaiveDateTime,
        poll_seconds: u32,
    ) -> QueryResult<Self> {
        let sales = sales::store::of(db, event, remembered)?;
        let admitted = match sales.many_admitted() {
            Some(many) => many,
            None => attendance::admitted(db, sales.event.id)?.values().sum(),
        };
        let charts = sales
            .counted
            .as_ref()
            .map(|it| charts(&it.count.history, sales.event.clock(), now, sales.event.ends_at));
        let charts = charts.unwrap_or_default();
        Ok(Self { sales, admitted, charts, poll_seconds })
    }

    /// Whether there is a sale to be watched: a draft has none.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.sales.event.state != EventState::Draft && !self.sales.ticket_types.is_empty()
    }

    /// How much of a ticket type is sold and how much is held: widths of a bar of 100.
    #[must_use]
    pub fn shares(&self, of_type: &TicketTypeSales) -> (i64, i64) {
        let capacity = i64::from(of_type.ticket_type.capacity).max(1);
        // Any count above zero is at least 1, so that it is visible.
        let share = |count: i64| if count > 0 { (count * 100 / capacity).max(1) } else { 0 };
        (share(of_type.sold()), share(of_type.held))
    }

    /// "1,204 of 2,000 tickets sold, 12 held, 784 available."
    #[must_use]
    pub fn words(&self) -> String {
        let sales = &self.sales;
        let [sold, of, held, left] =
            [sales.sold(), sales.capacity(), sales.held(), sales.available()].map(grouped);
        format!("{sold} of {of} tickets sold, {held} held, {left} available.")
    }
}
