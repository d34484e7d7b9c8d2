//! Fields as they were typed, and what is wrong with them.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::local_time;
use crate::booking::buyer::is_visible;
use crate::guard::typed_number;
use crate::money::{Money, decimals};

/// Guards sums against overflow: a price of at most ten million dollars.
const PRICE_MAX_MINOR: i64 = 1_000_000_000;

/// The values of a form's fields, by their names. A field that nobody has typed into has the value that it was shown
/// with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedFields(BTreeMap<&'static str, String>);

impl TypedFields {
    /// With these values.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// The field's value; empty if there is none.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    #[must_use]
    pub fn is_checked(&self, field: &str) -> bool {
        matches!(self.value(field), "true" | "on" | "1")
    }

    pub fn set(&mut self, field: &'static str, value: impl Into<String>) {
        self.0.insert(field, value.into());
    }

    /// Takes over what was typed. A field that was not sent keeps its value.
    pub fn fill_in(&mut self, names: &[&'static str], typed: &HashMap<String, String>) {
        for name in names {
            if let Some(value) = typed.get(*name) {
                self.set(name, value.clone());
            }
        }
    }

    /// Takes over checkboxes. A browser sends only those that are checked, so one that was not sent is not
    /// checked.
    pub fn fill_in_boxes(&mut self, names: &[&'static str], typed: &HashMap<String, String>) {
        for name in names {
            self.set(name, typed.get(*name).cloned().unwrap_or_default());
        }
    }
}

/// What is wrong with fields: a sentence for each, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldFaults(BTreeMap<&'static str, String>);

impl FieldFaults {
    pub fn add(&mut self, field: &'static str, fault: impl Into<String>) {
        self.0.entry(field).or_insert_with(|| fault.into());
    }

    /// What is wrong with that field.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<String> {
        self.0.get(field).cloned()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.0.iter().map(|(field, fault)| (*field, fault))
    }
}

/// Reads fields one after the other, and collects what is wrong.
pub(super) struct FieldReader<'a> {
    typed: &'a TypedFields,
    pub faults: FieldFaults,
}

impl<'a> FieldReader<'a> {
    pub fn new(typed: &'a TypedFields) -> Self {
        Self { typed, faults: FieldFaults::default() }
    }

    /// A time on that zone's clock, in UTC. One that exists twice has its offset in a field beside it.
    pub fn time(&mut self, field: &'static str, zone: Tz) -> Option<NaiveDateTime> {
        let offset = self.typed.value(&format!("{field}_offset")).trim();
        self.read(field, |it| local_time::read(it, offset, zone))
    }

    /// The field's value; when it is wrong, a default, and the fault is noted.
    pub fn read<T: Default>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        match parse(self.typed.value(field).trim()) {
            Ok(value) => value,
            Err(fault) => {
                self.faults.add(field, fault);
                T::default()
            }
        }
    }
}

/// A line of text, with single spaces.
pub(super) fn line(typed: &str, length_max: usize) -> Result<String, String> {
    let line = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    check(&line, length_max)?;
    Ok(line)
}

/// A line of text that must not be empty.
pub(super) fn required_line(typed: &str, length_max: usize, missing: &str) -> Result<String, String> {
    if typed.is_empty() { Err(missing.to_owned()) } else { line(typed, length_max) }
}

/// A text of several lines.
pub(super) fn text(typed: &str, length_max: usize) -> Result<String, String> {
    let text = typed.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    check(text, length_max)?;
    Ok(text.to_owned())
}

fn check(text: &str, length_max: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length > length_max {
        return Err(format!(
            "Use {} characters or fewer. These are {}.",
            crate::money::grouped(length_max),
            crate::money::grouped(length)
        ));
    }
    // Some scripts join letters with these invisible characters, and emoji are put together with them.
    let is_joiner = |c: char| matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}' | '\u{fe0e}');
    if text.chars().any(|c| !is_visible(c) && !c.is_whitespace() && !is_joiner(c)) {
        return Err("This contains invisible characters. Please retype it.".to_owned());
    }
    Ok(())
}

/// A whole number within limits; empty: none.
pub(super) fn optional_number(typed: &str, least: i32, most: i32) -> Result<Option<i32>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    match typed_number::whole(typed).and_then(|number| number.parse().ok()) {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(format!("Enter {least} to {}, or leave empty.", crate::money::grouped(most))),
    }
}

/// A whole number within limits.
pub(super) fn number(typed: &str, least: i32, most: i32) -> Result<i32, String> {
    match typed_number::whole(typed).and_then(|number| number.parse().ok()) {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("Enter a whole number from {least} to {}.", crate::money::grouped(most))),
    }
}

/// An amount as people type it, in the currency's minor unit: `10`, `10.5`, `1,000.00`, `$10`.
///
/// A fraction with more digits than the currency has is refused: `1.500` may be one and a half or fifteen hundred.
pub fn price(typed: &str, currency: &str) -> Result<i64, String> {
    let places = decimals(currency);
    let example = if places == 0 { "1000".to_owned() } else { format!("10 or 10.{}", "5".repeat(places)) };
    let bare = without_currency(typed, currency);
    let number = typed_number::decimal(bare).ok_or_else(|| {
        if typed.is_empty() {
            "Enter a price. 0 is free.".to_owned()
        } else {
            format!("Enter an amount like {example}.")
        }
    })?;
    if number.starts_with('-') {
        return Err("A price can’t be below 0.".to_owned());
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if fraction.len() > places {
        return Err(match places {
            0 => format!("{currency} has no decimals. Enter an amount like {example}."),
            _ => format!("{currency} has {places} decimals. Enter an amount like {example}."),
        });
    }
    let digits = format!("{whole}{fraction:0<places$}");
    match digits.parse::<i64>() {
        Ok(minor) if minor <= PRICE_MAX_MINOR => Ok(minor),
        _ => Err(format!("Enter at most {}.", Money::new(PRICE_MAX_MINOR, currency))),
    }
}

/// The amount without the currency's sign or code before or behind it.
fn without_currency<'a>(typed: &'a str, currency: &str) -> &'a str {
    let sign = Money::prefix(currency);
    for mark in [sign.trim_end_matches('\u{a0}'), currency, "$"] {
        let is_sign_of_others = mark == "$" && !sign.contains('$');
        if is_sign_of_others {
            continue;
        }
        if let Some(rest) = typed.strip_prefix(mark).or_else(|| typed.strip_suffix(mark)) {
            return rest.trim();
        }
    }
    typed
}

/// An amount as it stands in a field: `10.50`, `1000`.
#[must_use]
pub fn price_field(minor: i64, currency: &str) -> String {
    Money::new(minor, currency).number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_as_people_type_it() {
        for (typed, currency, minor) in [
            ("10", "USD", 1_000),
            ("10.5", "USD", 1_050),
            ("10,50", "EUR", 1_050),
            ("1,000.00", "USD", 100_000),
            ("1.000,00", "EUR", 100_000),
            ("1,500", "USD", 150_000),
            ("$10", "USD", 1_000),
            ("10 €", "EUR", 1_000),
            ("USD 10", "USD", 1_000),
            ("0", "USD", 0),
            (".5", "USD", 50),
            ("1000", "JPY", 1_000),
            ("¥1,200", "JPY", 1_200),
            ("12.345", "KWD", 12_345),
            ("12.5", "KWD", 12_500),
            ("٢٠", "USD", 2_000),
        ] {
            assert_eq!(price(typed, currency), Ok(minor), "{typed} {currency}");
        }
        for (typed, currency) in [
            ("", "USD"),
            ("-1", "USD"),
            ("free", "USD"),
            ("1.500", "USD"),
            ("10.999", "USD"),
            ("1.5", "JPY"),
            ("1.2345", "KWD"),
            ("99999999999", "USD"),
            ("99999999999999999999999", "USD"),
            ("10 €", "USD"),
        ] {
            price(typed, currency).expect_err(typed);
        }
    }

    #[test]
    fn lines_are_tidied_and_checked() {
        assert_eq!(line("  The   Night ", 80).as_deref(), Ok("The Night"));
        assert_eq!(line("夜".repeat(80).as_str(), 80).map(|it| it.chars().count()), Ok(80));
        line(&"x".repeat(81), 80).expect_err("too long");
        line("a\u{202e}b", 80).expect_err("it turns the direction");
        line("a\u{0}b", 80).expect_err("a control character");
        assert_eq!(line("नमस्\u{200d}ते 👩\u{200d}🎤", 80).as_deref(), Ok("नमस्\u{200d}ते 👩\u{200d}🎤"));
    }
}
