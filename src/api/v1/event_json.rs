//! A concert as JSON: as everybody sees it, and as the organizer's programs do.

use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::image_json::ImageJson;
use super::ticket_type_json::TicketTypeJson;
use super::{Amount, time};
use crate::events::board::Listing;
use crate::events::{Event, EventState, TicketType};

/// A concert. `paused`, `listed` and `version` are there only for a token with the scope `events:read`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventJson {
    /// Event slug.
    #[schema(example = "midnight-parade")]
    slug: String,
    #[schema(example = "Midnight Parade")]
    name: String,
    tagline: String,
    /// Markdown.
    description: String,
    venue: String,
    address: String,
    city: String,
    #[schema(format = DateTime)]
    starts_at: String,
    #[schema(format = DateTime, required = true)]
    doors_at: Option<String>,
    #[schema(format = DateTime)]
    ends_at: String,
    /// The venue's IANA time zone.
    #[schema(example = "America/Chicago")]
    time_zone: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
    /// Where tickets are paid for: "venue", "online" or "both", where the buyer chooses.
    payment: &'static str,
    /// The fee kept for a ticket that was paid for online and canceled by its buyer; null: no refunds.
    #[schema(required = true)]
    refund_fee: Option<Amount>,
    /// Null: from publication on.
    #[schema(format = DateTime, required = true)]
    sales_start_at: Option<String>,
    /// Null: until the start.
    #[schema(format = DateTime, required = true)]
    sales_end_at: Option<String>,
    /// In years; null if there is none.
    #[schema(minimum = 1, required = true)]
    age_limit: Option<i32>,
    accessibility: String,
    organizer_name: String,
    organizer_contact: String,
    /// Null: it has none.
    #[schema(required = true)]
    image: Option<ImageJson>,
    state: EventStateJson,
    /// Cancellation deadline for buyers; null if they can't cancel.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// Whether all sales are paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paused: Option<bool>,
    /// Whether the front page and the public list of this API have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    listed: Option<bool>,
    /// Grows with every change. In quotes it is the ETag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<i64>,
    /// In display order.
    ticket_types: Vec<TicketTypeJson>,
}

/// What a concert is to the public.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = EventState, example = "published")]
pub enum EventStateJson {
    /// Only the organizer sees it.
    Draft,
    Published,
    Canceled,
    Archived,
}

impl From<EventState> for EventStateJson {
    fn from(state: EventState) -> Self {
        match state {
            EventState::Draft => Self::Draft,
            EventState::Published => Self::Published,
            EventState::Canceled => Self::Canceled,
            EventState::Archived => Self::Archived,
        }
    }
}

impl EventJson {
    /// As everybody sees it.
    pub(super) fn of(listing: &Listing) -> Self {
        Self::with(&listing.event, TicketTypeJson::all_of(listing))
    }

    /// As the organizer's programs see it, hidden ticket types too. `now`: UTC.
    pub(super) fn managed(event: &Event, ticket_types: Vec<TicketType>, now: NaiveDateTime) -> Self {
        let ticket_types = TicketTypeJson::managed(event, ticket_types, now);
        Self {
            paused: Some(event.paused),
            listed: Some(event.listed),
            version: Some(event.facts_version),
            ..Self::with(event, ticket_types)
        }
    }

    fn with(event: &Event, ticket_types: Vec<TicketTypeJson>) -> Self {
        Self {
            slug: event.slug.clone(),
            name: event.name.clone(),
            tagline: event.tagline.clone(),
            description: event.description.clone(),
            venue: event.venue.clone(),
            address: event.address.clone(),
            city: event.city.clone(),
            starts_at: time(event.starts_at),
            doors_at: event.doors_at.map(time),
            ends_at: time(event.ends_at),
            time_zone: event.time_zone.clone(),
            currency: event.currency.clone(),
            payment: event.payment.as_str(),
            refund_fee: event.refund_fee().map(Into::into),
            sales_start_at: event.sales_start_at.map(time),
            sales_end_at: event.sales_end_at.map(time),
            age_limit: event.age_limit,
            accessibility: event.accessibility.clone(),
            organizer_name: event.organizer_name.clone(),
            organizer_contact: event.organizer_contact.clone(),
            image: ImageJson::of(event),
            state: event.state.into(),
            cancellable_until: event.cancellable_until().map(time),
            paused: None,
            listed: None,
            version: None,
            ticket_types,
        }
    }
}

/// A page of concerts, soonest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventPage)]
pub struct EventPageJson {
    pub(super) events: Vec<EventJson>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
}
