//! What waits for Stripe, as gauges: each way in which payments can stall has one.

use prometheus_client::registry::Registry;

use super::{Labeled, gauge, seconds, set};
use crate::payment::store::backlog::PaymentBacklog;

/// For the whole site: every server reports the same.
pub(super) fn add(now: &mut Registry, backlog: &PaymentBacklog) {
    let payments = Labeled::default();
    for (state, count) in [("wanted", backlog.wanted), ("open", backlog.open), ("review", backlog.in_review)]
    {
        set(&payments, "state", state, count as f64);
    }
    let help = "Payments online: waiting for their page, on their page, or for people to look at";
    now.register("payments", help, payments);
    let refunds = Labeled::default();
    set(&refunds, "state", "waiting", backlog.refunds_wanted as f64);
    set(&refunds, "state", "disputed", backlog.disputes as f64);
    now.register(
        "refunds",
        "Refunds that Stripe has not accepted, and disputes that are not decided",
        refunds,
    );
    let help = "Events of Stripe's that wait to be handled";
    gauge(now, "payment_events_waiting", help, backlog.events_waiting as f64);
    let ages = &backlog.ages;
    let help = "How long the first buyer in line has waited for a payment page";
    seconds(now, "payment_oldest_wanted", help, ages.wanted);
    let help = "Time since the end of the oldest payment page whose outcome is unknown";
    seconds(now, "payment_page_overdue", help, ages.overdue_page);
    seconds(
        now,
        "refund_oldest_waiting",
        "Age of the oldest refund that Stripe has not accepted",
        ages.refund,
    );
    let help = "How long the oldest Stripe event has been overdue";
    seconds(now, "payment_event_overdue", help, ages.event);
    let help = "Age of the oldest payment page that is newer than the last webhook";
    seconds(now, "payment_webhook_silence", help, ages.webhook_silence);
    let help = "Time since Stripe's list of events was last read, while buyers pay";
    seconds(now, "payment_reconciliation_age", help, ages.reconciled);
}
