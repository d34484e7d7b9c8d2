//! The settings of payments: which account at Stripe, what signs its webhooks, and how fast it is asked.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::stripe::amount::{fault_of_price, to_stripe};
use crate::events::PaymentChoice;
use crate::log_safe::without_password;
use crate::outbox::wakeup::Wakeup;
use crate::outgoing::is_loopback;
use crate::start_error::StartError;

/// Stripe's own address.
pub const STRIPE_API_URL: &str = "https://api.stripe.com";
/// Two are valid while the secret is replaced.
const WEBHOOK_SECRETS_MAX: usize = 2;

/// A key of an account at Stripe, restricted or not. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct StripeKey(String);

impl StripeKey {
    /// # Errors
    /// One line that says what such a key looks like.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        let wrong = |what: &str| {
            let hint = "copy a secret or restricted key from Stripe: it begins with sk_ or rk_";
            StartError::setting("STRIPE_SECRET_KEY", "(hidden)", what, hint)
        };
        if value.starts_with("pk_") {
            return Err(wrong("a publishable key, which cannot take payments"));
        }
        let starts = ["sk_live_", "rk_live_", "sk_test_", "rk_test_"];
        let rest = starts.iter().find_map(|start| value.strip_prefix(start));
        let is_key = |rest: &str| rest.len() >= 8 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if rest.is_some_and(is_key) {
            Ok(Self(value.to_owned()))
        } else {
            Err(wrong("not a key of Stripe's"))
        }
    }

    /// Whether it moves real money.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.0[2..].starts_with("_live_")
    }

    /// For the header that signs in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StripeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StripeKey({})", if self.is_live() { "live" } else { "test" })
    }
}

/// The secrets that sign webhooks, the current one and perhaps another. Nothing prints them.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecrets(Vec<String>);

impl WebhookSecrets {
    /// # Errors
    /// One line that says what such a secret looks like.
    pub fn parse(value: &str) -> Result<Self, StartError> {
        let wrong =
            |what: &str, hint: &str| StartError::setting("STRIPE_WEBHOOK_SECRET", "(hidden)", what, hint);
        let secrets: Vec<String> =
            value.split(',').map(str::trim).filter(|it| !it.is_empty()).map(Into::into).collect();
        let is_secret = |it: &String| it.starts_with("whsec_") && it.len() >= 16;
        if !secrets.iter().all(is_secret) || secrets.is_empty() {
            let hint = "copy the signing secret of the webhook endpoint from Stripe: it begins with whsec_";
            return Err(wrong("not a signing secret", hint));
        }
        if secrets.len() > WEBHOOK_SECRETS_MAX {
            return Err(wrong("too many secrets", "keep the current one and at most one other"));
        }
        Ok(Self(secrets))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecrets({})", self.0.len())
    }
}

/// Reads where Stripe is. Keys travel there, so it is https, except on this machine.
///
/// # Errors
/// One line that says how the address is written.
pub fn parse_api_url(value: &str) -> Result<String, StartError> {
    let wrong = |what: &str| {
        let hint = "leave it out, or use https://HOST (http://127.0.0.1:PORT in tests)";
        StartError::setting("STRIPE_API_URL", &without_password(value), what, hint)
    };
    let url = Url::parse(value).map_err(|_| wrong("not a URL"))?;
    let Some(host) = url.host() else { return Err(wrong("no host")) };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => return Err(wrong("would send the key unencrypted")),
        _ => return Err(wrong("unknown scheme")),
    }
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("more than a scheme, a host and a port"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What the provider says to the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAnswer {
    Accepted,
    /// The key is wrong, or lacks a permission.
    Refused,
    /// There was no answer.
    Silent,
}

/// Asks the provider for something that changes nothing. It blocks its thread.
pub type AccountProbe = Arc<dyn Fn() -> AccountAnswer + Send + Sync>;

/// What handlers know of payments.
#[derive(Clone)]
pub struct Payments {
    /// Whether the key moves real money.
    pub live: bool,
    pub per_second: u32,
    pub webhook_secrets: WebhookSecrets,
    /// For the setup page alone: everything else asks through the worker.
    pub probe: AccountProbe,
    /// To be notified after a payment, a refund or an event was put into the database.
    pub wakeup: Arc<Wakeup>,
}

impl Payments {
    /// Why a concert with these prices cannot be paid for in that way. `account`: the site's, where it has one.
    #[must_use]
    pub fn fault_of(
        account: Option<&Self>,
        choice: PaymentChoice,
        currency: &str,
        prices: &[i64],
    ) -> Option<&'static str> {
        match (choice, account) {
            (PaymentChoice::Venue, _) => None,
            (_, None) => {
                Some("Online payment isn’t set up on this site. Ask its operator for it (STRIPE_SECRET_KEY).")
            }
            // This amount is possible in every currency that Stripe takes.
            _ if to_stripe(1_000, currency).is_none() => Some("Stripe takes no payments in this currency."),
            _ => prices.iter().find_map(|price| fault_of_price(*price, currency)),
        }
    }

    /// Why a refund cannot keep such a fee of each ticket: what is left could not be sent.
    #[must_use]
    pub fn fault_of_fee(choice: PaymentChoice, fee: Option<i64>, currency: &str) -> Option<&'static str> {
        let is_sent =
            choice == PaymentChoice::Venue || fee.is_none_or(|fee| to_stripe(fee, currency).is_some());
        (!is_sent).then_some("Stripe can’t take this amount in this currency: round it.")
    }
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    pub key: StripeKey,
    pub webhook_secrets: WebhookSecrets,
    /// Scheme, host and port, without a trailing slash.
    pub api_url: String,
    /// Requests to each endpoint in a second, from all servers together.
    pub per_second: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concert_is_paid_for_as_stripe_can_take_it() {
        let account = Payments {
            live: false,
            per_second: 20,
            webhook_secrets: WebhookSecrets::parse("whsec_0123456789").expect("a secret"),
            probe: Arc::new(|| AccountAnswer::Silent),
            wakeup: Arc::default(),
        };
        let fault =
            |choice, currency, prices: &[i64]| Payments::fault_of(Some(&account), choice, currency, prices);
        use PaymentChoice::{Both, Online, Venue};
        assert_eq!(fault(Online, "USD", &[0, 50, 10_000]), None);
        for choice in [Online, Both] {
            assert!(fault(choice, "USD", &[10_000, 49]).is_some(), "a price that is too small");
            assert!(fault(choice, "CLF", &[]).is_some(), "a currency that Stripe does not take");
            assert!(Payments::fault_of(None, choice, "USD", &[]).is_some(), "no account");
            assert!(Payments::fault_of_fee(choice, Some(1_235), "KWD").is_some());
            assert_eq!(Payments::fault_of_fee(choice, Some(1_230), "KWD"), None);
        }
        assert_eq!(
            (fault(Venue, "CLF", &[1]), Payments::fault_of_fee(Venue, Some(1_235), "KWD")),
            (None, None)
        );
    }

    #[test]
    fn a_key_is_one_of_stripes_and_is_never_shown() {
        let key = StripeKey::parse("rk_live_51AbCdEfGh").expect("a key");
        assert!(key.is_live() && !format!("{key:?}").contains("51Ab"));
        assert!(!StripeKey::parse("sk_test_51AbCdEfGh").expect("a key").is_live());
        for bad in ["", "pk_live_51AbCdEfGh", "sk_live_", "sk_51AbCdEfGhIj", "sk_test_51Ab CdEfGh"] {
            let message = StripeKey::parse(bad).expect_err(bad).to_string();
            assert!(message.starts_with("STRIPE_SECRET_KEY=(hidden): "), "{message}");
            assert!(!message.contains("51Ab") && message.lines().count() == 1, "{message}");
        }
    }

    #[test]
    fn two_webhook_secrets_are_valid_while_they_are_replaced() {
        let of = |value: &str| WebhookSecrets::parse(value).map(|it| it.iter().count());
        assert_eq!(of("whsec_0123456789").ok(), Some(1));
        assert_eq!(of("whsec_0123456789, whsec_abcdefghij").ok(), Some(2));
        for bad in [
            "",
            "secret",
            "whsec_short",
            "whsec_0123456789,secret",
            "whsec_0123456789,whsec_0123456789,whsec_0123456789",
        ] {
            let message = of(bad).expect_err(bad).to_string();
            assert!(message.starts_with("STRIPE_WEBHOOK_SECRET=(hidden): "), "{message}");
        }
    }

    #[test]
    fn a_key_travels_encrypted_or_stays_on_this_machine() {
        for (value, url) in [
            ("https://api.stripe.com", "https://api.stripe.com"),
            ("https://api.stripe.com/", "https://api.stripe.com"),
            ("http://127.0.0.1:4242", "http://127.0.0.1:4242"),
            ("http://[::1]:4242/", "http://[::1]:4242"),
            ("http://localhost:4242", "http://localhost:4242"),
        ] {
            assert_eq!(parse_api_url(value).expect(value), url);
        }
        for bad in [
            "",
            "api.stripe.com",
            "http://api.stripe.com",
            "ftp://api.stripe.com",
            "https://api.stripe.com/v1",
            "https://api.stripe.com?x",
            "https://ada:s3cret@api.stripe.com",
        ] {
            let message = parse_api_url(bad).expect_err(bad).to_string();
            assert!(message.starts_with("STRIPE_API_URL=") && !message.contains("s3cret"), "{message}");
        }
    }
}
