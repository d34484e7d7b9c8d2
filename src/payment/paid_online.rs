//! What a buyer has paid online, and what becomes of it when tickets are given back.

use crate::money::Money;

/// What a buyer has paid online for a booking that has tickets, or had them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOnline {
    pub amount: Money,
    /// The sum of the refunds and disputes that have not failed, up to the amount that was paid.
    pub refunded: Money,
    /// Was to go back, and could not.
    pub failed: Money,
    /// Kept of each ticket that a buyer gives back. `None`: nothing is refunded.
    pub refund_fee_minor: Option<i64>,
    /// What was refunded on the provider's own pages. This site was only told of it, so the tickets stay
    /// valid.
    pub refunded_outside: Money,
    /// The buyer's bank has asked for the money, and has not lost.
    pub is_disputed: bool,
}

impl PaidOnline {
    /// What a buyer gets back for tickets of these prices.
    #[must_use]
    pub fn refund_of(&self, prices: impl IntoIterator<Item = i64>) -> Money {
        let left = self.amount.minor - self.refunded.minor;
        Money::new(refund_minor(self.refund_fee_minor, left, prices), &self.amount.currency)
    }

    /// What becomes of the money when a buyer gives back tickets, before they do. `prices`: of all that they may
    /// choose.
    #[must_use]
    pub fn terms(&self, prices: &[i64]) -> String {
        let paid = format!("You paid {} online.", self.amount);
        let Some(fee) = self.refund_fee_minor else {
            return format!("{paid} The organizer doesn’t refund tickets that buyers cancel.");
        };
        let back = self.refund_of(prices.iter().copied());
        let of_all = if prices.len() > 1 { " for all of them" } else { "" };
        let kept = match fee {
            0 => "The price of the tickets you cancel".to_owned(),
            fee => {
                let fee = Money::new(fee, &self.amount.currency);
                format!("The price of the tickets you cancel, less {fee} per ticket,")
            }
        };
        format!(
            "{paid} {kept} is refunded to your original payment method: {back}{of_all}. Banks take 5 to 10 days."
        )
    }

    /// What people at a gate and at the desk have to know of tickets that are valid. `None`: nothing.
    #[must_use]
    pub fn mark(&self) -> Option<String> {
        if self.is_disputed {
            return Some("Payment disputed: the buyer’s bank has asked for the money back".to_owned());
        }
        let (outside, amount) = (&self.refunded_outside, &self.amount);
        (outside.minor > 0).then(|| format!("Refunded at Stripe: {outside} of {amount}"))
    }

    /// What has become of the money after tickets were given back.
    #[must_use]
    pub fn words(&self) -> String {
        let (amount, refunded) = (&self.amount, &self.refunded);
        if self.failed.minor > 0 {
            let failed = &self.failed;
            return format!(
                "{failed} of the {amount} paid online could not be refunded to the original payment method. \
                 Please ask the organizer for it."
            );
        }
        match refunded.minor {
            0 => format!("None of the {amount} paid online is refunded."),
            minor if minor == amount.minor => {
                format!(
                    "The {amount} paid online is being refunded to the original payment method. Banks take 5 to 10 days."
                )
            }
            _ => format!(
                "{refunded} of the {amount} paid online is being refunded to the original payment method. Banks take 5 to 10 days."
            ),
        }
    }
}

/// Each ticket's price less the fee, and never more than is left.
pub(super) fn refund_minor(fee: Option<i64>, left: i64, prices: impl IntoIterator<Item = i64>) -> i64 {
    let back = fee.map_or(0, |fee| {
        prices.into_iter().fold(0_i64, |sum, price| sum.saturating_add((price - fee).max(0)))
    });
    back.min(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_go_back_is_not_called_refunded() {
        let money = |minor| Money::new(minor, "USD");
        let paid = |refunded, failed| PaidOnline {
            amount: money(20_000),
            refunded: money(refunded),
            failed: money(failed),
            refund_fee_minor: Some(0),
            refunded_outside: money(0),
            is_disputed: false,
        };
        assert_eq!(paid(0, 0).words(), "None of the $200.00 paid online is refunded.");
        assert!(paid(20_000, 0).words().starts_with("The $200.00 paid online is being refunded"));
        assert!(paid(9_749, 0).words().starts_with("$97.49 of the $200.00 paid online is being refunded"));
        let failed = paid(0, 9_749).words();
        assert!(failed.starts_with("$97.49 of the $200.00") && failed.contains("could not be refunded"));
    }
}
