//! A fake Stripe on loopback with a state of its own: payment pages, payments, refunds, disputes, events. It has
//! Stripe's idempotency, limits and webhooks, and fails as a test tells it to.
//!
//! Two independent programs check it: Stripe's own SDK, and another implementation of the signature.

mod api;
mod http;
mod page;
mod refunds;
mod state;
mod webhooks;

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use self::http::{Reply, Request};
pub use self::state::{Delivery, Fault};
use self::state::{SessionStatus, StripeState};

/// The API key of the fake's account.
pub const STRIPE_KEY: &str = "sk_test_51FakeFakeFake";
/// A live key. The fake accepts it too, but always reports test mode.
pub const STRIPE_LIVE_KEY: &str = "sk_live_51FakeFakeFake";
/// The secret with which the fake signs webhooks.
pub const STRIPE_SECRET: &str = "whsec_fake0123456789abcdef";

/// The settings of a server that uses the fake at this URL.
pub fn stripe_settings(url: &str) -> [(&'static str, &str); 3] {
    [("STRIPE_SECRET_KEY", STRIPE_KEY), ("STRIPE_WEBHOOK_SECRET", STRIPE_SECRET), ("STRIPE_API_URL", url)]
}

pub struct FakeStripe {
    pub address: SocketAddr,
    state: Arc<Mutex<StripeState>>,
    is_closed: Arc<AtomicBool>,
}

impl FakeStripe {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("an address");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(StripeState::new(format!("http://{address}"))));
        let is_closed = Arc::new(AtomicBool::new(false));
        let server = Self { address, state: Arc::clone(&state), is_closed: Arc::clone(&is_closed) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_closed.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&state);
                thread::spawn(move || serve(&state, stream));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn state<T>(&self, act: impl FnOnce(&mut StripeState) -> T) -> T {
        act(&mut self.state.lock().expect("a lock"))
    }

    /// Sends webhooks to this URL from now on, such as "http://127.0.0.1:1234/webhooks/stripe".
    pub fn send_webhooks_to(&self, url: &str) {
        self.state(|state| state.webhook_url = Some(url.to_owned()));
    }

    /// Delivers webhooks in this way from now on.
    pub fn deliver(&self, delivery: Delivery) {
        self.state(|state| state.delivery = delivery);
    }

    /// Fails in this way from now on, at paths that begin with `path`.
    pub fn fail(&self, path: &'static str, fault: Fault) {
        self.state(|state| state.faults.push((path, fault)));
    }

    /// From now on everything works.
    pub fn be_well(&self) {
        self.state(|state| state.faults.clear());
    }

    /// Limits the requests that each endpoint accepts per second. More get 429.
    pub fn limit(&self, per_second: u32) {
        self.state(|state| state.per_second = Some(per_second));
    }

    /// How many requests had this method and path, including refused ones: `"POST /v1/refunds"`.
    pub fn asked(&self, what: &str) -> usize {
        self.state(|state| state.asked.iter().filter(|it| it.starts_with(what)).count())
    }

    /// How many clients have waited, or still wait, for an answer that does not come: see [`Fault::Hang`] and
    /// [`Fault::Mute`].
    pub fn unanswered(&self) -> usize {
        self.state(|state| state.unanswered)
    }

    /// Lets this much time pass for payment pages, so that they expire sooner.
    pub fn let_time_pass(&self, seconds: i64) {
        self.state(|state| state.sessions.values_mut().for_each(|it| it.expires_at -= seconds));
    }

    /// Moves all events so far this much into the past.
    pub fn let_events_age(&self, seconds: i64) {
        self.state(|state| {
            for event in &mut state.events {
                event["created"] = (event["created"].as_i64().expect("a time") - seconds).into();
            }
        });
    }

    /// The ids of all payment pages.
    pub fn sessions(&self) -> Vec<String> {
        self.state(|state| state.sessions.keys().cloned().collect())
    }

    /// The ids of the payment pages that can still be paid.
    pub fn open_sessions(&self) -> Vec<String> {
        self.state(|state| {
            let open = state.sessions.values().filter(|it| it.status == SessionStatus::Open);
            open.map(|it| it.id.clone()).collect()
        })
    }

    /// A buyer pays; returns whether that was possible.
    pub fn pay(&self, session: &str) -> bool {
        let events = self.state(|state| state.pay(session));
        let is_paid = !events.is_empty();
        webhooks::send(&self.state, &events);
        is_paid
    }

    /// The bank declines a payment.
    pub fn decline(&self, session: &str, code: &str) {
        let events = self.state(|state| state.decline(session, code));
        webhooks::send(&self.state, &events);
    }

    /// The payment page expires.
    pub fn let_expire(&self, session: &str) {
        let events = self.state(|state| state.expire(session));
        webhooks::send(&self.state, &events);
    }

    /// Somebody makes a refund in Stripe's dashboard.
    pub fn refund_outside(&self, session: &str, amount: i64) {
        let events = self.state(|state| state.refund_outside(session, amount));
        webhooks::send(&self.state, &events);
    }

    /// A buyer's bank disputes a payment. Returns the dispute's id.
    pub fn dispute(&self, session: &str) -> String {
        let events = self.state(|state| state.dispute(session));
        webhooks::send(&self.state, &events);
        events[0]["data"]["object"]["id"].as_str().expect("an id").to_owned()
    }

    /// The bank decides a dispute: "won" or "lost".
    pub fn decide_dispute(&self, dispute: &str, status: &str) {
        let events = self.state(|state| state.decide_dispute(dispute, status));
        webhooks::send(&self.state, &events);
    }

    /// The newest refund fails.
    pub fn fail_newest_refund(&self) {
        let events = self.state(|state| {
            let id = state.refunds.keys().next_back().expect("a refund").clone();
            state.fail_refund(&id)
        });
        webhooks::send(&self.state, &events);
    }

    /// Sets whether Stripe's fee for a payment is known only later.
    pub fn set_late_fees(&self, are_late: bool) {
        self.state(|state| state.are_fees_late = are_late);
    }

    /// Sets the currency of the account, in which Stripe takes its fees.
    pub fn set_account_currency(&self, currency: &'static str) {
        self.state(|state| state.account_currency = Some(currency));
    }

    /// Sets the account's balance, from which refunds are paid.
    pub fn set_balance(&self, balance: i64) {
        self.state(|state| state.balance = balance);
    }

    /// Forgets all idempotency keys and their answers, as Stripe does after a day.
    pub fn forget_keys(&self) {
        self.state(|state| state.saved.clear());
    }

    /// Changes the amount and the currency of a payment page, for tests with wrong ones.
    pub fn change_session(&self, session: &str, amount: i64, currency: &str) {
        self.state(|state| {
            let session = state.sessions.get_mut(session).expect("a session");
            (session.amount, session.currency) = (amount, currency.to_owned());
        });
    }

    /// Creates events that have nothing to do with this site.
    pub fn happen(&self, kind: &str, times: usize) {
        self.state(|state| {
            for _ in 0..times {
                let id = state.new_id("xx");
                state.event(kind, serde_json::json!({ "id": id, "object": "something" }));
            }
        });
    }

    /// Sends the events of these kinds again.
    pub fn send_again(&self, kinds: &[&str]) {
        let events: Vec<_> = self.state(|state| {
            let own = state.events.iter().filter(|event| kinds.iter().any(|kind| event["type"] == **kind));
            own.cloned().collect()
        });
        webhooks::send(&self.state, &events);
    }

    /// Sends all events again, the last one first.
    pub fn send_all_again(&self) {
        let events = self.state(|state| state.events.iter().rev().cloned().collect::<Vec<_>>());
        webhooks::send(&self.state, &events);
    }

    /// The total amounts that were paid and refunded, over all payment pages.
    pub fn money(&self) -> (i64, i64) {
        self.state(|state| {
            let paid = state.sessions.values().filter(|it| it.status == SessionStatus::Paid);
            let back = state.refunds.values().filter(|it| it.status == "succeeded");
            (paid.map(|it| it.amount).sum(), back.map(|it| it.amount).sum())
        })
    }

    /// Waits for this many payment pages that can be paid.
    pub fn wait_for_open_sessions(&self, count: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let open = self.open_sessions();
            if open.len() >= count {
                return open;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{} of {count} pages are open", open.len());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
        // Wakes the server's thread, so that it ends and frees the port.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(state: &Arc<Mutex<StripeState>>, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader) {
        let Some(reply) = answer(state, &request) else { return };
        if !http::write(reader.get_mut(), &reply) {
            return;
        }
    }
}

/// Does not answer for longer than any client waits.
fn leave_waiting(state: &Arc<Mutex<StripeState>>) -> Option<Reply> {
    state.lock().expect("a lock").unanswered += 1;
    thread::sleep(Duration::from_secs(60));
    None
}

/// The answer to a request. `None`: hang up without an answer.
fn answer(state: &Arc<Mutex<StripeState>>, request: &Request) -> Option<Reply> {
    let fault = {
        let mut state = state.lock().expect("a lock");
        state.asked.push(format!("{} {}", request.method, request.path));
        state.faults.iter().find(|(path, _)| request.path.starts_with(path)).map(|(_, fault)| *fault)
    };
    match fault {
        Some(Fault::HangUp) => return None,
        Some(Fault::Hang) => return leave_waiting(state),
        Some(Fault::Status(status)) => {
            let error = serde_json::json!({ "type": "invalid_request_error", "message": "It is refused." });
            return Some(Reply::json(status, &serde_json::json!({ "error": error })));
        }
        Some(Fault::Stuck) if request.method == "POST" => {
            return Some(api::be_stuck(&mut state.lock().expect("a lock"), request));
        }
        Some(Fault::Late(wait)) => thread::sleep(wait),
        Some(Fault::LoseAnswer | Fault::Mute | Fault::Stuck) | None => {}
    }
    let (reply, events) = if request.path.starts_with("/c/pay/") {
        page::answer(&mut state.lock().expect("a lock"), request)
    } else {
        api::answer(&mut state.lock().expect("a lock"), request)
    };
    webhooks::send(state, &events);
    if fault == Some(Fault::Mute) {
        return leave_waiting(state);
    }
    // The request was executed, but the client gets no answer.
    (fault != Some(Fault::LoseAnswer)).then_some(reply)
}
