//! A Stripe on loopback that keeps what it is told: payment pages, payments, refunds, disputes, events. It
//! has Stripe's idempotency, its limits and its webhooks, and fails as a test tells it to.
//!
//! Two independent programs check it: Stripe's own SDK, and another implementation of the signature.

mod api;
mod http;
mod page;
mod returns;
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
use self::state::{SessionStatus, State};

/// What the fake takes as its account's key, and signs webhooks with.
pub const STRIPE_KEY: &str = "sk_test_51FakeFakeFake";
/// A live key, which the fake accepts too: it has only test money, and says so.
pub const STRIPE_LIVE_KEY: &str = "sk_live_51FakeFakeFake";
pub const STRIPE_SECRET: &str = "whsec_fake0123456789abcdef";

/// The settings of a server that uses the fake at that URL.
pub fn stripe_settings(url: &str) -> [(&'static str, &str); 3] {
    [("STRIPE_SECRET_KEY", STRIPE_KEY), ("STRIPE_WEBHOOK_SECRET", STRIPE_SECRET), ("STRIPE_API_URL", url)]
}

pub struct FakeStripe {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    is_closed: Arc<AtomicBool>,
}

impl FakeStripe {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("an address");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::new(format!("http://{address}"))));
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

    fn state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().expect("a lock"))
    }

    /// Where webhooks go from now on: "http://127.0.0.1:1234/webhooks/stripe".
    pub fn send_webhooks_to(&self, url: &str) {
        self.state(|state| state.webhook_url = Some(url.to_owned()));
    }

    /// How webhooks are delivered from now on.
    pub fn deliver(&self, delivery: Delivery) {
        self.state(|state| state.delivery = delivery);
    }

    /// What goes wrong from now on, at paths that begin so.
    pub fn fail(&self, path: &'static str, fault: Fault) {
        self.state(|state| state.faults.push((path, fault)));
    }

    /// From now on everything works.
    pub fn be_well(&self) {
        self.state(|state| state.faults.clear());
    }

    /// Requests that each endpoint takes in a second. More get 429.
    pub fn limit(&self, per_second: u32) {
        self.state(|state| state.per_second = Some(per_second));
    }

    /// How often a method and path were asked for, refused requests included: `"POST /v1/refunds"`.
    pub fn asked(&self, what: &str) -> usize {
        self.state(|state| state.asked.iter().filter(|it| it.starts_with(what)).count())
    }

    /// How many clients wait or waited for an answer that does not come: see [`Fault::Hang`] and
    /// [`Fault::Mute`].
    pub fn unanswered(&self) -> usize {
        self.state(|state| state.unanswered)
    }

    /// Lets that much time pass: pages get closer to their end.
    pub fn let_time_pass(&self, seconds: i64) {
        self.state(|state| state.sessions.values_mut().for_each(|it| it.expires_at -= seconds));
    }

    /// Moves everything that has happened so far into the past by that much.
    pub fn let_events_age(&self, seconds: i64) {
        self.state(|state| {
            for event in &mut state.events {
                event["created"] = (event["created"].as_i64().expect("a time") - seconds).into();
            }
        });
    }

    /// The ids of the pages that it has made.
    pub fn sessions(&self) -> Vec<String> {
        self.state(|state| state.sessions.keys().cloned().collect())
    }

    /// The ids of the pages that can be paid on.
    pub fn open_sessions(&self) -> Vec<String> {
        self.state(|state| {
            let open = state.sessions.values().filter(|it| it.status == SessionStatus::Open);
            open.map(|it| it.id.clone()).collect()
        })
    }

    /// A buyer pays; whether that was possible.
    pub fn pay(&self, session: &str) -> bool {
        let events = self.state(|state| state.pay(session));
        let is_paid = !events.is_empty();
        webhooks::send(&self.state, &events);
        is_paid
    }

    /// The bank says no.
    pub fn decline(&self, session: &str, code: &str) {
        let events = self.state(|state| state.decline(session, code));
        webhooks::send(&self.state, &events);
    }

    /// The page's own end comes.
    pub fn let_expire(&self, session: &str) {
        let events = self.state(|state| state.expire(session));
        webhooks::send(&self.state, &events);
    }

    /// Somebody gives money back in Stripe's dashboard.
    pub fn refund_outside(&self, session: &str, amount: i64) {
        let events = self.state(|state| state.refund_outside(session, amount));
        webhooks::send(&self.state, &events);
    }

    /// A buyer's bank asks for the money. The dispute's id.
    pub fn dispute(&self, session: &str) -> String {
        let events = self.state(|state| state.dispute(session));
        webhooks::send(&self.state, &events);
        events[0]["data"]["object"]["id"].as_str().expect("an id").to_owned()
    }

    /// The bank decides: "won" or "lost".
    pub fn decide_dispute(&self, dispute: &str, status: &str) {
        let events = self.state(|state| state.decide_dispute(dispute, status));
        webhooks::send(&self.state, &events);
    }

    /// The newest refund does not arrive.
    pub fn fail_newest_refund(&self) {
        let events = self.state(|state| {
            let id = state.refunds.keys().next_back().expect("a refund").clone();
            state.fail_refund(&id)
        });
        webhooks::send(&self.state, &events);
    }

    /// Whether Stripe's fee of a payment is known only later.
    pub fn set_late_fees(&self, are_late: bool) {
        self.state(|state| state.are_fees_late = are_late);
    }

    /// The currency of the account, in which it takes its fees.
    pub fn set_account_currency(&self, currency: &'static str) {
        self.state(|state| state.account_currency = Some(currency));
    }

    /// What the account has for refunds.
    pub fn set_balance(&self, balance: i64) {
        self.state(|state| state.balance = balance);
    }

    /// Lets a day pass: keys and their answers are forgotten.
    pub fn forget_keys(&self) {
        self.state(|state| state.saved.clear());
    }

    /// What a page says now, to lie about amounts and currencies.
    pub fn change_session(&self, session: &str, amount: i64, currency: &str) {
        self.state(|state| {
            let session = state.sessions.get_mut(session).expect("a session");
            (session.amount, session.currency) = (amount, currency.to_owned());
        });
    }

    /// Makes events that concern nothing of this site.
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

    /// What was paid and what went back, added up over all pages.
    pub fn money(&self) -> (i64, i64) {
        self.state(|state| {
            let paid = state.sessions.values().filter(|it| it.status == SessionStatus::Paid);
            let back = state.refunds.values().filter(|it| it.status == "succeeded");
            (paid.map(|it| it.amount).sum(), back.map(|it| it.amount).sum())
        })
    }

    /// Waits for so many pages that can be paid on.
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
        // Wakes it, so that the port is free.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(state: &Arc<Mutex<State>>, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader) {
        let Some(reply) = answer(state, &request) else { return };
        if !http::write(reader.get_mut(), &reply) {
            return;
        }
    }
}

/// For longer than anybody waits.
fn leave_waiting(state: &Arc<Mutex<State>>) -> Option<Reply> {
    state.lock().expect("a lock").unanswered += 1;
    thread::sleep(Duration::from_secs(60));
    None
}

/// `None`: hangs up without a word.
fn answer(state: &Arc<Mutex<State>>, request: &Request) -> Option<Reply> {
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
    // It was done, but the client gets no answer.
    (fault != Some(Fault::LoseAnswer)).then_some(reply)
}
