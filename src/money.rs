//! Money: an integer in the currency's minor unit, and how it is written.

use std::fmt;

/// An amount in the minor unit of its currency: cents for USD, whole yen for JPY, thousandths for KWD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    pub minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
}

/// Currencies whose minor unit is not a hundredth, with the number of their decimals (ISO 4217, list one).
const DECIMALS: [(&str, usize); 25] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
];

/// How many decimals a currency has.
#[must_use]
pub fn decimals(currency: &str) -> usize {
    DECIMALS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, decimals)| *decimals)
}

impl Money {
    #[must_use]
    pub fn new(minor: i64, currency: &str) -> Self {
        Self { minor, currency: currency.to_owned() }
    }

    /// For a price tag: `$100`, and `$10.50`.
    #[must_use]
    pub fn short(&self) -> String {
        let text = self.to_string();
        match text.split_once('.') {
            Some((units, decimals)) if decimals.bytes().all(|digit| digit == b'0') => units.to_owned(),
            _ => text,
        }
    }

    /// The bare number, for a spreadsheet: `1234.05`.
    #[must_use]
    pub fn number(&self) -> String {
        let (sign, units, decimals) = self.parts();
        if decimals.is_empty() { format!("{sign}{units}") } else { format!("{sign}{units}.{decimals}") }
    }

    /// The sign, the units, and the decimals, of which there may be none.
    fn parts(&self) -> (&'static str, u64, String) {
        let width = decimals(&self.currency);
        let scale = 10_u64.pow(u32::try_from(width).unwrap_or_default());
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        let decimals = if width == 0 { String::new() } else { format!("{:0width$}", minor % scale) };
        (sign, minor / scale, decimals)
    }
}

/// As American English writes it: `$1,200.00`, `¥1,200`; a currency without a well-known sign keeps its code.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units, decimals) = self.parts();
        let point = if decimals.is_empty() { "" } else { "." };
        let units = with_thousands_separators(units);
        match self.currency.as_str() {
            "USD" => write!(f, "{sign}${units}{point}{decimals}"),
            "EUR" => write!(f, "{sign}€{units}{point}{decimals}"),
            "GBP" => write!(f, "{sign}£{units}{point}{decimals}"),
            "JPY" => write!(f, "{sign}¥{units}"),
            code => write!(f, "{sign}{code} {units}{point}{decimals}"),
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
        let usd = |minor| Money::new(minor, "USD").to_string();
        assert_eq!(usd(0), "$0.00");
        assert_eq!(usd(20_000), "$200.00");
        assert_eq!(usd(123_456_789), "$1,234,567.89");
        assert_eq!(usd(-1_050), "-$10.50");
        assert_eq!(Money::new(999, "CHF").to_string(), "CHF 9.99");
        assert_eq!(Money::new(1_200, "JPY").to_string(), "¥1,200");
        assert_eq!(Money::new(12_345, "KWD").to_string(), "KWD 12.345");
        assert_eq!(Money::new(10_000, "USD").short(), "$100");
        assert_eq!(Money::new(1_050, "USD").short(), "$10.50");
        assert_eq!(Money::new(12_000, "KWD").short(), "KWD 12");
        assert_eq!(Money::new(1_200, "JPY").short(), "¥1,200");
    }

    #[test]
    fn a_spreadsheet_gets_the_bare_number() {
        assert_eq!(Money::new(123_405, "USD").number(), "1234.05");
        assert_eq!(Money::new(-5, "USD").number(), "-0.05");
        assert_eq!(Money::new(1_234, "JPY").number(), "1234");
        assert_eq!(Money::new(5, "KWD").number(), "0.005");
    }
}
