//! `/admin/events/{slug}/messages`: a message to the holders of a concert's tickets, or of one ticket type.
//! It is written, previewed, sent as a test to one address, and sent to all. The page also lists the messages
//! that were sent.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::FormFields;
use super::{done, find};
use crate::app::App;
use crate::auth::access::Organizer;
use crate::auth::return_path::Resumed;
use crate::auth::session::Admin;
use crate::booking::buyer::{parse_email, shown_email};
use crate::booking::event_jobs::EventJob;
use crate::booking::event_jobs::message::{
    HolderMessage, SUBJECT_LENGTH_MAX, TEXT_LENGTH_MAX, parse_subject, parse_text,
};
use crate::booking::event_jobs::store::messages::{self, MessageOutcome, NewMessage};
use crate::booking::messages as words;
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::guard::form::Form;
use crate::page::{Page, Toast};

/// The fields as a browser sends them.
const FIELDS: [&str; 4] = ["subject", "text", "ticket_type", "test_email"];
/// Messages in the list of those that were sent.
const SHOWN: i64 = 20;

#[derive(Template)]
#[template(path = "admin/events/messages.html")]
struct MessagesPage {
    page: Page,
    event: Event,
    ticket_types: Vec<TicketType>,
    /// The newest first.
    sent: Vec<EventJob>,
    form: FormFields,
    form_key: String,
    /// How many people the message reaches. `None`: it still has to be written or corrected.
    people: Option<i64>,
}

impl MessagesPage {
    fn is_chosen(&self, ticket_type: &TicketType) -> bool {
        self.form.value("ticket_type") == ticket_type.id.to_string()
    }

    /// "all holders", "holders of VIP"
    fn audience(&self) -> String {
        let chosen = self.ticket_types.iter().find(|it| self.is_chosen(it));
        HolderMessage::audience(chosen.map(|it| it.name.as_str()))
    }
}

/// "1 person", "1,200 people"
fn people_words(people: &i64) -> String {
    format!("{} {}", crate::money::grouped(people), if *people == 1 { "person" } else { "people" })
}

async fn load(page: &Page, app: &App, slug: &str) -> Result<MessagesPage, Error> {
    let (event, ticket_types) = find(app, slug).await?;
    let id = event.id;
    let sent = app.db.read_primary(move |db| messages::latest(db, id, SHOWN)).await?;
    let (form, form_key) = (FormFields::default(), app.request_keys.generate().as_str().to_owned());
    Ok(MessagesPage { page: page.clone(), event, ticket_types, sent, form, form_key, people: None })
}

/// `GET /admin/events/{slug}/messages`
pub async fn index(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = load(&page, &app, &slug).await?;
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/messages`, with `act`: `test` sends it to `test_email` alone, `send` to the holders,
/// `edit` shows the form again, and everything else shows what it looks like and how many people it reaches.
pub async fn create(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let mut shown = load(&page, &app, &slug).await?;
    shown.form.typed.fill_in(&FIELDS, &typed);
    if let Some(key) = typed.get("form_key").and_then(|key| app.request_keys.verify(key)) {
        key.as_str().clone_into(&mut shown.form_key);
    }
    let act = typed.get("act").map_or("", String::as_str);
    if is_resumed || act == "edit" {
        return page.respond_unlisted(StatusCode::OK, &shown);
    }
    let Some((message, ticket_type_id)) = read(&mut shown) else {
        return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    match act {
        "test" => send_test(page, &app, shown, message).await,
        "send" => {
            let (event_id, form_key) = (shown.event.id, shown.form_key.clone());
            let new = NewMessage { event_id, message, ticket_type_id, form_key };
            send(page, admin, &app, shown, new).await
        }
        _ => {
            let id = shown.event.id;
            let people = app.db.read_primary(move |db| messages::people(db, id, ticket_type_id)).await?;
            if people == 0 {
                return nobody(&page, shown);
            }
            page.respond_unlisted(StatusCode::OK, &MessagesPage { people: Some(people), ..shown })
        }
    }
}

/// The message of a form, and the ticket type whose holders it goes to. `None`: something is wrong, and is
/// noted beside the fields.
fn read(shown: &mut MessagesPage) -> Option<(HolderMessage, Option<i64>)> {
    let mut faults = crate::events::editing::FieldFaults::default();
    let subject = parse_subject(shown.form.value("subject")).map_err(|fault| faults.add("subject", fault));
    let text = parse_text(shown.form.value("text")).map_err(|fault| faults.add("text", fault));
    let typed = shown.form.value("ticket_type");
    let chosen = shown.ticket_types.iter().find(|it| it.id.to_string() == typed);
    if chosen.is_none() && !typed.is_empty() {
        faults.add("ticket_type", "This ticket type no longer exists.");
    }
    let ticket_type = chosen.map(|it| it.name.clone());
    let chosen = chosen.map(|it| it.id);
    let is_right = faults.is_empty();
    shown.form.faults = faults;
    match (subject, text) {
        (Ok(subject), Ok(text)) if is_right => Some((HolderMessage { subject, text, ticket_type }, chosen)),
        _ => None,
    }
}

async fn send_test(
    page: Page,
    app: &App,
    mut shown: MessagesPage,
    message: HolderMessage,
) -> Result<HttpResponse, Error> {
    let to = match parse_email(shown.form.value("test_email")) {
        Ok(to) => to,
        Err(error) => {
            shown.form.faults.add("test_email", words::own_email(error));
            return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &shown);
        }
    };
    let (id, address) = (shown.event.id, shown_email(&to));
    app.db.write(move |db| messages::send_test(db, id, &message, &to)).await?;
    app.outbox_wakeup.notify();
    shown.page = page.clone().with_toast(Toast::success(format!("A test is on its way to {address}.")));
    page.respond_unlisted(StatusCode::OK, &shown)
}

async fn send(
    page: Page,
    admin: Admin,
    app: &App,
    shown: MessagesPage,
    new: NewMessage,
) -> Result<HttpResponse, Error> {
    let (actor, slug) = (admin.actor(), shown.event.slug.clone());
    match app.db.write(move |db| messages::send(db, &new, &actor)).await? {
        MessageOutcome::Started(people) => {
            let people = people_words(&people);
            done(app, &slug, format!("Your message is being sent to {people}.")).await
        }
        MessageOutcome::SentBefore => {
            done(app, &slug, "This message was already sent. It wasn’t sent again.").await
        }
        MessageOutcome::Nobody => nobody(&page, shown),
    }
}

fn nobody(page: &Page, mut shown: MessagesPage) -> Result<HttpResponse, Error> {
    shown.form.refusal = Some("Nobody with an email address holds such tickets. Nothing was sent.".into());
    page.respond_unlisted(StatusCode::CONFLICT, &shown)
}
