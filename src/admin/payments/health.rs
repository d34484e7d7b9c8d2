//! Whether the provider's webhook reaches this site. Without it the site still notices payments, because it
//! asks the provider, but later: a refund that was made in the provider's dashboard is noticed after an hour.

use chrono::{NaiveDateTime, TimeDelta};

use crate::admin::store::payments::WebhookFacts;

/// An event this late counts as not sent by the webhook: the hourly look at Stripe's list found it.
const LATE: TimeDelta = TimeDelta::minutes(2);
/// For this long after a payment page was opened, no event needs to have arrived.
const EVENTS_LATE_AFTER: TimeDelta = TimeDelta::hours(1);

/// A line about the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHealth {
    pub is_well: bool,
    pub words: String,
}

impl WebhookHealth {
    /// `now`: UTC.
    #[must_use]
    pub fn of(facts: &WebhookFacts, now: NaiveDateTime) -> Self {
        let by_webhook = facts.newest.iter().filter(|(happened, received)| *received - *happened < LATE);
        let last_by_webhook = by_webhook.map(|(_, received)| *received).max();
        let unwell = |words: &str| Self { is_well: false, words: words.to_owned() };
        match (last_by_webhook, facts.last_opened) {
            (_, None) if facts.newest.is_empty() => {
                Self { is_well: true, words: "Nobody has paid online yet.".to_owned() }
            }
            (None, _)
                if facts.newest.is_empty()
                    && facts.last_opened.is_some_and(|at| now - at < EVENTS_LATE_AFTER) =>
            {
                Self { is_well: true, words: "No news from Stripe yet.".to_owned() }
            }
            (None, _) if facts.newest.is_empty() => unwell(
                "Buyers have paid, but Stripe has sent this site no events, so payments show up late. Check the \
                 webhook’s address and STRIPE_WEBHOOK_SECRET.",
            ),
            (None, _) => unwell(
                "Stripe’s last events came only when we asked, so payments show up late. Check the webhook’s \
                 address and STRIPE_WEBHOOK_SECRET.",
            ),
            (Some(last), _) => {
                let waiting = match facts.waiting {
                    0 => String::new(),
                    1 => " 1 is waiting to be processed.".to_owned(),
                    n => format!(" {} are waiting to be processed.", crate::money::grouped(n)),
                };
                Self {
                    is_well: true,
                    words: format!("Stripe’s last event came {}.{waiting}", ago(now - last)),
                }
            }
        }
    }
}

/// "3 minutes ago"
fn ago(passed: TimeDelta) -> String {
    let counted = |n: i64, unit: &str| format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" });
    match passed.num_minutes() {
        ..1 => "just now".to_owned(),
        minutes @ 1..60 => counted(minutes, "minute"),
        minutes @ 60..2_880 => counted(minutes / 60, "hour"),
        minutes => counted(minutes / 1_440, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> NaiveDateTime {
        NaiveDateTime::default() + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_webhook_that_is_silent_or_late_is_told() {
        let of = |newest: &[(i64, i64)], opened: Option<i64>, now| {
            let newest = newest.iter().map(|(happened, received)| (at(*happened), at(*received))).collect();
            let facts = WebhookFacts { newest, waiting: 0, last_opened: opened.map(at) };
            WebhookHealth::of(&facts, at(now))
        };
        assert_eq!(
            of(&[], None, 0),
            WebhookHealth { is_well: true, words: "Nobody has paid online yet.".into() }
        );
        assert!(of(&[], Some(0), 30).is_well);
        assert!(!of(&[], Some(0), 61).is_well, "an hour, and no word");
        assert!(!of(&[(0, 50), (10, 50)], Some(0), 60).is_well, "found by asking");
        let well = of(&[(0, 50), (57, 57)], Some(0), 60);
        assert!(well.is_well && well.words == "Stripe’s last event came 3 minutes ago.", "{well:?}");
        assert_eq!(of(&[(0, 0)], Some(0), 60).words, "Stripe’s last event came 1 hour ago.");
        assert_eq!(ago(TimeDelta::days(3)), "3 days ago");
    }
}
