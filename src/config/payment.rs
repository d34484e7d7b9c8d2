//! The settings of payments.

use clap::Args;

use super::parse_number;
use crate::payment::settings::{STRIPE_API_URL, StripeConfig, StripeKey, WebhookSecrets, parse_api_url};
use crate::start_error::StartError;

/// Not `Debug`: nothing may print the secrets by accident.
#[derive(Args)]
pub(super) struct PaymentSettings {
    /// A secret or restricted key of an account at Stripe: tickets can be paid for online then [default: none, tickets
    /// are paid for at the venue]
    #[arg(long, env = "STRIPE_SECRET_KEY", global = true, hide_env_values = true)]
    stripe_secret_key: Option<String>,

    /// The signing secret of the webhook endpoint at Stripe (PUBLIC_URL/webhooks/stripe); two, separated by a comma,
    /// while it is replaced
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", global = true, hide_env_values = true)]
    stripe_webhook_secret: Option<String>,

    /// Where Stripe is: https, or http on this machine for tests
    #[arg(long, env = "STRIPE_API_URL", global = true, default_value = STRIPE_API_URL)]
    stripe_api_url: String,

    /// Most requests per second to each of Stripe's endpoints, from all servers together
    #[arg(long, env = "STRIPE_PER_SECOND", global = true, default_value = "20")]
    stripe_per_second: String,
}

impl PaymentSettings {
    /// `None`: nothing is paid for online.
    pub(super) fn parse(&self, public_url: Option<&str>) -> Result<Option<StripeConfig>, StartError> {
        let typed = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let api_url = parse_api_url(&self.stripe_api_url)?;
        let per_second = parse_number("STRIPE_PER_SECOND", &self.stripe_per_second, 1, 1_000)?;
        let Some(key) = typed(&self.stripe_secret_key) else {
            if typed(&self.stripe_webhook_secret).is_some() {
                let wrong = "missing, but STRIPE_WEBHOOK_SECRET is set";
                return Err(StartError::setting("STRIPE_SECRET_KEY", "", wrong, "set both, or none"));
            }
            return Ok(None);
        };
        let key = StripeKey::parse(&key)?;
        let Some(secret) = typed(&self.stripe_webhook_secret) else {
            let hint = "add an endpoint for PUBLIC_URL/webhooks/stripe at Stripe, and set its signing secret";
            let wrong = "missing, but STRIPE_SECRET_KEY is set: payments would be noticed late";
            return Err(StartError::setting("STRIPE_WEBHOOK_SECRET", "", wrong, hint));
        };
        if key.is_live() && !public_url.is_some_and(|url| url.starts_with("https://")) {
            let wrong = "not https, but STRIPE_SECRET_KEY is a live key: buyers come back to this address";
            let hint = "set the https address that buyers use, or use a test key";
            return Err(StartError::setting("PUBLIC_URL", public_url.unwrap_or_default(), wrong, hint));
        }
        Ok(Some(StripeConfig { key, webhook_secrets: WebhookSecrets::parse(&secret)?, api_url, per_second }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{CommandLine, Config};

    fn stripe(arguments: &[&str]) -> Result<Option<StripeConfig>, StartError> {
        let line = CommandLine::parse_from([&["techkraft", "--mail-dir", "mail"], arguments].concat());
        Config::new(&line.settings).map(|config| config.stripe)
    }

    const KEY: [&str; 2] = ["--stripe-secret-key", "sk_test_51AbCdEfGh"];
    const SECRET: [&str; 2] = ["--stripe-webhook-secret", "whsec_0123456789"];

    #[test]
    fn both_secrets_are_set_or_none() {
        assert!(stripe(&[]).expect("valid").is_none());
        assert!(stripe(&["--stripe-secret-key", ""]).expect("valid").is_none());
        let config = stripe(&[KEY, SECRET].concat()).expect("valid").expect("payments");
        assert_eq!((&*config.api_url, config.per_second), ("https://api.stripe.com", 20));
        for (arguments, says) in [
            (KEY.to_vec(), "STRIPE_WEBHOOK_SECRET=: missing"),
            (SECRET.to_vec(), "STRIPE_SECRET_KEY=: missing"),
            ([&KEY[..], &SECRET, &["--stripe-per-second", "0"]].concat(), "STRIPE_PER_SECOND=0"),
            (
                [&KEY[..], &SECRET, &["--stripe-api-url", "http://stripe.example"]].concat(),
                "STRIPE_API_URL=http",
            ),
        ] {
            let message = stripe(&arguments).expect_err(says).to_string();
            assert!(message.starts_with(says) && message.lines().count() == 1, "{message}");
        }
    }

    #[test]
    fn real_money_needs_an_address_that_buyers_come_back_to() {
        let live = [&["--stripe-secret-key", "sk_live_51AbCdEfGh"], &SECRET[..]].concat();
        assert!(stripe(&live).expect_err("no address").to_string().starts_with("PUBLIC_URL=: not https"));
        let at = |url| stripe(&[&live[..], &["--public-url", url]].concat());
        assert!(at("http://tickets.example.org").is_err());
        assert!(at("https://tickets.example.org").expect("valid").is_some_and(|it| it.key.is_live()));
    }
}
