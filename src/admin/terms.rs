//! `/admin/events/{slug}/terms`: a concert's ticket rules, which are the cancellation deadline, the ticket limit for
//! each person, and who answers for the concert.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::events::form::status_of;
use super::events::{done, find};
use super::{duration, store};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::booking::buyer::is_visible;
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::guard::form::Form;
use crate::guard::typed_number;
use crate::page::Page;

/// A year.
const DEADLINE_HOURS_MAX: u32 = 366 * 24;

/// Of a line such as the organizer's name or contact, in characters.
const LINE_LENGTH_MAX: usize = 200;

/// The rules that an organizer can set.
#[derive(Debug)]
pub struct TicketRules {
    /// `None`: only the organizer may cancel.
    pub cancellation_deadline_minutes: Option<i32>,
    pub organizer_name: String,
    pub organizer_contact: String,
    /// By the id of the ticket type; those that are not here stay as they are. `None`: no limit.
    pub max_per_person: Vec<(i64, Option<i32>)>,
}

#[derive(Template)]
#[template(path = "admin/terms.html")]
struct TermsPage {
    page: Page,
    event: Event,
    deadline: TermsField,
    organizer_name: TermsField,
    organizer_contact: TermsField,
    limits: Vec<TicketLimit>,
    /// The versions of the facts that the form was shown with, as [`version_of`] writes them.
    version: String,
    /// What is wrong with the form as a whole.
    refusal: Option<String>,
}

/// The versions of all facts that the form shows: the concert's, and those of each ticket type.
#[must_use]
pub fn version_of(event: &Event, ticket_types: &[TicketType]) -> String {
    let of_types = ticket_types.iter().map(|it| format!("-{}.{}", it.id, it.facts_version));
    event.facts_version.to_string() + &of_types.collect::<String>()
}

/// A field of the form, and its error.
#[derive(Default)]
struct TermsField {
    value: String,
    error: Option<String>,
}

impl TermsField {
    /// The field's value; when it is wrong, a default, and the error is set.
    fn read<T: Default>(&mut self, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        parse(self.value.trim()).unwrap_or_else(|wrong| {
            self.error = Some(wrong);
            T::default()
        })
    }
}

struct TicketLimit {
    ticket_type: TicketType,
    field: TermsField,
    /// Whether the form that came has this field.
    is_sent: bool,
}

impl TermsPage {
    /// Filled in with the rules in force.
    fn now(page: Page, event: Event, ticket_types: Vec<TicketType>) -> Self {
        let version = version_of(&event, &ticket_types);
        let text = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        let deadline = event.cancellation_deadline_minutes.map(duration::shown).unwrap_or_default();
        let deadline = TermsField { value: deadline, error: None };
        let limit = |ticket_type: TicketType| {
            let field = TermsField { value: text(ticket_type.max_per_person), error: None };
            TicketLimit { ticket_type, field, is_sent: false }
        };
        let organizer_name = TermsField { value: event.organizer_name.clone(), error: None };
        let organizer_contact = TermsField { value: event.organizer_contact.clone(), error: None };
        let limits = ticket_types.into_iter().map(limit).collect();
        let refusal = None;
        Self { page, event, deadline, organizer_name, organizer_contact, limits, version, refusal }
    }

    /// Fills in what was typed. A form without a field leaves it as it is.
    fn type_in(&mut self, mut typed: HashMap<String, String>) {
        for (value, name) in [
            (&mut self.version, "facts_version"),
            (&mut self.deadline.value, "cancellation_deadline_hours"),
            (&mut self.organizer_name.value, "organizer_name"),
            (&mut self.organizer_contact.value, "organizer_contact"),
        ] {
            if let Some(sent) = typed.remove(name) {
                *value = sent;
            }
        }
        for limit in &mut self.limits {
            if let Some(sent) = typed.remove(&format!("max_per_person_{}", limit.ticket_type.id)) {
                limit.field.value = sent;
                limit.is_sent = true;
            }
        }
    }

    /// The rules; `None` when a field has an error.
    fn read(&mut self) -> Option<TicketRules> {
        let cancellation_deadline_minutes = self.deadline.read(parse_hours);
        let organizer_name = self.organizer_name.read(parse_line);
        let organizer_contact = self.organizer_contact.read(parse_line);
        let read = |limit: &mut TicketLimit| {
            let capacity = limit.ticket_type.capacity;
            (limit.ticket_type.id, limit.field.read(|typed| parse_limit(typed, capacity)))
        };
        let max_per_person = self.limits.iter_mut().filter(|limit| limit.is_sent).map(read).collect();
        let fields = [&self.deadline, &self.organizer_name, &self.organizer_contact];
        let mut fields = fields.into_iter().chain(self.limits.iter().map(|limit| &limit.field));
        let is_valid = fields.all(|field| field.error.is_none());
        is_valid.then_some(TicketRules {
            cancellation_deadline_minutes,
            organizer_name,
            organizer_contact,
            max_per_person,
        })
    }
}

/// `GET /admin/events/{slug}/terms`
pub async fn edit(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    page.clone().respond_unlisted(StatusCode::OK, &TermsPage::now(page, event, ticket_types))
}

/// `POST /admin/events/{slug}/terms`
pub async fn update(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, ticket_types) = find(&app, &slug).await?;
    let (id, slug) = (event.id, event.slug.clone());
    let shown = typed.get("facts_version").filter(|version| !version.is_empty()).cloned();
    let mut form = TermsPage::now(page.clone(), event, ticket_types);
    form.type_in(typed);
    if is_resumed {
        return page.respond_unlisted(StatusCode::OK, &form);
    }
    let Some(rules) = form.read() else {
        return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &form);
    };
    let actor = admin.actor();
    let write = app.db.write(move |db| store::terms::replace(db, id, shown.as_deref(), &rules, &actor));
    if let Err(refusal) = write.await? {
        form.refusal = Some(refusal.words().1);
        return page.respond_unlisted(status_of(&refusal), &form);
    }
    done(&app, &slug, "Ticket rules saved.").await
}

/// Empty: buyers cannot cancel.
fn parse_hours(typed: &str) -> Result<Option<i32>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let minutes = duration::parse(typed)?.round();
    if !(0.0..=f64::from(DEADLINE_HOURS_MAX * 60)).contains(&minutes) {
        return Err("Enter 0 to 8,784 hours (one year).".to_owned());
    }
    #[allow(clippy::cast_possible_truncation, reason = "a year has fewer minutes than i32 holds")]
    Ok(Some(minutes as i32))
}

/// A line of text that pages and mails show; it may be empty.
pub(super) fn parse_line(typed: &str) -> Result<String, String> {
    if typed.chars().count() > LINE_LENGTH_MAX {
        return Err(format!("Use {LINE_LENGTH_MAX} characters or fewer."));
    }
    if typed.chars().any(|c| !is_visible(c) && !c.is_whitespace()) {
        return Err("This contains invisible characters. Please retype it.".to_owned());
    }
    Ok(typed.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Empty: no limit.
fn parse_limit(typed: &str, capacity: i32) -> Result<Option<i32>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    match typed_number::whole(typed).and_then(|limit| limit.parse().ok()) {
        Some(limit) if (1..=capacity).contains(&limit) => Ok(Some(limit)),
        _ => Err(format!("Enter 1 to {capacity}, or leave empty.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_year_at_most() {
        for (typed, minutes) in [("", None), ("0", Some(0)), ("8784", Some(527_040)), ("0:10", Some(10))] {
            assert_eq!(parse_hours(typed), Ok(minutes));
        }
        for typed in ["-1", "8785", "367 days", "1:99"] {
            parse_hours(typed).expect_err(typed);
        }
    }

    #[test]
    fn a_limit_is_at_least_one_ticket_and_at_most_all() {
        assert_eq!(parse_limit("", 100), Ok(None));
        assert_eq!(parse_limit("1", 100), Ok(Some(1)));
        assert_eq!(parse_limit("100", 100), Ok(Some(100)));
        for typed in ["0", "101", "-3", "2.5", "many", "99999999999"] {
            parse_limit(typed, 100).expect_err(typed);
        }
    }
}
