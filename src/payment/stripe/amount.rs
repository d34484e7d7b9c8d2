//! Amounts as Stripe counts them. Its smallest units differ from ISO 4217 for some currencies.

/// Whole units at ISO, hundredths at Stripe, which takes whole ones only.
const HUNDREDTHS_AT_STRIPE: [&str; 2] = ["ISK", "UGX"];
/// Thousandths, of which Stripe takes those that end in 0.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// Currencies that have other decimals than hundredths or none, or that Stripe does not take.
const NOT_TAKEN: [&str; 5] = ["CLF", "IQD", "LYD", "UYI", "UYW"];
/// Hundredths at ISO, whole units at Stripe.
const WHOLE_AT_STRIPE: &str = "MGA";

/// Our minor units as Stripe's. `None`: Stripe cannot be asked for this amount.
#[must_use]
pub fn to_stripe(minor: i64, currency: &str) -> Option<i64> {
    match currency {
        _ if NOT_TAKEN.contains(&currency) => None,
        _ if HUNDREDTHS_AT_STRIPE.contains(&currency) => minor.checked_mul(100),
        _ if THOUSANDTHS.contains(&currency) => (minor % 10 == 0).then_some(minor),
        WHOLE_AT_STRIPE => (minor % 100 == 0).then_some(minor / 100),
        _ => Some(minor),
    }
}

/// Stripe's units as our minor units. `None`: it is no whole number of them.
#[must_use]
pub fn of_stripe(amount: i64, currency: &str) -> Option<i64> {
    match currency {
        _ if NOT_TAKEN.contains(&currency) => None,
        _ if HUNDREDTHS_AT_STRIPE.contains(&currency) => (amount % 100 == 0).then_some(amount / 100),
        WHOLE_AT_STRIPE => amount.checked_mul(100),
        _ => Some(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_where_they_differ() {
        for (minor, currency, amount) in [
            (21_000, "USD", Some(21_000)),
            (1_200, "JPY", Some(1_200)),
            (1_200, "ISK", Some(120_000)),
            (1_200, "UGX", Some(120_000)),
            (12_340, "KWD", Some(12_340)),
            (12_345, "KWD", None),
            (50_000, "MGA", Some(500)),
            (50_050, "MGA", None),
            (1, "CLF", None),
            (i64::MAX, "ISK", None),
        ] {
            assert_eq!(to_stripe(minor, currency), amount, "{minor} {currency}");
            if let Some(amount) = amount {
                assert_eq!(of_stripe(amount, currency), Some(minor), "{amount} {currency}");
            }
        }
        assert_eq!(of_stripe(150, "ISK"), None);
    }
}
