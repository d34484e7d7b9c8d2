//! Who books through the API: a client with a token, or a network where `API_BOOKINGS` lets everybody book.
//! The keys that a client sends belong to that client: another client may send the same ones. The same is true of the
//! user ids of a client with a token; clients without a token share theirs.

use actix_web::{HttpRequest, web};

use super::problem::{Problem, ProblemType};
use crate::guard::GuardSettings;
use crate::guard::api_tokens::scopes::Scope;
use crate::guard::api_tokens::{self, ApiBookings};
use crate::guard::client_address::{self, network_of};

/// Who books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiClient {
    /// The `client_key` of a token, which has letters, digits, and `-`, `_`, `.` and `#` only.
    Token(String),
    /// An address as `client_address::network_of` gives it.
    Network(String),
}

impl ApiClient {
    /// The client of a request, if it may book.
    ///
    /// # Errors
    /// The problem, if it may not.
    pub fn of_request(request: &HttpRequest) -> Result<Self, Problem> {
        let settings = request.app_data::<web::Data<GuardSettings>>();
        let who_may = settings.map(|settings| settings.api_bookings).unwrap_or_default();
        let token = api_tokens::of_request(request);
        match (who_may, token) {
            (ApiBookings::Off, _) => Err(Problem::new(ProblemType::ApiBookingsOff)),
            (_, Some(token)) if token.allows(Scope::BookingsWrite) => Ok(Self::Token(token.client_key())),
            (_, Some(_)) => Err(Problem::insufficient_scope(Scope::BookingsWrite)),
            (ApiBookings::Anonymous, None) => {
                Ok(Self::Network(network_of(client_address::of(request)).to_string()))
            }
            (ApiBookings::Token, None) => Err(Problem::new(ProblemType::TokenRequired)),
        }
    }

    /// Distinguishes the client from every other one. No token has an @ in its name.
    #[must_use]
    pub fn key_space(&self) -> String {
        match self {
            Self::Token(name) => name.clone(),
            Self::Network(network) => format!("@{network}"),
        }
    }

    /// Distinguishes the client's token from all others; `None`: it has no token.
    #[must_use]
    pub fn token_name(&self) -> Option<&str> {
        match self {
            Self::Token(name) => Some(name),
            Self::Network(_) => None,
        }
    }
}
