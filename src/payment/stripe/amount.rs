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

/// The least that Stripe takes, in our minor units, where it is another number than 50.
const LEAST: [(&str, i64); 17] = [
    ("AED", 200),
    ("BGN", 100),
    ("CZK", 1_500),
    ("DKK", 250),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("THB", 1_000),
    ("KWD", 150),
    ("BHD", 190),
    ("OMR", 190),
];
/// The most: eight digits.
const MOST_AT_STRIPE: i64 = 99_999_999;

/// Why a price cannot be paid for online. What is free is not paid for.
#[must_use]
pub fn fault_of_price(minor: i64, currency: &str) -> Option<&'static str> {
    let least = LEAST.iter().find(|(name, _)| *name == currency).map_or(50, |(_, least)| *least);
    match to_stripe(minor, currency) {
        _ if minor == 0 => None,
        _ if minor < least => {
            Some("Such a small amount can’t be paid for online: set a higher price, or none.")
        }
        None if NOT_TAKEN.contains(&currency) => Some("Stripe takes no payments in this currency."),
        None => Some("Stripe can’t take this amount in this currency: round the price."),
        Some(amount) if amount > MOST_AT_STRIPE => Some("Such a large amount can’t be paid for online."),
        Some(_) => None,
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

    #[test]
    fn a_price_is_one_that_stripe_takes() {
        for (minor, currency, is_taken) in [
            (0, "USD", true),
            (49, "USD", false),
            (50, "USD", true),
            (299, "SEK", false),
            (300, "SEK", true),
            (17_499, "HUF", false),
            (30, "GBP", true),
            (49, "JPY", false),
            (99_999_999, "USD", true),
            (100_000_000, "USD", false),
            (12_345, "KWD", false),
            (12_340, "KWD", true),
            (50_050, "MGA", false),
            (1_000, "CLF", false),
        ] {
            assert_eq!(fault_of_price(minor, currency).is_none(), is_taken, "{minor} {currency}");
        }
    }
}
