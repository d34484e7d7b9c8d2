//! The form that corrects a buyer's name or address, and what it says when it is shown again.

use actix_web::http::StatusCode;
use serde::Deserialize;

use super::{ADDRESSES_MAX, CorrectionOutcome};
use crate::booking::buyer::{parse_email, parse_name, shown_email, suggest_email};
use crate::booking::{PlacedBooking, messages};

/// The fields as a browser sends them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CorrectionForm {
    pub name: String,
    pub email: String,
    /// Not empty: the address that was [suggested](suggest_email) is the right one.
    pub use_suggestion: String,
}

/// What the page that corrects shows, to the buyer and to the organizer.
pub struct CorrectionQuestion {
    pub placed: PlacedBooking,
    pub form: CorrectionForm,
    pub name_error: Option<String>,
    pub email_error: Option<String>,
    /// Why nothing can be corrected.
    pub refusal: Option<String>,
    pub status: StatusCode,
}

impl CorrectionQuestion {
    /// With the booking's name and address as they are now. `use_suggestion`: with the suggested address
    /// instead of the present one.
    #[must_use]
    pub fn of(placed: PlacedBooking, use_suggestion: bool) -> Self {
        let shown = placed.booking.shown_email();
        let email = placed.suggested_email().filter(|_| use_suggestion).unwrap_or(shown);
        let name = placed.booking.buyer_name.clone();
        let form = CorrectionForm { name, email, ..CorrectionForm::default() };
        Self { placed, form, name_error: None, email_error: None, refusal: None, status: StatusCode::OK }
    }

    /// The name and the address that were typed. `None`: the errors stand beside the fields.
    pub fn read(&mut self) -> Option<(String, Option<String>)> {
        if !self.form.use_suggestion.is_empty()
            && let Some(suggestion) = self.suggestion()
        {
            self.form.email = suggestion;
        }
        let name = parse_name(&self.form.name).map_err(|error| messages::name(error).to_owned());
        let email = match self.placed.booking.has_address() {
            true => parse_email(&self.form.email).map(Some).map_err(messages::email),
            false => Ok(None),
        };
        match (name, email) {
            (Ok(name), Ok(email)) => Some((name, email)),
            (name, email) => {
                (self.name_error, self.email_error) = (name.err(), email.err());
                self.status = StatusCode::UNPROCESSABLE_ENTITY;
                None
            }
        }
    }

    /// Says why the address or the booking was refused.
    pub fn refuse(&mut self, outcome: &CorrectionOutcome) {
        self.status = StatusCode::CONFLICT;
        match outcome {
            CorrectionOutcome::OverPersonLimit { ticket_type_id, limit } => {
                let name = self.placed.lines.iter().find(|it| it.ticket_type.id == *ticket_type_id);
                let name = name.map(|it| it.ticket_type.name.as_str()).unwrap_or_default();
                self.email_error = Some(format!(
                    "Limit: {limit} {name} tickets per person. This booking can’t move to that email address."
                ));
            }
            CorrectionOutcome::TooOften => {
                let who = messages::organizer(&self.placed.event);
                self.email_error = Some(format!(
                    "The email address can be changed {ADDRESSES_MAX} times. For another change, contact {who}"
                ));
            }
            CorrectionOutcome::Admitted => {
                let who = messages::organizer(&self.placed.event);
                self.refusal = Some(format!("A ticket has been scanned. For a change, contact {who}"));
            }
            _ => self.refusal = Some("This booking isn’t confirmed, so nothing was changed.".into()),
        }
    }

    /// The address that the typed one probably means.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        suggestion(&self.form.email)
    }
}

/// The address that a typed one probably means, as people read it.
#[must_use]
pub fn suggestion(typed: &str) -> Option<String> {
    Some(shown_email(&suggest_email(&parse_email(typed).ok()?)?))
}
