//! Whether buyers can pay online: whether Stripe knows the key, in which mode, and whether it tells this site anything.

use std::time::Duration;

use actix_web::rt::time::timeout;
use actix_web::web;
use chrono::NaiveDateTime;

use super::check::{SetupCheck, SetupState, check};
use crate::admin::payments::health::WebhookHealth;
use crate::admin::store::payments::WebhookFacts;
use crate::app::App;
use crate::events::{Event, EventState};
use crate::payment::settings::{AccountAnswer, Payments};

/// How long the page waits for Stripe.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks Stripe whether it knows the key. Returns the answer, and whether the key moves real money; `None`:
/// there is no key.
pub async fn ask(app: &App) -> Option<(AccountAnswer, bool)> {
    let Payments { probe, live, .. } = app.payments.clone()?;
    let asked = timeout(TIMEOUT, web::block(move || probe())).await;
    Some((asked.ok().and_then(Result::ok).unwrap_or(AccountAnswer::Silent), live))
}

/// The check of the account.
pub fn account(answer: Option<(AccountAnswer, bool)>, events: &[Event]) -> SetupCheck {
    let title = "Online payment";
    let is_sold = |event: &&Event| event.state == EventState::Published && event.is_paid_online();
    let online = events.iter().filter(is_sold).count();
    match answer {
        None if online > 0 => {
            let fix = "Set `STRIPE_SECRET_KEY` and `STRIPE_WEBHOOK_SECRET`, or let buyers pay at the venue.";
            let concerts = match online {
                1 => "1 published concert is".to_owned(),
                many => format!("{many} published concerts are"),
            };
            let found = format!("{concerts} paid for online, and nobody can pay.");
            check(title, SetupState::Wrong, found, fix)
        }
        None => check(title, SetupState::Right, "Off: tickets are paid for at the venue.", ""),
        Some((AccountAnswer::Accepted, true)) => {
            check(title, SetupState::Right, "Stripe takes real money with this key.", "")
        }
        Some((AccountAnswer::Accepted, false)) => {
            let fix = "Set `STRIPE_SECRET_KEY` to a live key, and `STRIPE_WEBHOOK_SECRET` to that of its endpoint, when \
                       you sell.";
            check(title, SetupState::Look, "Test mode: Stripe knows the key, and no money is taken.", fix)
        }
        Some((AccountAnswer::Refused, _)) => {
            let fix = "Make another key in Stripe’s dashboard, with the permissions that docs/settings.md names, and set \
                       `STRIPE_SECRET_KEY` to it.";
            check(title, SetupState::Wrong, "Stripe refuses the key: nobody can pay.", fix)
        }
        Some((AccountAnswer::Silent, _)) => {
            let fix = "Look at status.stripe.com, and let this server reach `api.stripe.com` on port 443.";
            check(title, SetupState::Wrong, "Stripe did not answer.", fix)
        }
    }
}

/// The check of the webhook; `None`: there is no account.
pub fn webhook(
    answer: Option<(AccountAnswer, bool)>,
    facts: &WebhookFacts,
    public_url: &str,
    now: NaiveDateTime,
) -> Option<SetupCheck> {
    let title = "Stripe’s webhook";
    let fix = "In Stripe’s dashboard add that endpoint with the events that docs/settings.md names, set \
               `STRIPE_WEBHOOK_SECRET` to its signing secret, and pay for a ticket.";
    let health = WebhookHealth::of(facts, now);
    let found = format!("{} The endpoint is `{public_url}/webhooks/stripe`.", health.words);
    match (answer, health.is_well) {
        (None, _) => None,
        (_, false) => Some(check(title, SetupState::Wrong, found, fix)),
        (_, true) if facts.newest.is_empty() => Some(check(title, SetupState::Look, found, fix)),
        (_, true) => Some(check(title, SetupState::Right, found, "")),
    }
}
