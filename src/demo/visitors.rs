//! The visitors of the running demo: every few seconds somebody books, changes their mind, or comes to the gate.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::Utc;

use super::history::scan;
use super::people;
use crate::app::App;
use crate::audit::Actor;
use crate::auth::USERNAME;
use crate::booking::cancellation::{Canceler, Cancellation, store as cancellations};
use crate::booking::{BookingOutcome, Order, new_token, release};
use crate::error::Error;
use crate::events::TicketType;
use crate::tickets::code::Code;
use crate::tickets::store::admit;

const EVERY: Duration = Duration::from_secs(4);
/// The numbers of visitors begin here: no person of the history has so high a number.
const FIRST_PERSON: usize = 100_000;
const GATE: &str = "Main door";

/// The crowd, one person after the other.
pub(super) struct Visitors {
    /// Tickets that are still to come to the gate.
    to_come: VecDeque<Code>,
    /// Tokens of what they have booked, the oldest first.
    booked: VecDeque<String>,
    people: usize,
}

impl Visitors {
    pub(super) fn new(to_come: Vec<Code>) -> Self {
        Self { to_come: to_come.into(), booked: VecDeque::new(), people: FIRST_PERSON }
    }

    /// Visits for as long as the program runs.
    pub(super) async fn keep_coming(mut self, app: actix_web::web::Data<App>) {
        for turn in 0_u64.. {
            let done = match turn % 8 {
                2 | 5 => self.come_to_the_gate(&app).await,
                7 => self.cancel(&app).await,
                _ => self.book(&app, turn).await,
            };
            if let Err(error) = done {
                log::debug!("a visitor of the demo: {error}");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Books where there is plenty; where that gets scarce, somebody gives tickets back instead.
    async fn book(&mut self, app: &App, turn: u64) -> Result<(), Error> {
        let listings = app.board.listings();
        let plenty: Vec<&TicketType> = listings
            .iter()
            .flat_map(|listing| listing.bookable())
            .filter(|it| i64::from(it.available) * 10 > i64::from(it.capacity))
            .collect();
        let Some(ticket_type) =
            usize::try_from(turn).ok().and_then(|turn| plenty.get(turn % plenty.len().max(1)))
        else {
            return self.cancel(app).await;
        };
        self.people += 1;
        let quantity = [2, 1, 2, 4, 3][self.people % 5];
        let buyer = people::buyer(self.people);
        let order = Order::of_one_type(ticket_type.id, quantity, buyer, new_token());
        if let BookingOutcome::Booked(booking) = app.desk.book(order).await? {
            self.booked.push_back(booking.token);
        }
        Ok(())
    }

    async fn cancel(&mut self, app: &App) -> Result<(), Error> {
        let Some(token) = self.booked.pop_front() else { return Ok(()) };
        let cancellation =
            Cancellation::of_all(Canceler::Buyer { token, actor: Actor::buyer(String::new()) });
        let outcome = app.db.write(move |db| cancellations::cancel(db, &cancellation)).await?;
        release::announce(&app.board, &app.desk, &app.outbox_wakeup, outcome.stock());
        Ok(())
    }

    async fn come_to_the_gate(&mut self, app: &App) -> Result<(), Error> {
        let Some(code) = self.to_come.pop_front() else { return Ok(()) };
        let actor = Actor { name: USERNAME.into(), client_address: String::new() };
        app.db
            .write(move |db| {
                let placed = crate::booking::store::find_by_reference(db, &code.reference)?;
                let scan = scan(code, &placed.event, GATE, &actor, Utc::now().naive_utc());
                admit(db, &scan)
            })
            .await?;
        Ok(())
    }
}
