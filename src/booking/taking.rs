//! Checks the waiting room's pass and the client's limit of tickets, then takes an order to the desk.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::{BookingOutcome, NotOnSale, Order, store};
use crate::app::App;
use crate::error::Error;

/// Books an order. Its tickets count toward its client's limit, unless nothing new is booked.
///
/// # Errors
/// [`Error::RateLimited`], and those of the desk.
pub async fn take(app: &App, request: &HttpRequest, order: &Arc<Order>) -> Result<BookingOutcome, Error> {
    if let Some(ticket_type_id) = lacks_pass(app, order) {
        // As below: a booking that was made before the room was switched on is found.
        let refused = BookingOutcome::NotOnSale { ticket_type_id, why: NotOnSale::WaitingRoom };
        return Ok(find(app, order).await?.unwrap_or(refused));
    }
    let taken = match app.ticket_counter.take(request, order.quantity()).await {
        Ok(taken) => taken,
        // A known key comes before everything that can refuse: the tickets may be the buyer's already.
        Err(limited) => {
            let wait_seconds = limited.wait_seconds();
            return find(app, order).await?.ok_or(Error::RateLimited { wait_seconds });
        }
    };
    let outcome = app.desk.book(Arc::clone(order)).await;
    if !matches!(outcome, Ok(BookingOutcome::Booked(_)) | Err(Error::OutcomeUnknown)) {
        app.ticket_counter.give_back(taken).await;
    }
    outcome
}

/// The first ticket type of an order that needs a pass of its concert's waiting room and has none. `None`:
/// the order may go on. While no room is switched on, this costs one look into an empty table.
fn lacks_pass(app: &App, order: &Order) -> Option<i64> {
    if app.rooms.is_empty() {
        return None;
    }
    let ticket_type_id = order.lines().first()?.ticket_type_id;
    let listing = app.board.find_by_ticket_type(ticket_type_id)?;
    let checked = app.rooms.check(listing.event.id, &order.request_key, app.board.now());
    checked.is_err().then_some(ticket_type_id)
}

/// What an order has booked before, if it has. Without an order there is nothing to find.
pub async fn recall(app: &App, order: Option<Order>) -> Result<Option<(Arc<Order>, BookingOutcome)>, Error> {
    let Some(order) = order.map(Arc::new) else { return Ok(None) };
    let outcome = find(app, &order).await?;
    Ok(outcome.map(|outcome| (order, outcome)))
}

async fn find(app: &App, order: &Arc<Order>) -> Result<Option<BookingOutcome>, Error> {
    let sought = Arc::clone(order);
    app.db.read_primary(move |db| store::find_by_order(db, &sought)).await
}
