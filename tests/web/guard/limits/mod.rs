//! Rate limits. All clients here have loopback addresses, which are not exempt.

mod answers;
mod api;
mod clients;
mod log;

use std::net::IpAddr;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use techkraft::guard::limits::Rates;

use crate::support::TestApp;

/// The rate of each class that a test is not about.
const PLENTY: &str = "1000/second";

/// Limits that a test reaches only in the classes that it changes.
pub fn rates() -> Rates {
    let plenty = PLENTY.parse().expect("a rate");
    Rates {
        pages: plenty,
        polls: plenty,
        static_files: plenty,
        previews: plenty,
        places: plenty,
        bookings: plenty,
        sign_in: plenty,
        admin: plenty,
        api: plenty,
        api_token: plenty,
        tickets: plenty,
        token_tickets: plenty,
    }
}

fn limited(change: impl FnOnce(&mut Rates)) -> TestApp {
    let mut rates = rates();
    change(&mut rates);
    TestApp::spawn_with(|config| config.rate_limits = Some(rates))
}

/// The same behind proxies on this machine.
fn limited_behind_proxies(change: impl FnOnce(&mut Rates)) -> TestApp {
    let mut rates = rates();
    change(&mut rates);
    TestApp::spawn_with(|config| {
        config.rate_limits = Some(rates);
        config.trusted_proxies = super::proxies(&["127.0.0.0/8"]);
    })
}

/// A client that comes from an address of its own.
pub fn client_at(address: &str) -> Client {
    let address: IpAddr = address.parse().expect("an address");
    Client::builder().local_address(address).redirect(Policy::none()).build().expect("a client")
}

fn send(request: RequestBuilder) -> Response {
    request.send().expect("an answer")
}

/// How many of such requests go through before one is refused.
fn passes(mut request: impl FnMut() -> RequestBuilder) -> usize {
    (0..50).take_while(|_| send(request()).status() != 429).count()
}
