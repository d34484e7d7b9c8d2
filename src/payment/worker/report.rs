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
    /// Stripe has answered, or it has not.
    pub failure: Option<StripeFailure>,
}

impl CallReport {
    /// A call that was not answered.
    pub(super) fn of(failure: StripeFailure) -> Self {
        let failure = Some(failure).filter(StripeFailure::is_outage);
        Self { failure, ..Self::default() }
    }
}
