//! What the forms about a concert and its ticket types share: the fields as they were typed, what is wrong with each,
//! and how that is said.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use chrono_tz::Tz;

use crate::events::editing::local_time::{self, TimeChoice};
use crate::events::editing::{ChangeRefusal, FieldFaults, TypedFields};

/// The fields of a form, as a page shows them.
#[derive(Default)]
pub struct FormFields {
    pub typed: TypedFields,
    pub faults: FieldFaults,
    /// What is wrong with the form as a whole.
    pub refusal: Option<String>,
    /// The version of the facts that the page shows; 0: there are none yet.
    pub version: i64,
}

impl FormFields {
    #[must_use]
    pub fn new(typed: TypedFields, version: i64) -> Self {
        Self { typed, version, ..Self::default() }
    }

    /// The field's value.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.typed.value(field)
    }

    /// What is wrong with the field.
    #[must_use]
    pub fn error(&self, field: &str) -> Option<String> {
        self.faults.of(field)
    }

    /// The ids of the field's hint and error, for `aria-describedby`.
    #[must_use]
    pub fn described_by(&self, field: &str, has_hint: bool) -> Option<String> {
        let hint = has_hint.then(|| format!("{field}-hint"));
        let error = self.error(field).map(|_| format!("{field}-error"));
        let ids: Vec<String> = [hint, error].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// What to choose from when the field's time exists twice on the venue's clock.
    #[must_use]
    pub fn choices(&self, field: &str, zone: &str) -> Vec<TimeChoice> {
        let zone: Tz = local_time::read_zone(zone.trim()).unwrap_or(Tz::UTC);
        local_time::choices(self.value(field), zone)
    }

    #[must_use]
    pub fn is_chosen(&self, field: &str, choice: &TimeChoice) -> bool {
        self.value(&format!("{field}_offset")) == choice.offset
    }

    /// Says a refusal where it belongs: beside a field, or above the form.
    pub fn refuse(&mut self, refusal: &ChangeRefusal) {
        match refusal.words() {
            (Some(field), sentence) => self.faults.add(field, sentence),
            (None, sentence) => self.refusal = Some(sentence),
        }
    }
}

/// The version of the facts that a form was shown with.
#[must_use]
pub fn shown_version(typed: &HashMap<String, String>) -> Option<i64> {
    typed.get("facts_version").and_then(|version| version.parse().ok())
}

/// The status of a refusal.
#[must_use]
pub fn status_of(refusal: &ChangeRefusal) -> StatusCode {
    if refusal.is_correctable() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT }
}
