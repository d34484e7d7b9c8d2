//! How many tickets a client may book. The limits of requests count a booking of one ticket and one of ten
//! alike. This limit counts tickets, on the site and through the API; for a request with a token it counts by
//! the token. Tickets that are not booked in the end are given back.

use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::HttpRequest;

use super::{Client, Limits, RateLimited};
use crate::guard::api_tokens;
use crate::guard::client_address::{self, network_of};
use crate::resource::RateClass;

/// Counts the tickets of orders.
pub struct TicketCounter {
    /// `None`: nothing is limited.
    limits: Option<Arc<Limits>>,
}

/// Tickets that were counted, to be given back if they are not booked.
#[derive(Debug)]
pub struct TakenTickets {
    class: RateClass,
    client: Client,
    count: NonZeroU32,
}

impl TicketCounter {
    #[must_use]
    pub fn new(limits: Option<Arc<Limits>>) -> Self {
        Self { limits }
    }

    /// Counts the tickets of an order. `None`: nothing is limited, or there are none.
    ///
    /// # Errors
    /// [`RateLimited`]
    pub async fn take(
        &self,
        request: &HttpRequest,
        tickets: i32,
    ) -> Result<Option<TakenTickets>, RateLimited> {
        let count = u32::try_from(tickets).ok().and_then(NonZeroU32::new);
        let Some((limits, count)) = self.limits.as_ref().zip(count) else { return Ok(None) };
        let token = api_tokens::of_request(request);
        let (class, client) = match &token {
            Some(token) => (RateClass::TokenTickets, Client::Token(token.id())),
            None => (RateClass::Tickets, Client::Network(network_of(client_address::of(request)))),
        };
        match limits.take_shared(class, client, count).await {
            Ok(_) => Ok(Some(TakenTickets { class, client, count })),
            Err(limited) => {
                limits.log(class, client, token.as_deref(), "");
                Err(limited)
            }
        }
    }

    /// Takes back what was counted for an order that was not booked.
    pub async fn give_back(&self, taken: Option<TakenTickets>) {
        if let Some((limits, TakenTickets { class, client, count })) = self.limits.as_ref().zip(taken) {
            limits.give_back(class, client, count).await;
        }
    }
}
