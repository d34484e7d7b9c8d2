//! A length of time as people type it, `24`, `1.5`, `1½`, `1:30`, `1 h 30 min`, and as it is shown again.

use crate::guard::typed_number::{self, is_ambiguous};

/// The error beside the field.
const FORMS: &str = "Enter hours, like 24, 1.5 or 1:30.";

/// Fractions that have a character of their own, in sixtieths.
const FRACTIONS: [(char, i32); 11] = [
    ('½', 30),
    ('¼', 15),
    ('¾', 45),
    ('⅓', 20),
    ('⅔', 40),
    ('⅕', 12),
    ('⅖', 24),
    ('⅗', 36),
    ('⅘', 48),
    ('⅙', 10),
    ('⅚', 50),
];

/// Minutes as hours: "24", "1.5", "0:10".
pub fn shown(minutes: i32) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match rest {
        0 => hours.to_string(),
        // Exact with two decimals: three minutes are 0.05 hours.
        _ if rest % 3 == 0 => format!("{hours}.{:02}", rest * 5 / 3).trim_end_matches('0').to_owned(),
        _ => format!("{hours}:{rest:02}"),
    }
}

/// The minutes that were typed, as hours or with a unit.
///
/// # Errors
/// What to type instead.
pub fn parse(typed: &str) -> Result<f64, String> {
    let text = typed_number::plain(typed).to_lowercase();
    if let Some((hours, minutes)) = text.split_once(':') {
        return clock(hours, minutes).ok_or_else(|| FORMS.to_owned());
    }
    let (mut rest, mut total, mut unit_before) = (text.as_str(), 0.0, None);
    loop {
        let (number, tail) = rest.split_at(rest.find(char::is_alphabetic).unwrap_or(rest.len()));
        let (word, tail) = tail.split_at(tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len()));
        let unit = unit(word, unit_before).ok_or(FORMS)?;
        total += quantity(number.trim())? * unit;
        rest = tail.trim_start_matches(['.', ' ']);
        if rest.is_empty() {
            return Ok(total);
        }
        if word.is_empty() || unit_before.is_some() {
            return Err(FORMS.to_owned());
        }
        unit_before = Some(unit);
    }
}

/// The minutes in a unit. A number without a unit means hours, or minutes if it follows hours.
fn unit(word: &str, before: Option<f64>) -> Option<f64> {
    match (word, before) {
        ("" | "m" | "min" | "mins" | "minute" | "minutes", Some(60.0)) => Some(1.0),
        ("" | "h" | "hr" | "hrs" | "hour" | "hours", None) => Some(60.0),
        ("h" | "hr" | "hrs" | "hour" | "hours", Some(1440.0)) => Some(60.0),
        ("m" | "min" | "mins" | "minute" | "minutes", _) => Some(1.0),
        ("d" | "day" | "days", None) => Some(1440.0),
        _ => None,
    }
}

fn clock(hours: &str, minutes: &str) -> Option<f64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let minutes: f64 = Some(minutes).filter(|it| it.len() == 2 && is_digits(it))?.parse().ok()?;
    let hours: f64 = Some(hours).filter(|it| is_digits(it))?.parse().ok()?;
    (minutes < 60.0).then_some(hours * 60.0 + minutes)
}

fn quantity(number: &str) -> Result<f64, String> {
    let part = FRACTIONS.iter().find(|(sign, _)| number.ends_with(*sign));
    let whole = part.map_or(number, |(sign, _)| number.strip_suffix(*sign).unwrap_or(number).trim());
    if part.is_none() && is_ambiguous(number) {
        let (thousands, fraction) = (number.replace(['.', ','], ""), number.replace(',', "."));
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        return Err(format!("This may be {fraction} or {thousands}. Enter one of these."));
    }
    let read = match part {
        Some(_) if whole.is_empty() => Some("0".to_owned()),
        Some(_) => typed_number::whole(whole),
        None => typed_number::decimal(whole),
    };
    let number: f64 = read.and_then(|read| read.parse().ok()).ok_or(FORMS)?;
    Ok(number + part.map_or(0.0, |(_, sixtieths)| f64::from(*sixtieths) / 60.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deadline_is_shown_as_it_can_be_typed() {
        for minutes in 0..=10_000 {
            let typed = shown(minutes);
            assert!(typed.len() <= 6, "{typed}");
            let read = parse(&typed).expect("valid").round();
            assert!((read - f64::from(minutes)).abs() < 0.1, "{minutes}: {typed} is {read}");
        }
        for (minutes, text) in
            [(10, "0:10"), (90, "1.5"), (15, "0.25"), (1440, "24"), (63, "1.05"), (600, "10")]
        {
            assert_eq!(shown(minutes), text);
        }
    }

    #[test]
    fn hours_are_read_as_people_type_them() {
        for (typed, minutes) in [
            ("24", 1440.0),
            ("24h", 1440.0),
            ("1½", 90.0),
            ("½", 30.0),
            ("1 ¾ h", 105.0),
            ("1:30", 90.0),
            ("١:٣٠", 90.0),
            ("1：30", 90.0),
            ("1.5 h", 90.0),
            ("1,5 hours", 90.0),
            ("1·5", 90.0),
            ("90 min", 90.0),
            ("90min.", 90.0),
            ("1 h 30 min", 90.0),
            ("1h30", 90.0),
            ("2 days", 2880.0),
            ("1 d 12 h", 2160.0),
            ("0.125", 7.5),
            ("1500", 90_000.0),
        ] {
            assert_eq!(parse(typed), Ok(minutes), "{typed:?}");
        }
        for typed in [
            "a day",
            "NaN",
            "inf",
            "1e9",
            "1:3",
            "1:60",
            ":30",
            "1 30",
            "h",
            "½½",
            "1 h 2 h",
            "30 min 1 h",
            "",
        ] {
            assert_eq!(parse(typed), Err(FORMS.to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn what_may_mean_two_numbers_is_asked_for() {
        for typed in ["1,500", "1.500", "１．５００", "1.500 h"] {
            assert_eq!(
                parse(typed),
                Err("This may be 1.5 or 1500. Enter one of these.".to_owned()),
                "{typed:?}"
            );
        }
        assert_eq!(parse("1,000"), Err("This may be 1 or 1000. Enter one of these.".to_owned()));
    }
}
