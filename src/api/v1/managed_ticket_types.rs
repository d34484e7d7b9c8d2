//! `POST` and `PATCH /api/v1/events/{slug}/ticket-types`: an organizer's program adds, changes, moves, pauses and hides
//! ticket types, by the rules of the forms.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use diesel::QueryResult;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::managed_events::find;
use super::ticket_type_json::TicketTypeJson;
use super::typed_json::{JsonField, JsonFields, JsonKind, field, refuse};
use crate::api::body::{self, Body, whole_number};
use crate::api::organizer::{EventsReader, EventsWriter, TRIES, check_version, respond, wanted_version};
use crate::api::problem::{FieldError, Problem, ProblemType};
use crate::app::App;
use crate::audit::Actor;
use crate::db::Db;
use crate::events::editing::store::ticket_types as store;
use crate::events::editing::{ChangeRefusal, TicketTypeFacts, TypedFields, ticket_type_fields};
use crate::events::{Event, TicketType, TicketTypeState};

static TICKET_TYPE_JSON: JsonFields =
    JsonFields { table: &TICKET_TYPE_TABLE, others: &["state", "position"] };

static TICKET_TYPE_TABLE: [JsonField; 11] = [
    field("name", "name", JsonKind::Text),
    field("description", "description", JsonKind::Text),
    field("price", "price", JsonKind::Price),
    field("taxRate", "tax_rate", JsonKind::Text),
    field("capacity", "capacity", JsonKind::Number),
    field("maxPerBooking", "max_per_booking", JsonKind::Number),
    field("maxPerPerson", "max_per_person", JsonKind::Number),
    field("salesStartAt", "sales_start_at", JsonKind::Time { offset: "sales_start_at_offset" }),
    field("salesEndAt", "sales_end_at", JsonKind::Time { offset: "sales_end_at_offset" }),
    field("icon", "icon", JsonKind::Text),
    field("accent", "accent", JsonKind::Number),
];

/// The fields of a ticket type that a program can set; the same rules as the organizer's form. Unknown fields
/// are refused. A new one needs `name`, `price` and `capacity`; a change says only what changes. Null clears
/// a field.
#[derive(Debug, Default, ToSchema)]
#[allow(non_snake_case, reason = "this is the form of the JSON, which is read by the table above")]
#[schema(as = TicketTypeFields)]
pub struct TicketTypeFieldsJson {
    #[schema(required = false, max_length = 60, example = "Balcony")]
    pub name: String,
    #[schema(max_length = 300, example = "Seated, second floor")]
    pub description: Option<String>,
    /// In the concert's currency: an amount, or a string, like "10.50". What is booked keeps its price.
    #[schema(required = false, value_type = Object, example = json!({ "cents": 4500 }))]
    pub price: Value,
    /// The tax that the price includes, in percent; null: not stated.
    #[schema(example = "8.25")]
    pub taxRate: Option<String>,
    /// Never below what is sold and held.
    #[schema(required = false, minimum = 1, maximum = 1_000_000, example = 80)]
    pub capacity: i32,
    #[schema(minimum = 1, maximum = 100, example = 6)]
    pub maxPerBooking: Option<i32>,
    #[schema(minimum = 1, example = 6)]
    pub maxPerPerson: Option<i32>,
    /// Null: with the concert's sales.
    #[schema(example = "2027-05-01T10:00")]
    pub salesStartAt: Option<String>,
    /// Null: with the concert's sales.
    #[schema(example = "2027-06-19T20:00")]
    pub salesEndAt: Option<String>,
    /// "crown", "guitar" or "users"; null: a ticket.
    #[schema(example = "crown")]
    pub icon: Option<String>,
    /// Null: by its place in the list.
    #[schema(minimum = 1, maximum = 3, example = 1)]
    pub accent: Option<i32>,
    /// "on-sale", "paused" or "hidden".
    #[schema(required = false, example = "on-sale")]
    pub state: String,
    /// Its place in the list, from 1. A new one comes last.
    #[schema(required = false, minimum = 1, example = 1)]
    pub position: usize,
}

/// What a body sets besides the fields of the form.
#[derive(Debug, Clone, Copy)]
struct Placement {
    state: Option<TicketTypeState>,
    position: Option<usize>,
}

impl Placement {
    fn read(fields: &Map<String, Value>) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let state = match fields.get("state") {
            None => None,
            Some(value) => match value.as_str() {
                Some("on-sale") => Some(TicketTypeState::OnSale),
                Some("paused") => Some(TicketTypeState::Paused),
                Some("hidden") => Some(TicketTypeState::Hidden),
                _ => {
                    errors.push(FieldError::in_body("state", "Use on-sale, paused or hidden."));
                    None
                }
            },
        };
        let position = match fields.get("position") {
            None => None,
            Some(value) => {
                let place = whole_number(value).and_then(|it| usize::try_from(it).ok()).filter(|it| *it > 0);
                if place.is_none() {
                    errors.push(FieldError::in_body("position", "Use a whole number from 1."));
                }
                place
            }
        };
        refuse(errors)?;
        Ok(Self { state, position })
    }

    /// Runs after the other changes, in their transaction. It refuses nothing that they accept, so no change is
    /// committed in part.
    fn apply(self, db: &mut Db, ids: (i64, i64), actor: &Actor) -> QueryResult<Result<(), ChangeRefusal>> {
        if let Some(state) = self.state
            && let Err(refusal) = store::set_state(db, ids, state, actor)?
        {
            return Ok(Err(refusal));
        }
        match self.position {
            Some(place) => store::move_to(db, ids, place, actor),
            None => Ok(Ok(())),
        }
    }
}

/// `POST /api/v1/events/{slug}/ticket-types`: adds a ticket type.
#[utoipa::path(
    post,
    path = "/api/v1/events/{slug}/ticket-types",
    operation_id = "createTicketType",
    tag = "Organizing",
    params(("slug" = String, Path, description = "Event slug", example = "midnight-parade")),
    request_body = TicketTypeFieldsJson,
    responses(
        (status = 201, description = "Added, and on sale with the concert", body = TicketTypeJson,
            headers(("Location" = String, description = "The ticket type"),
            ("ETag" = String, description = "Its version"))),
        (status = 404, description = "Event not found", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The concert has 20 already, or is canceled or archived", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid; errors names each one", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn create(
    request: HttpRequest,
    author: EventsWriter,
    app: web::Data<App>,
    slug: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let fields: Map<String, Value> = body::read(&request, body)?;
    let (event, _) = find(&app, &slug).await?;
    let placement = Placement::read(&fields)?;
    let facts = read(&app, ticket_type_fields::blank(), &fields, &event)?;
    let event_id = event.id;
    let write = app.db.write(move |db| match store::create(db, event_id, &facts, &author.actor)? {
        Ok(id) => Ok(placement.apply(db, (event_id, id), &author.actor)?.map(|()| id)),
        Err(refusal) => Ok(Err(refusal)),
    });
    let id = write.await?.map_err(|refusal| TICKET_TYPE_JSON.refusal(&refusal))?;
    app.show_changes().await?;
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/api/v1/events/{}/ticket-types/{id}", event.slug)));
    show_one(&app, &event.slug, id, &mut response).await
}

/// `GET /api/v1/events/{slug}/ticket-types/{id}`: a ticket type with its version, which a program needs to change it.
#[utoipa::path(
    get,
    path = "/api/v1/events/{slug}/ticket-types/{id}",
    operation_id = "showTicketType",
    tag = "Organizing",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("id" = String, Path, description = "The `id` of a ticket type", example = "1"),
    ),
    responses(
        (status = 200, description = "The ticket type", body = TicketTypeJson,
            headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "Ticket type not found", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub async fn show(
    _: EventsReader,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (slug, id) = path.into_inner();
    show_one(&app, &slug, parse_id(&id)?, &mut HttpResponse::Ok()).await
}

/// `PATCH /api/v1/events/{slug}/ticket-types/{id}`: changes what the body names; moves it, pauses, resumes or hides it.
#[utoipa::path(
    patch,
    path = "/api/v1/events/{slug}/ticket-types/{id}",
    operation_id = "changeTicketType",
    tag = "Organizing",
    params(
        ("slug" = String, Path, description = "Event slug", example = "midnight-parade"),
        ("id" = String, Path, description = "The `id` of a ticket type", example = "1"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is changed. Without it, what \
            others have changed meanwhile stays, and what the body names is written over it"),
    ),
    request_body = TicketTypeFieldsJson,
    responses(
        (status = 200, description = "Changed; buyers see it at once", body = TicketTypeJson,
            headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "Ticket type not found", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "More tickets are sold or held than the capacity, or the concert is canceled or \
            archived", body = Problem, content_type = "application/problem+json"),
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
    path: web::Path<(String, String)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (slug, id) = path.into_inner();
    let (id, wanted) = (parse_id(&id)?, wanted_version(&request)?);
    let fields: Map<String, Value> = body::read(&request, body)?;
    let placement = Placement::read(&fields)?;
    let is_edited = fields.keys().any(|name| name != "state" && name != "position");
    for _ in 0..TRIES {
        let (event, ticket_types) = find(&app, &slug).await?;
        let before = one_of(ticket_types, id)?;
        check_version(wanted, before.facts_version)?;
        let facts = read(&app, ticket_type_fields::of(&before, &event), &fields, &event)?;
        let (ids, version, actor) = ((event.id, id), before.facts_version, author.actor.clone());
        let write = app.db.write(move |db| {
            // With a wanted version, even if no other field changes: this compares the version.
            let changed = if is_edited || wanted.is_some() {
                store::update(db, ids, Some(version), &facts, &actor)?
            } else {
                Ok(())
            };
            if changed.is_err() { Ok(changed) } else { placement.apply(db, ids, &actor) }
        });
        match write.await? {
            Ok(()) => {
                app.show_changes().await?;
                return show_one(&app, &event.slug, id, &mut HttpResponse::Ok()).await;
            }
            // Somebody else was faster: try again on the new state.
            Err(ChangeRefusal::ChangedMeanwhile) if wanted.is_none() => {}
            Err(refusal) => return Err(TICKET_TYPE_JSON.refusal(&refusal)),
        }
    }
    Err(Problem::new(ProblemType::ChangedMeanwhile))
}

/// The existing fields, overwritten by those that the body names.
fn read(
    app: &App,
    mut typed: TypedFields,
    fields: &Map<String, Value>,
    event: &Event,
) -> Result<TicketTypeFacts, Problem> {
    TICKET_TYPE_JSON.fill_in(&mut typed, fields, &event.currency)?;
    let facts = ticket_type_fields::read(&typed, event);
    let facts = facts.and_then(|facts| app.check_price(event, facts));
    facts.map_err(|faults| TICKET_TYPE_JSON.problem(&faults))
}

fn parse_id(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::new(ProblemType::NotFound))
}

fn one_of(ticket_types: Vec<TicketType>, id: i64) -> Result<TicketType, Problem> {
    ticket_types.into_iter().find(|it| it.id == id).ok_or_else(|| Problem::new(ProblemType::NotFound))
}

async fn show_one(
    app: &App,
    slug: &str,
    id: i64,
    response: &mut HttpResponseBuilder,
) -> Result<HttpResponse, Problem> {
    let (event, ticket_types) = find(app, slug).await?;
    let version = one_of(ticket_types.clone(), id)?.facts_version;
    let shown = TicketTypeJson::managed(&event, ticket_types, app.board.now());
    let shown = shown.into_iter().find(|it| it.is(id)).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    Ok(respond(response, version, &shown))
}
