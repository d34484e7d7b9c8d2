//! The buyers, who all want a ticket at the same moment. A buyer who holds a ticket asks for the page to pay on, and
//! then looks at the booking again and again, as a browser does, until it shows the ticket.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use testkit::rush::order;
use testkit::stripe::FakeStripe;
use testkit::visitor::{Answer, Visitor};

/// The interval at which the page of a waiting booking polls.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a buyer waits before trying again, if the server is busy or does not answer.
const COME_AGAIN: Duration = Duration::from_millis(500);
/// The pause between two searches for payment pages that are open.
const PAY_EVERY: Duration = Duration::from_millis(20);

/// A buyer who has held a ticket.
pub struct Bought {
    pub held_after: Duration,
    /// `None`: the buyer never saw the ticket.
    pub shown_after: Option<Duration>,
}

/// The whole visit of one buyer. `None`: the buyer could hold no ticket. All buyers begin at the same time, and give
/// up after `timeout`.
pub fn buy(address: SocketAddr, ticket_type: i64, start: &Barrier, timeout: Duration) -> Option<Bought> {
    let (mut visitor, purchase) = (Visitor::new(address), order(ticket_type, 1));
    // Open the connection before the start.
    let _ = visitor.get("/healthz");
    start.wait();
    let begun = Instant::now();
    let held = settle(begun, timeout, || visitor.book(&purchase).ok())?;
    if held.status != 303 {
        assert_eq!(held.status, 409, "{}", held.body);
        return None;
    }
    let held_after = begun.elapsed();
    let page = held.location().to_owned();
    let shown_after = is_shown(&mut visitor, &page, begun, timeout).then(|| begun.elapsed());
    Some(Bought { held_after, shown_after })
}

fn is_shown(visitor: &mut Visitor, page: &str, begun: Instant, timeout: Duration) -> bool {
    let Some(wanted) = settle(begun, timeout, || visitor.post(page, &[]).ok()) else { return false };
    assert_eq!(wanted.status, 303, "{page}: {}", wanted.body);
    while begun.elapsed() < timeout {
        thread::sleep(LOOK_EVERY);
        // The page redirects to the booking's page when the booking is paid.
        let Some(looked) = settle(begun, timeout, || visitor.get(page).ok()) else { return false };
        if looked.status == 303 {
            let booking = looked.location().to_owned();
            let shown = settle(begun, timeout, || visitor.get(&booking).ok());
            return shown.is_some_and(|it| it.status == 200 && it.body.contains("data-ticket-code"));
        }
    }
    false
}

/// Asks until the answer is not "busy".
fn settle(begun: Instant, timeout: Duration, mut ask: impl FnMut() -> Option<Answer>) -> Option<Answer> {
    while begun.elapsed() < timeout {
        match ask() {
            Some(answer) if answer.status != 503 => return Some(answer),
            _ => thread::sleep(COME_AGAIN),
        }
    }
    None
}

/// Pays on every payment page as soon as it is open, as long as the benchmark runs.
pub fn pay(stripe: &FakeStripe) {
    loop {
        for session in stripe.open_sessions() {
            stripe.pay(&session);
        }
        thread::sleep(PAY_EVERY);
    }
}
