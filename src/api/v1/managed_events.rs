//! `POST` and `PATCH /api/v1/events`: an organizer's program creates and changes concerts, by the rules of the forms.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::event_json::EventJson;
use super::typed_json::{JsonField, JsonFields, JsonKind, field, refuse};
use crate::api::body::{self, Body};
use crate::api::organizer::{EventsWriter, TRIES, check_version, respond, wanted_version};
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::app::App;
use crate::booking::cancellation::note::parse_message;
use crate::booking::event_jobs::{EventJobKind, HolderNotice, store as jobs};
use crate::events::editing::event_fields;
use crate::events::editing::publication::prices;
use crate::events::editing::store::pictures::PictureChange;
use crate::events::editing::{ChangeRefusal, EventFacts, TypedFields, store};
use crate::events::{Event, EventState, TicketType, is_slug};

pub static EVENT_JSON: JsonFields =
    JsonFields { table: &EVENT_TABLE, others: &["from", "notifyHolders", "message"] };

static EVENT_TABLE: [JsonField; 22] = [
    field("name", "name", JsonKind::Text),
    field("slug", "slug", JsonKind::Text),
    field("tagline", "tagline", JsonKind::Text),
    field("description", "description", JsonKind::Text),
    field("venue", "venue", JsonKind::Text),
    field("address", "address", JsonKind::Text),
    field("city", "city", JsonKind::Text),
    field("startsAt", "starts_at", JsonKind::Time { offset: "starts_at_offset" }),
    field("doorsAt", "doors_at", JsonKind::Time { offset: "doors_at_offset" }),
    field("endsAt", "ends_at", JsonKind::Time { offset: "ends_at_offset" }),
    field("timeZone", "time_zone", JsonKind::Text),
    field("currency", "currency", JsonKind::Text),
    field("payment", "payment", JsonKind::Text),
    field("refundFee", "refund_fee", JsonKind::Fee),
    field("salesStartAt", "sales_start_at", JsonKind::Time { offset: "sales_start_at_offset" }),
    field("salesEndAt", "sales_end_at", JsonKind::Time { offset: "sales_end_at_offset" }),
    field("ageLimit", "age_limit", JsonKind::Number),
    field("accessibility", "accessibility", JsonKind::Text),
    field("organizerName", "organizer_name", JsonKind::Text),
    field("organizerContact", "organizer_contact", JsonKind::Text),
    field("imageAlt", "image_alt", JsonKind::Text),
    field("listed", "unlisted", JsonKind::UncheckedBox),
];

/// The fields of a concert that a program can set; the same rules as the organizer's form. Unknown fields are
/// refused. A new concert needs `name`, `startsAt` and `timeZone`; a change says only what changes. Null
/// clears a field.
///
/// Times are RFC 3339, or on the clock of `timeZone`: `2027-06-19T20:00`.
#[derive(Debug, Default, ToSchema)]
#[allow(non_snake_case, reason = "this is the form of the JSON, which is read by the table above")]
#[schema(as = EventFields)]
pub struct EventFieldsJson {
    #[schema(required = false, max_length = 80, example = "Night of the Owls")]
    pub name: String,
    /// The end of its address. Null or left out of a new concert: made from the name.
    #[schema(max_length = 80, example = "night-of-the-owls")]
    pub slug: Option<String>,
    #[schema(max_length = 160, example = "One night only.")]
    pub tagline: Option<String>,
    /// Markdown; HTML is shown as text.
    #[schema(max_length = 10_000, example = "With **Ada**.")]
    pub description: Option<String>,
    #[schema(max_length = 200, example = "The Cellar")]
    pub venue: Option<String>,
    #[schema(max_length = 200, example = "1 Main Street")]
    pub address: Option<String>,
    #[schema(max_length = 200, example = "Chicago")]
    pub city: Option<String>,
    #[schema(required = false, example = "2027-06-19T20:00")]
    pub startsAt: String,
    #[schema(example = "2027-06-19T19:00")]
    pub doorsAt: Option<String>,
    /// Null: three hours after the start.
    #[schema(example = "2027-06-19T23:00")]
    pub endsAt: Option<String>,
    #[schema(required = false, example = "America/Chicago")]
    pub timeZone: String,
    /// ISO 4217. Left out of a new concert: as the last one.
    #[schema(required = false, example = "USD")]
    pub currency: String,
    /// Where tickets are paid for: "venue", "online" or "both", where the buyer chooses.
    #[schema(required = false, example = "venue")]
    pub payment: String,
    /// The fee kept for each ticket that was paid for online and that its buyer cancels, as a price; "0":
    /// everything is refunded; null: nothing is.
    #[schema(value_type = Option<String>, example = "0")]
    pub refundFee: Option<String>,
    /// Null: from publication on.
    #[schema(example = "2027-05-01T10:00")]
    pub salesStartAt: Option<String>,
    /// Null: until the start.
    #[schema(example = "2027-06-19T20:00")]
    pub salesEndAt: Option<String>,
    #[schema(minimum = 1, maximum = 99, example = 18)]
    pub ageLimit: Option<i32>,
    #[schema(max_length = 1_000, example = "Step-free.")]
    pub accessibility: Option<String>,
    #[schema(max_length = 200, example = "Owl Nights")]
    pub organizerName: Option<String>,
    #[schema(max_length = 200, example = "hello@example.org")]
    pub organizerContact: Option<String>,
    /// Describes what the picture shows.
    #[schema(max_length = 250, example = "Ada at the piano.")]
    pub imageAlt: Option<String>,
    /// Whether the front page and the public list of this API have it.
    #[schema(required = false)]
    pub listed: bool,
    /// For a new concert: the slug of the concert to copy. Everything except bookings and dates is copied.
    #[schema(required = false, example = "midnight-parade")]
    pub from: String,
    /// Whether ticket holders are emailed when the change affects when or where the concert takes place.
    #[schema(required = false)]
    pub notifyHolders: bool,
    /// A message to add to that email.
    #[schema(required = false, max_length = 500, example = "The doors open earlier.")]
    pub message: String,
}

/// `POST /api/v1/events`: creates a draft, from nothing or as a copy.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    operation_id = "createEvent",
    tag = "Organizing",
    request_body = EventFieldsJson,
    responses(
        (status = 201, description = "A draft, which only tokens with events:read see until it is published",
            body = EventJson, headers(("Location" = String, description = "The concert"),
            ("ETag" = String, description = "Its version"))),
        (status = 404, description = "The concert to copy was not found", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid; errors names each one", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn create(
    request: HttpRequest,
    author: EventsWriter,
    app: web::Data<App>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let fields: Map<String, Value> = body::read(&request, body)?;
    let copied = match fields.get("from") {
        None | Some(Value::Null) => None,
        Some(Value::String(slug)) => Some(find(&app, slug).await?.0),
        Some(_) => return Err(invalid("from", "Use a slug.")),
    };
    let mut typed = match &copied {
        Some(copied) => event_fields::copy_of(copied),
        None => event_fields::blank(app.db.read_primary(store::latest).await?.as_ref()),
    };
    let currency = typed.value("currency").to_owned();
    EVENT_JSON.fill_in(&mut typed, &fields, &currency)?;
    let facts = read(&app, &typed, None, &[])?;
    let created = app.db.write(move |db| store::create(db, &facts, copied.as_ref(), &author.actor)).await?;
    let event = created.map_err(|refusal| EVENT_JSON.refusal(&refusal))?;
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/api/v1/events/{}", event.slug)));
    show_managed(&app, &event.slug, &mut response).await
}

/// `PATCH /api/v1/events/{slug}`: changes what the body names. With `If-Match`, only that version of the concert.
#[utoipa::path(
    patch,
    path = "/api/v1/events/{slug}",
    operation_id = "changeEvent",
    tag = "Organizing",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is changed. Without it, what \
            others have changed meanwhile stays, and what the body names is written over it"),
    ),
    request_body = EventFieldsJson,
    responses(
        (status = 200, description = "Changed; buyers see it at once", body = EventJson,
            headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "What is sold or the concert's state does not allow it, or people hold tickets and \
            notifyHolders is not set", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Changed since the version in If-Match", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid; errors names each one", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn update(
    request: HttpRequest,
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted_version(&request)?;
    let fields: Map<String, Value> = body::read(&request, body)?;
    if fields.contains_key("from") {
        return Err(invalid("from", "A concert becomes a copy only when it is created."));
    }
    for _ in 0..TRIES {
        let (event, ticket_types) = find(&app, &slug).await?;
        check_version(wanted, event.facts_version)?;
        match change(&app, &author, (event, &prices(&ticket_types)), &fields).await? {
            Ok(changed) => {
                app.show_changes().await?;
                return show_managed(&app, &changed.slug, &mut HttpResponse::Ok()).await;
            }
            // Somebody else was faster: try again on the new state.
            Err(ChangeRefusal::ChangedMeanwhile) if wanted.is_none() => {}
            Err(refusal) => return Err(EVENT_JSON.refusal(&refusal)),
        }
    }
    Err(Problem::new(ProblemType::ChangedMeanwhile))
}

/// Reads the fields. A way to pay that this site does not have is a fault of its field.
fn read(
    app: &App,
    typed: &TypedFields,
    before: Option<&Event>,
    prices: &[i64],
) -> Result<EventFacts, Problem> {
    let facts = event_fields::read(typed, before, app.board.now());
    let facts = facts.and_then(|facts| app.check_payment(facts, prices));
    facts.map_err(|faults| EVENT_JSON.problem(&faults))
}

async fn change(
    app: &App,
    author: &EventsWriter,
    (event, prices): (Event, &[i64]),
    fields: &Map<String, Value>,
) -> Result<Result<Event, ChangeRefusal>, Problem> {
    let mut typed = event_fields::of(&event);
    EVENT_JSON.fill_in(&mut typed, fields, &event.currency)?;
    let facts = read(app, &typed, Some(&event), prices)?;
    let notice = notice_of(app, &event, &facts, fields).await?;
    let (version, actor) = (Some(event.facts_version), author.actor.clone());
    let write = app.db.write(move |db| {
        let changed = store::update(db, event.id, version, &facts, &PictureChange::Keep, &actor)?;
        if let (Ok(_), Some(notice)) = (&changed, &notice) {
            jobs::start(db, event.id, EventJobKind::Notice, Some(notice), &notice.message, &actor)?;
        }
        Ok(changed)
    });
    Ok(write.await?)
}

/// What holders are told of a change; `None`: nothing.
async fn notice_of(
    app: &App,
    event: &Event,
    facts: &EventFacts,
    fields: &Map<String, Value>,
) -> Result<Option<HolderNotice>, Problem> {
    let message = match fields.get("message") {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => parse_message(text).map_err(|fault| fault.to_string()),
        Some(_) => Err("Use a string.".to_owned()),
    };
    let notify = match fields.get("notifyHolders") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(notify)) => Ok(Some(*notify)),
        Some(_) => Err("Use true or false.".to_owned()),
    };
    let wrong = [("message", message.as_ref().err()), ("notifyHolders", notify.as_ref().err())];
    let error = |(name, fault): (&str, Option<&String>)| Some(FieldError::in_body(name, fault?.as_str()));
    refuse(wrong.into_iter().filter_map(error).collect())?;
    let is_sold = event.state == EventState::Published && !event.is_over(app.board.now());
    let change = if is_sold { HolderNotice::of_change(event, facts) } else { None };
    let Some(change) = change else { return Ok(None) };
    let id = event.id;
    let holders = app.db.read_primary(move |db| jobs::holders(db, id)).await?;
    match notify.unwrap_or_default() {
        notify if holders == 0 || notify == Some(false) => Ok(None),
        Some(_) => Ok(Some(HolderNotice { message: message.unwrap_or_default(), ..change })),
        None => {
            let people =
                if holders == 1 { "1 person holds".into() } else { format!("{holders} people hold") };
            let detail = format!(
                "{people} tickets, and this changes {}. Set notifyHolders to true or false.",
                change.words()
            );
            Err(Problem::new(ProblemType::HoldersAffected).with_detail(detail))
        }
    }
}

fn invalid(field: &str, what: &str) -> Problem {
    Problem::new(ProblemType::InvalidRequest).with_errors(vec![FieldError::in_body(field, what)])
}

/// The concert that has that slug or had it, and all its ticket types.
///
/// # Errors
/// [`ProblemType::NotFound`], or a database error.
pub async fn find(app: &App, slug: &str) -> Result<(Event, Vec<TicketType>), Problem> {
    if !is_slug(slug) {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let slug = slug.to_owned();
    Ok(app.db.read_primary(move |db| store::find_whole(db, &slug)).await?)
}

/// The concert as it is now, with its version.
///
/// # Errors
/// As [`find`].
pub async fn show_managed(
    app: &App,
    slug: &str,
    response: &mut actix_web::HttpResponseBuilder,
) -> Result<HttpResponse, Problem> {
    let (event, ticket_types) = find(app, slug).await?;
    Ok(respond(response, event.facts_version, &EventJson::managed(&event, ticket_types, app.board.now())))
}
