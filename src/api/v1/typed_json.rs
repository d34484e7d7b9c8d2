//! The fields of a concert or a ticket type as JSON has them, read into the fields that a form sends: both are checked
//! by the same rules of `events::editing`.

use serde_json::{Map, Value};

use crate::api::body::whole_number;
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::events::editing::typed::price_field;
use crate::events::editing::{ChangeRefusal, FieldFaults, NO_REFUND, TypedFields};

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// Null is the same as empty.
    Text,
    /// A time. Its offset has a field of its own in a form.
    Time { offset: &'static str },
    /// An integer; null is none.
    Number,
    /// The form has a box for the opposite.
    UncheckedBox,
    /// An object with `cents`, or a text as a form has it.
    Price,
    /// Like `Price`, but null means that nothing is refunded, not that the field is empty.
    Fee,
}

/// A field: its name in JSON and in a form.
#[derive(Debug, Clone, Copy)]
pub struct JsonField {
    pub name: &'static str,
    pub form: &'static str,
    pub kind: JsonKind,
}

/// Shortens the tables.
pub const fn field(name: &'static str, form: &'static str, kind: JsonKind) -> JsonField {
    JsonField { name, form, kind }
}

/// What a body may hold.
pub struct JsonFields {
    pub table: &'static [JsonField],
    /// Names that are no fields of the form, and are read elsewhere.
    pub others: &'static [&'static str],
}

impl JsonFields {
    /// Copies the fields that the body names. `currency`: that of prices and fees, unless the body has another one.
    ///
    /// # Errors
    /// One for each field that is unknown or of the wrong type.
    pub fn fill_in(
        &self,
        typed: &mut TypedFields,
        body: &Map<String, Value>,
        currency: &str,
    ) -> Result<(), Problem> {
        let sent = body.get("currency").and_then(Value::as_str).map(|it| it.trim().to_ascii_uppercase());
        let currency = sent.as_deref().unwrap_or(currency);
        let mut errors = Vec::new();
        for (name, value) in body {
            match self.table.iter().find(|field| field.name == name) {
                Some(field) => {
                    if let Err(wrong) = field.fill_in(typed, value, currency) {
                        errors.push(FieldError::in_body(name, wrong));
                    }
                }
                None if self.others.contains(&name.as_str()) => {}
                None => errors.push(FieldError::in_body(&escaped(name), self.unknown(name))),
            }
        }
        refuse(errors)
    }

    fn unknown(&self, name: &str) -> String {
        let meant = self.table.iter().find(|field| field.form == name);
        let hint = meant.map(|field| format!(" Use {}.", field.name));
        format!("There is no such field.{}", hint.unwrap_or_default())
    }

    /// The problem of fields that are wrong, as the form says it.
    pub fn problem(&self, faults: &FieldFaults) -> Problem {
        let errors =
            faults.iter().map(|(form, fault)| FieldError::in_body(self.name_of(form), fault.as_str()));
        Problem::new(ProblemType::InvalidRequest).with_errors(errors.collect())
    }

    /// The problem of a change that was refused.
    pub fn refusal(&self, refusal: &ChangeRefusal) -> Problem {
        let (form, words) = refusal.words();
        let kind = match refusal {
            ChangeRefusal::ChangedMeanwhile => return Problem::new(ProblemType::ChangedMeanwhile),
            _ if refusal.is_correctable() => ProblemType::InvalidRequest,
            _ => ProblemType::ChangeRefused,
        };
        let errors = form.map(|form| FieldError::in_body(self.name_of(form), words.as_str()));
        Problem::new(kind).with_detail(words).with_errors(errors.into_iter().collect())
    }

    /// A form's field by its name in JSON.
    pub fn name_of(&self, form: &'static str) -> &'static str {
        self.table.iter().find(|field| field.form == form).map_or(form, |field| field.name)
    }
}

impl JsonField {
    fn fill_in(&self, typed: &mut TypedFields, value: &Value, currency: &str) -> Result<(), &'static str> {
        let value = match (self.kind, value) {
            (JsonKind::UncheckedBox, Value::Bool(is_on)) => if *is_on { "" } else { "true" }.to_owned(),
            (JsonKind::UncheckedBox, _) => return Err("Use true or false."),
            (JsonKind::Fee, Value::Null) => NO_REFUND.to_owned(),
            (_, Value::Null) => String::new(),
            (JsonKind::Text | JsonKind::Price | JsonKind::Fee, Value::String(text)) => text.clone(),
            (JsonKind::Time { offset }, Value::String(text)) => {
                typed.set(offset, "");
                text.clone()
            }
            (JsonKind::Number, number) => whole_number(number).ok_or("Use a whole number.")?.to_string(),
            (JsonKind::Price | JsonKind::Fee, Value::Object(amount)) => price_of(amount, currency)?,
            (JsonKind::Price | JsonKind::Fee, _) => {
                return Err("Use an amount, like {\"cents\": 1000}, or a string, like \"10.00\".");
            }
            _ => return Err("Use a string."),
        };
        typed.set(self.form, value);
        Ok(())
    }
}

fn price_of(amount: &Map<String, Value>, currency: &str) -> Result<String, &'static str> {
    if amount.keys().any(|key| key != "cents" && key != "currency") {
        return Err("An amount has cents and a currency, and nothing else.");
    }
    if amount.get("currency").is_some_and(|it| it != currency) {
        return Err("A price is in the currency of its concert.");
    }
    let cents = amount.get("cents").and_then(whole_number).filter(|cents| *cents >= 0);
    cents.map(|cents| price_field(cents, currency)).ok_or("cents is a whole number from 0.")
}

/// For a JSON Pointer (RFC 6901, section 3). A long name is cut off.
fn escaped(name: &str) -> String {
    name.chars().take(64).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// # Errors
/// The problem, if there is any error.
pub fn refuse(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::new(ProblemType::InvalidRequest).with_errors(errors))
}
