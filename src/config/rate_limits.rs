//! The settings of the rate limits.

use clap::Args;

use super::parse_bool;
use crate::guard::api_tokens::ApiTokens;
use crate::guard::limits::{Rate, Rates};
use crate::start_error::StartError;

/// Not `Debug`: nothing may print the tokens by accident.
#[derive(Args)]
pub(super) struct RateLimitSettings {
    /// Whether it is limited how often a client may ask: on, or off for load tests
    #[arg(long, env = "RATE_LIMITS", global = true, default_value = "on")]
    rate_limits: String,

    /// Pages, of each address (IPv6: of each /64); as 30/minute, or as 30/minute burst 5
    #[arg(long, env = "RATE_LIMIT_PAGES", global = true, default_value = "100/second burst 500")]
    rate_limit_pages: String,

    /// Polls of what is left, of each address
    #[arg(long, env = "RATE_LIMIT_POLLS", global = true, default_value = "1000/second burst 5000")]
    rate_limit_polls: String,

    /// Static files, of which a page needs about twenty, of each address
    #[arg(long, env = "RATE_LIMIT_STATIC", global = true, default_value = "2000/second burst 10000")]
    rate_limit_static: String,

    /// Bookings, of each address
    #[arg(long, env = "RATE_LIMIT_BOOKINGS", global = true, default_value = "30/minute")]
    rate_limit_bookings: String,

    /// Sign-ins, of each address
    #[arg(long, env = "RATE_LIMIT_SIGN_IN", global = true, default_value = "10/minute")]
    rate_limit_sign_in: String,

    /// Calls of the API without a token, of each address
    #[arg(long, env = "RATE_LIMIT_API", global = true, default_value = "60/minute")]
    rate_limit_api: String,

    /// Calls of the API with a token of API_TOKENS, of each token
    #[arg(long, env = "RATE_LIMIT_API_TOKEN", global = true, default_value = "600/minute")]
    rate_limit_api_token: String,

    /// Tokens for the API, as NAME:TOKEN with commas between them; 32 characters or more [default: none]
    #[arg(long, env = "API_TOKENS", global = true, hide_env_values = true)]
    api_tokens: Option<String>,
}

impl RateLimitSettings {
    /// The rates; `None` when nothing is limited.
    pub(super) fn parse(&self) -> Result<Option<Rates>, StartError> {
        // All are checked, also while none of them counts.
        let rates = Rates {
            pages: parse_rate("RATE_LIMIT_PAGES", &self.rate_limit_pages)?,
            polls: parse_rate("RATE_LIMIT_POLLS", &self.rate_limit_polls)?,
            static_files: parse_rate("RATE_LIMIT_STATIC", &self.rate_limit_static)?,
            bookings: parse_rate("RATE_LIMIT_BOOKINGS", &self.rate_limit_bookings)?,
            sign_in: parse_rate("RATE_LIMIT_SIGN_IN", &self.rate_limit_sign_in)?,
            api: parse_rate("RATE_LIMIT_API", &self.rate_limit_api)?,
            api_token: parse_rate("RATE_LIMIT_API_TOKEN", &self.rate_limit_api_token)?,
        };
        Ok(parse_bool("RATE_LIMITS", &self.rate_limits)?.then_some(rates))
    }

    pub(super) fn parse_tokens(&self) -> Result<ApiTokens, StartError> {
        let typed = self.api_tokens.as_deref().unwrap_or_default().trim();
        let mut tokens = ApiTokens::default();
        for pair in typed.split(',').map(str::trim).filter(|_| !typed.is_empty()) {
            let (name, token) = pair.split_once(':').unwrap_or_default();
            tokens.add(name, token).map_err(|wrong| {
                let hint = "write each as NAME:TOKEN, the token as `openssl rand -hex 32` prints it";
                StartError::setting("API_TOKENS", "(hidden)", wrong, hint)
            })?;
        }
        Ok(tokens)
    }
}

fn parse_rate(setting: &str, value: &str) -> Result<Rate, StartError> {
    let hint = "write it as 30/minute, or as 30/minute burst 5";
    value.parse().map_err(|wrong| StartError::setting(setting, value, wrong, hint))
}
