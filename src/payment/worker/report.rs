//! What a question to Stripe came to, for the worker.

use crate::events::Stock;
use crate::payment::stripe::failure::StripeFailure;

/// What a call came to.
#[derive(Debug, Default)]
pub struct CallReport {
    /// What is left of ticket types that have changed.
    pub stock: Vec<Stock>,
    /// A mail was queued.
    pub is_mail_queued: bool,
    /// The outage that the call met. `None`: there was none.
    pub failure: Option<StripeFailure>,
    /// Stripe was not asked, so the call says nothing about an outage.
    pub is_unasked: bool,
}

impl CallReport {
    /// The report of a call that failed. Only an outage is reported: a refusal is an answer.
    pub(super) fn of(failure: StripeFailure) -> Self {
        let failure = Some(failure).filter(StripeFailure::is_outage);
        Self { failure, ..Self::default() }
    }

    /// The report of a call that did not have to ask Stripe.
    pub(super) fn unasked() -> Self {
        Self { is_unasked: true, ..Self::default() }
    }
}
