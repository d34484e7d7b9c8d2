//! `GET /bookings/{token}/payment`: what is held, until when, and the way to pay for it.
//!
//! With scripts, the page fetches its middle part again and again. Without scripts, it reloads while
//! something is going on.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDateTime, Utc};
use serde::Deserialize;

use super::store::{self, HoldTimes};
use super::{Payment, PaymentState};
use crate::app::App;
use crate::booking::PlacedBooking;
use crate::booking::pages::find_placed_booking;
use crate::db;
use crate::error::Error;
use crate::guard::form::Query;
use crate::page::Page;

/// How long the page says "We are checking" to somebody who comes back from the provider. A webhook, or the
/// answer to our own question, takes a second or two. Later the page offers the way to pay again.
const CHECK_SECONDS: i64 = 45;

/// What the buyer can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PayStep {
    /// Ask for the payment page. `has_failed`: the last one could not be made.
    Ready { has_failed: bool },
    /// It is being made; about so many seconds are left. `is_first`: the buyer's time begins when it is there.
    Waiting { seconds: i64, is_first: bool },
    /// Pay there. `is_unheard`: the buyer says that it is paid, and the provider has not said so.
    Open { url: String, is_unheard: bool },
    /// The buyer says that it is paid, and the provider is asked.
    Checking,
    /// The time is over, and the provider is asked to close the page.
    Closing,
    /// What was paid is not what was asked for: people look into it.
    Review,
}

impl PayStep {
    /// For the script: it goes on to the provider's page when the waiting is over.
    fn name(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Waiting { .. } => "waiting",
            Self::Open { .. } => "open",
            Self::Checking => "checking",
            Self::Closing => "closing",
            Self::Review => "review",
        }
    }

    /// How often a browser asks again.
    fn poll_seconds(&self) -> u32 {
        match self {
            Self::Waiting { .. } => 2,
            Self::Checking | Self::Closing => 3,
            Self::Open { .. } => 5,
            Self::Ready { .. } | Self::Review => 20,
        }
    }
}

#[derive(Template)]
#[template(path = "bookings/payment.html", blocks = ["held"])]
struct HeldPage {
    page: Page,
    placed: PlacedBooking,
    step: PayStep,
    /// UTC. When the buyer's time is over.
    ends_at: NaiveDateTime,
    /// On the venue's clock: "8:14 PM".
    until: String,
    left_seconds: i64,
    extensions_left: i32,
    is_declined: bool,
    /// The URL that the page fetches again.
    again: String,
    /// Whether the page reloads by itself where there is no script.
    reloads: bool,
}

impl HeldPage {
    /// Whether the buyer still decides: pays, takes more time, or gives the tickets back.
    fn is_open(&self) -> bool {
        matches!(self.step, PayStep::Ready { .. } | PayStep::Waiting { .. } | PayStep::Open { .. })
    }
}

/// How the buyer comes back from the provider. The query is never trusted: the provider is asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReturnQuery {
    /// "1", or until when it is checked: seconds since 1970.
    paid: String,
    back: String,
}

/// What the database knows.
struct PaymentFacts {
    hold: Option<HoldTimes>,
    alive: Option<Payment>,
    newest: Option<PaymentState>,
    attempts: usize,
    is_in_review: bool,
    /// How many buyers are before this one in the queue.
    before: i64,
    now: NaiveDateTime,
}

/// `GET /bookings/{token}/payment`
pub async fn show(
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Query(query): Query<ReturnQuery>,
) -> Result<HttpResponse, Error> {
    let payments = app.payments.as_ref().ok_or(Error::NotFound)?;
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let location = format!("/bookings/{}", placed.booking.token);
    let id = placed.booking.id;
    let checked_until = checked_until(&query.paid, Utc::now().timestamp());
    let asks = checked_until.is_some() || !query.back.is_empty();
    if asks && placed.booking.is_held() {
        let asked = app.db.write(move |db| {
            let now = db::clock(db)?;
            store::ask_soon(db, id, now)
        });
        if asked.await? > 0 {
            payments.wakeup.notify();
        }
    }
    let known = app.db.read_primary(move |db| read(db, id)).await?;
    let step = step(&known, &placed, checked_until.is_some(), !query.paid.is_empty(), payments.per_second);
    let Some(step) = step else { return Ok(page.send_to(&location)) };
    let again = match (&step, checked_until) {
        (PayStep::Checking, Some(until)) => format!("{location}/payment?paid={until}"),
        _ => format!("{location}/payment"),
    };
    let is_going_on = matches!(step, PayStep::Waiting { .. } | PayStep::Checking | PayStep::Closing);
    let reloads = is_going_on || !query.back.is_empty();
    let shown = held_page(page.clone(), placed, &known, step, (again, reloads));
    if page.wants_fragment {
        return page.respond_unlisted(StatusCode::OK, &shown.as_held());
    }
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// Until when the page checks the payment of a buyer who says that it is paid. `None`: the buyer does not say
/// so, or it was checked for long enough.
fn checked_until(paid: &str, now: i64) -> Option<i64> {
    let until = match paid.parse::<i64>().ok()? {
        1 => now + CHECK_SECONDS,
        until => until.min(now + CHECK_SECONDS),
    };
    Some(until).filter(|until| *until > now)
}

fn read(db: &mut db::Db, booking_id: i64) -> diesel::QueryResult<PaymentFacts> {
    let all = store::of_booking(db, booking_id)?;
    let alive = all.iter().find(|it| it.state.is_alive()).cloned();
    let before = match &alive {
        Some(payment) if payment.state == PaymentState::Wanted => store::place_in_queue(db, payment)?,
        _ => 0,
    };
    Ok(PaymentFacts {
        hold: store::hold_times(db, booking_id)?,
        newest: all.first().map(|it| it.state),
        attempts: all.len(),
        is_in_review: all.iter().any(|it| it.state == PaymentState::Review),
        alive,
        before,
        now: db::clock(db)?,
    })
}

/// What the buyer can do; `None`: the booking's own page says what has become of it.
fn step(
    known: &PaymentFacts,
    placed: &PlacedBooking,
    is_checked: bool,
    says_paid: bool,
    per_second: u32,
) -> Option<PayStep> {
    if known.is_in_review && !placed.booking.is_confirmed() && !placed.booking.is_canceled() {
        return Some(PayStep::Review);
    }
    let hold = known.hold.as_ref().filter(|_| placed.booking.is_held())?;
    Some(match &known.alive {
        _ if hold.end() <= known.now => PayStep::Closing,
        None => PayStep::Ready { has_failed: known.newest == Some(PaymentState::Failed) },
        Some(payment) if payment.state == PaymentState::Wanted => PayStep::Waiting {
            seconds: known.before / i64::from(per_second.max(1)) + 2,
            is_first: known.attempts == 1,
        },
        Some(_) if is_checked => PayStep::Checking,
        Some(payment) => PayStep::Open {
            url: payment.session_url.clone().unwrap_or_default(),
            is_unheard: says_paid && payment.declined.is_none(),
        },
    })
}

fn held_page(
    page: Page,
    placed: PlacedBooking,
    known: &PaymentFacts,
    step: PayStep,
    (again, reloads): (String, bool),
) -> HeldPage {
    let ends_at = known.hold.as_ref().map_or(known.now, HoldTimes::end);
    HeldPage {
        until: placed.event.clock().hour_minute(&ends_at),
        left_seconds: (ends_at - known.now).num_seconds().max(0),
        extensions_left: known.hold.as_ref().map_or(0, HoldTimes::extensions_left),
        is_declined: known.alive.as_ref().is_some_and(|payment| payment.declined.is_some()),
        page,
        placed,
        step,
        ends_at,
        again,
        reloads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_that_it_is_paid_is_believed_for_a_while() {
        assert_eq!(checked_until("1", 1_000), Some(1_045));
        assert_eq!(checked_until("1030", 1_000), Some(1_030));
        assert_eq!(checked_until("999999999999", 1_000), Some(1_045), "nobody checks for ever");
        for over in ["", "x", "0", "1000", "-5"] {
            assert_eq!(checked_until(over, 1_000), None, "{over}");
        }
    }
}
