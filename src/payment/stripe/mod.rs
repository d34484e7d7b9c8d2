//! A client of Stripe's API: the few calls that this site makes, with the version that they were written for.
//!
//! It blocks its thread: call it on the blocking pool. A POST that makes a page or a refund carries a key by
//! which Stripe recognizes that it is sent again; the same key must always carry the same body. Fields of
//! answers that nobody here knows are ignored.
//!
//! What an answer means for a booking does not belong here: see `payment::verdict` and `payment::worker`.

pub mod amount;
pub mod event;
pub mod failure;
pub mod objects;
pub mod request;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_rustls::rustls::crypto::ring;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

use self::event::EventObject;
use self::failure::{FailedAnswer, StripeFailure};
use self::objects::{CheckoutSession, DisputeObject, Listed, RefundObject};
use super::settings::{StripeConfig, StripeKey};
use crate::log_safe::one_line;
use crate::outgoing::system_certificates;
use crate::start_error::StartError;

/// The version of the API that these requests and objects are written for.
pub const API_VERSION: &str = "2026-02-25.clover";
/// How long a call may take. Stripe itself gives up after some 30 s, and usually answers within 1 s.
pub const CALL_WAIT: Duration = Duration::from_secs(20);
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// The longest answer, in bytes: a page of a hundred objects, each with all its fields.
const ANSWER_MAX: u64 = 4 * 1024 * 1024;
/// Connections that are kept: as many as there may be calls of one kind at once.
const IDLE_CONNECTIONS: usize = 64;
/// Objects on a page of a list: the most that Stripe sends.
const PAGE: &str = "100";
/// What is read of a session at once: whether it was paid, with what, and what Stripe keeps.
const EXPAND_SESSION: &str = "payment_intent.latest_charge.balance_transaction";

/// Asks Stripe.
pub struct StripeClient {
    agent: Agent,
    api_url: String,
    authorization: String,
}

impl StripeClient {
    /// Does not connect yet.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new(config: &StripeConfig) -> Result<Self, StartError> {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(roots(config)?);
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            // A refusal has a body that says why.
            .http_status_as_error(false)
            // Stripe never redirects.
            .max_redirects(0)
            // `HTTPS_PROXY` is not one of this program's settings.
            .proxy(None)
            .user_agent(concat!("TechKraftTickets/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_WAIT))
            .timeout_global(Some(CALL_WAIT))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .build()
            .new_agent();
        let authorization = format!("Bearer {}", StripeKey::expose(&config.key));
        Ok(Self { agent, api_url: config.api_url.clone(), authorization })
    }

    /// Makes the page on which a buyer pays: see [`request::session`].
    ///
    /// # Errors
    /// Why there is no page, or why Stripe's answer is not known.
    pub fn create_session(&self, body: &str, key: &str) -> Result<CheckoutSession, StripeFailure> {
        self.post("/v1/checkout/sessions", body, Some(key))
    }

    /// What became of a page.
    ///
    /// # Errors
    /// Why Stripe's answer is not known.
    pub fn session(&self, id: &str) -> Result<CheckoutSession, StripeFailure> {
        let path = format!("/v1/checkout/sessions/{}", segment(id));
        self.get(&path, &[("expand[]", EXPAND_SESSION)])
    }

    /// Closes a page, so that nobody can pay on it any more.
    ///
    /// # Errors
    /// [`StripeFailure::Refused`] also when it is closed already or was paid on: [`StripeClient::session`] tells.
    pub fn expire_session(&self, id: &str) -> Result<CheckoutSession, StripeFailure> {
        // Without an idempotency key: closing a page twice does no harm, and the answer must not be that of
        // an earlier call.
        self.post(&format!("/v1/checkout/sessions/{}/expire", segment(id)), "", None)
    }

    /// Gives money back: see [`request::refund`].
    ///
    /// # Errors
    /// Why it is not given back, or why Stripe's answer is not known.
    pub fn create_refund(&self, body: &str, key: &str) -> Result<RefundObject, StripeFailure> {
        self.post("/v1/refunds", body, Some(key))
    }

    /// What became of a refund.
    ///
    /// # Errors
    /// Why Stripe's answer is not known.
    pub fn refund(&self, id: &str) -> Result<RefundObject, StripeFailure> {
        self.get(&format!("/v1/refunds/{}", segment(id)), &[])
    }

    /// All refunds of a payment, those that began at Stripe among them, the newest first.
    ///
    /// # Errors
    /// Why Stripe's answer is not known.
    pub fn refunds_of(&self, intent_id: &str) -> Result<Vec<RefundObject>, StripeFailure> {
        let mut all: Vec<RefundObject> = Vec::new();
        loop {
            let after = all.last().map(|it| it.id.clone());
            let query = [("payment_intent", intent_id), ("limit", PAGE)].into_iter();
            let query: Vec<_> = query.chain(after.as_deref().map(|id| ("starting_after", id))).collect();
            let page: Listed<RefundObject> = self.get("/v1/refunds", &query)?;
            let is_last = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// How a dispute stands.
    ///
    /// # Errors
    /// Why Stripe's answer is not known.
    pub fn dispute(&self, id: &str) -> Result<DisputeObject, StripeFailure> {
        self.get(&format!("/v1/disputes/{}", segment(id)), &[])
    }

    /// What has happened since a time (seconds since 1970), as far as this program follows it, the newest first.
    /// `after`: the last event of the page before.
    ///
    /// # Errors
    /// Why Stripe's answer is not known.
    pub fn events(&self, since: i64, after: Option<&str>) -> Result<Listed<EventObject>, StripeFailure> {
        let since = since.to_string();
        let page = [("created[gte]", since.as_str()), ("limit", PAGE)];
        let kinds = event::FOLLOWED.iter().map(|kind| ("types[]", *kind));
        let page = page.into_iter().chain(kinds).chain(after.map(|id| ("starting_after", id)));
        self.get("/v1/events", &page.collect::<Vec<_>>())
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, StripeFailure> {
        let request = self.headers(self.agent.get(format!("{}{path}", self.api_url)));
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        read(request.call())
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &str,
        key: Option<&str>,
    ) -> Result<T, StripeFailure> {
        let request = self.headers(self.agent.post(format!("{}{path}", self.api_url)));
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        read(request.content_type("application/x-www-form-urlencoded").send(body))
    }

    fn headers<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        request.header("authorization", &self.authorization).header("stripe-version", API_VERSION)
    }
}

impl fmt::Debug for StripeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StripeClient({})", self.api_url)
    }
}

/// The system's certificates; none for an `http://` address, which is always on this machine.
fn roots(config: &StripeConfig) -> Result<RootCerts, StartError> {
    if config.api_url.starts_with("http://") {
        return Ok(RootCerts::new_with_certs(&[]));
    }
    let found = system_certificates("STRIPE_API_URL", &config.api_url)?;
    let certs: Vec<_> = found.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    Ok(RootCerts::new_with_certs(&certs))
}

/// An id as a part of a path. Stripe's are letters, digits and underscores; what comes from elsewhere may be anything.
fn segment(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn read<T: DeserializeOwned>(answered: Result<Response<Body>, ureq::Error>) -> Result<T, StripeFailure> {
    let mut response = answered.map_err(|error| StripeFailure::Unknown(one_line(&error)))?;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_replayed = header("idempotent-replayed") == Some("true");
    let should_retry = header("stripe-should-retry").map(|value| value == "true");
    let body = response.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
    // The status came, the body did not: what was asked for may have been done.
    let body = body.map_err(|error| StripeFailure::Unknown(one_line(&error)))?;
    if (200..300).contains(&status) {
        // Never the answer's own words: it may name a person.
        let unreadable = |error: serde_json::Error| {
            let (what, line, column) = (error.classify(), error.line(), error.column());
            StripeFailure::Unknown(format!("an answer that cannot be read: {what:?}, {line}:{column}"))
        };
        return serde_json::from_slice(&body).map_err(unreadable);
    }
    Err(StripeFailure::of(&FailedAnswer { status, is_replayed, should_retry, body: &body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_part_of_a_path() {
        assert_eq!(segment("cs_test_a1B2"), "cs_test_a1B2");
        assert_eq!(segment("../refunds?x=1#y"), "refundsx1y");
    }
}
