//! The settings of the rate limits.

use clap::Args;

use super::parse_bool;
use crate::guard::api_tokens::ApiTokens;
use crate::guard::limits::{Rate, Rates};
use crate::guard::secret::weakness;
use crate::start_error::StartError;

/// Polls for each page: a browser that stays on a page polls it again and again.
const POLLS_FOR_PAGE: u32 = 10;
/// Static files and pictures for each page: a new visitor's first page with a list of concerts needs about twenty.
const FILES_FOR_PAGE: u32 = 20;
/// A client with an API token may call the API this many times as often as one without.
const TOKEN_BONUS: u32 = 10;

/// Not `Debug`: nothing may print the tokens by accident.
#[derive(Args)]
pub(super) struct RateLimitSettings {
    /// Rate limits: on, or off for load tests; off also accepts booking forms that are sent at once
    #[arg(long, env = "RATE_LIMITS", global = true, default_value = "on")]
    rate_limits: String,

    /// Pages for each address (IPv6: each /64; a /56 gets 4 times, a /48 16 times as many), as 30/minute or
    /// 30/minute burst 5; polls get 10 times as many, static files 20 times
    #[arg(long, env = "RATE_LIMIT_PAGES", global = true, default_value = "100/second burst 500")]
    rate_limit_pages: String,

    /// Bookings for each address
    #[arg(long, env = "RATE_LIMIT_BOOKINGS", global = true, default_value = "30/minute")]
    rate_limit_bookings: String,

    /// Tickets for each address, on the site and through the API; each token of API_TOKENS gets 10 times as many
    #[arg(long, env = "RATE_LIMIT_TICKETS", global = true, default_value = "120/hour burst 40")]
    rate_limit_tickets: String,

    /// API calls for each address; each token of API_TOKENS gets 10 times as many
    #[arg(long, env = "RATE_LIMIT_API", global = true, default_value = "60/minute")]
    rate_limit_api: String,

    /// API tokens, as NAME:TOKEN separated by commas, of 32 characters or more [default: none]
    #[arg(long, env = "API_TOKENS", global = true, hide_env_values = true)]
    api_tokens: Option<String>,
}

impl RateLimitSettings {
    /// The rates; `None` when nothing is limited.
    pub(super) fn parse(&self) -> Result<Option<Rates>, StartError> {
        // Checked even when limits are off.
        let pages = parse_rate("RATE_LIMIT_PAGES", &self.rate_limit_pages)?;
        let api = parse_rate("RATE_LIMIT_API", &self.rate_limit_api)?;
        let tickets = parse_rate("RATE_LIMIT_TICKETS", &self.rate_limit_tickets)?;
        let rates = Rates {
            pages,
            polls: pages.times(POLLS_FOR_PAGE),
            static_files: pages.times(FILES_FOR_PAGE),
            previews: Rate::PREVIEWS,
            places: Rate::PLACES,
            bookings: parse_rate("RATE_LIMIT_BOOKINGS", &self.rate_limit_bookings)?,
            sign_in: Rate::SIGN_IN,
            admin: Rate::ADMIN,
            api,
            api_token: api.times(TOKEN_BONUS),
            tickets,
            token_tickets: tickets.times(TOKEN_BONUS),
        };
        Ok(parse_bool("RATE_LIMITS", &self.rate_limits)?.then_some(rates))
    }

    /// A token that is easy to guess is accepted only if the site serves this machine alone.
    pub(super) fn parse_tokens(&self, is_public: bool) -> Result<ApiTokens, StartError> {
        let typed = self.api_tokens.as_deref().unwrap_or_default().trim();
        let mut tokens = ApiTokens::default();
        for pair in typed.split(',').map(str::trim).filter(|_| !typed.is_empty()) {
            let (name, token) = pair.split_once(':').unwrap_or_default();
            let refuse = |wrong| {
                let hint = "write each as NAME:TOKEN, the token as `openssl rand -hex 32` prints it";
                StartError::setting("API_TOKENS", "(hidden)", wrong, hint)
            };
            tokens.add(name, token).map_err(refuse)?;
            if let Some(wrong) = weakness(token).filter(|_| is_public) {
                return Err(refuse(wrong));
            }
        }
        Ok(tokens)
    }
}

fn parse_rate(setting: &str, value: &str) -> Result<Rate, StartError> {
    let hint = "write it as 30/minute, or as 30/minute burst 5";
    value.parse().map_err(|wrong| StartError::setting(setting, value, wrong, hint))
}
