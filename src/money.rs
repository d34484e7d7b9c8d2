//! Money: integer cents with their currency, and how it is written.

use std::fmt;

/// An amount in hundredths of a currency's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    pub cents: i64,
    /// The ISO 4217 code.
    pub currency: String,
}

impl Money {
    #[must_use]
    pub fn new(cents: i64, currency: &str) -> Self {
        Self { cents, currency: currency.to_owned() }
    }

    /// Without the cents where there are none: "$100" on a price tag.
    #[must_use]
    pub fn short(&self) -> String {
        let text = self.to_string();
        text.replace(".00", "")
    }
}

/// As American English writes it: `$1,200.00`; a currency without a well-known sign keeps its code.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.cents < 0 { "-" } else { "" };
        let cents = self.cents.unsigned_abs();
        let (units, rest) = (with_thousands_separators(cents / 100), cents % 100);
        match self.currency.as_str() {
            "USD" => write!(f, "{sign}${units}.{rest:02}"),
            "EUR" => write!(f, "{sign}€{units}.{rest:02}"),
            "GBP" => write!(f, "{sign}£{units}.{rest:02}"),
            code => write!(f, "{sign}{code} {units}.{rest:02}"),
        }
    }
}

fn with_thousands_separators(units: u64) -> String {
    let digits = units.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let usd = |cents| Money::new(cents, "USD").to_string();
        assert_eq!(usd(0), "$0.00");
        assert_eq!(usd(20_000), "$200.00");
        assert_eq!(usd(123_456_789), "$1,234,567.89");
        assert_eq!(usd(-1_050), "-$10.50");
        assert_eq!(Money::new(999, "CHF").to_string(), "CHF 9.99");
        assert_eq!(Money::new(10_000, "USD").short(), "$100");
        assert_eq!(Money::new(1_050, "USD").short(), "$10.50");
    }
}
