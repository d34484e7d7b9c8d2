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
const DECIMALS: [(&str, usize); 26] = [
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
    ("XPF", 0),
];

/// The sign before an amount, for the currencies that American English has a sign for that is not only letters (CLDR).
/// All others are written with their code.
const SIGNS: [(&str, &str); 18] = [
    ("AUD", "A$"),
    ("BRL", "R$"),
    ("CAD", "CA$"),
    ("CNY", "CN¥"),
    ("EUR", "€"),
    ("GBP", "£"),
    ("HKD", "HK$"),
    ("ILS", "₪"),
    ("INR", "₹"),
    ("JPY", "¥"),
    ("KRW", "₩"),
    ("MXN", "MX$"),
    ("NZD", "NZ$"),
    ("PHP", "₱"),
    ("TWD", "NT$"),
    ("USD", "$"),
    ("VND", "₫"),
    ("XCD", "EC$"),
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

    /// For a price tag: `$100.00`, or `Free`.
    #[must_use]
    pub fn tag(&self) -> String {
        if self.minor == 0 { "Free".into() } else { self.to_string() }
    }

    /// The text before the number: `$`, or the code and a no-break space. Scripts that write a total use it,
    /// and [`decimals`], so that page and script agree.
    #[must_use]
    pub fn prefix(currency: &str) -> String {
        match SIGNS.iter().find(|(code, _)| *code == currency) {
            Some((_, sign)) => (*sign).to_owned(),
            None => format!("{currency}\u{a0}"),
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
        write!(f, "{sign}{}{}{point}{decimals}", Self::prefix(&self.currency), grouped(units))
    }
}

/// A whole number with a comma between thousands: `1,300`.
pub fn grouped(number: impl fmt::Display) -> String {
    let number = number.to_string();
    let (sign, digits) = number.split_at(usize::from(number.starts_with('-')));
    let mut text = sign.to_owned();
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
        assert_eq!(Money::new(999, "CHF").to_string(), "CHF\u{a0}9.99");
        assert_eq!(Money::new(1_200, "JPY").to_string(), "¥1,200");
        assert_eq!(Money::new(12_345, "KWD").to_string(), "KWD\u{a0}12.345");
        assert_eq!(Money::new(-12_345, "XPF").to_string(), "-XPF\u{a0}12,345");
        assert_eq!(Money::new(12_345, "BRL").to_string(), "R$123.45");
        assert_eq!(Money::new(10_000, "USD").tag(), "$100.00", "as on the button and on the ticket");
        assert_eq!(Money::new(0, "KWD").tag(), "Free");
    }

    #[test]
    fn counts_have_a_comma_between_thousands() {
        let counts = [0, 999, 1_000, 1_300_000, -1_300];
        assert_eq!(counts.map(grouped), ["0", "999", "1,000", "1,300,000", "-1,300"]);
    }

    #[test]
    fn a_spreadsheet_gets_the_bare_number() {
        assert_eq!(Money::new(123_405, "USD").number(), "1234.05");
        assert_eq!(Money::new(-5, "USD").number(), "-0.05");
        assert_eq!(Money::new(1_234, "JPY").number(), "1234");
        assert_eq!(Money::new(5, "KWD").number(), "0.005");
    }
}
