//! A concert and its ticket types as JSON: as everybody sees them, and as the organizer's programs do.

use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::image_json::ImageJson;
use super::{Amount, time};
use crate::events::board::Listing;
use crate::events::sale::SaleState;
use crate::events::{Concert, Event, EventState, TicketType, TicketTypeState};

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
    /// Kept of each ticket that was paid for online and that its buyer cancels; null: nothing is refunded.
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
    /// Whether the front page lists it.
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

/// A ticket type of a concert. What follows `salesStartAt` is there only for a token with the scope `events:read`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TicketType)]
pub struct TicketTypeJson {
    #[schema(example = "1")]
    id: String,
    #[schema(example = "VIP")]
    name: String,
    description: String,
    price: Amount,
    /// Tickets in total.
    #[schema(minimum = 0, example = 100)]
    capacity: i32,
    /// Tickets left.
    #[schema(minimum = 0, example = 100)]
    available: i32,
    /// Most tickets in one booking.
    #[schema(minimum = 1, example = 10)]
    max_per_booking: i32,
    /// Most tickets per email address, across all bookings; null if there is no limit.
    #[schema(minimum = 1, required = true)]
    max_per_person: Option<i32>,
    /// Whether it can be bought now.
    sale: SaleJson,
    /// When sales start, while `sale` is `not-on-sale-yet`; otherwise null. With `events:read`: as it is set.
    #[schema(format = DateTime, required = true)]
    sales_start_at: Option<String>,
    #[serde(flatten)]
    managed: Option<ManagedTicketTypeJson>,
}

/// What the organizer's programs see of a ticket type besides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedTicketType)]
pub struct ManagedTicketTypeJson {
    /// Null: with the concert's sales.
    #[schema(format = DateTime, required = true)]
    sales_end_at: Option<String>,
    state: TicketTypeStateJson,
    /// Its place in the list, from 1.
    #[schema(minimum = 1)]
    position: usize,
    /// Null: a ticket.
    #[schema(required = true)]
    icon: Option<String>,
    /// Null: by its place in the list.
    #[schema(required = true)]
    accent: Option<i32>,
    /// Grows with every change but sales. In quotes it is the ETag.
    version: i64,
}

/// What a ticket type is to the public.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TicketTypeState)]
pub enum TicketTypeStateJson {
    OnSale,
    Paused,
    /// Only the organizer sees it.
    Hidden,
}

/// Whether a ticket type is on sale, and why not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Sale)]
pub enum SaleJson {
    OnSale,
    NotOnSaleYet,
    SaleEnded,
    SalePaused,
    EventCanceled,
    /// It is a draft, which only a token with the scope `events:read` sees.
    NotPublished,
}

impl From<SaleState> for SaleJson {
    fn from(state: SaleState) -> Self {
        match state {
            SaleState::OnSale => Self::OnSale,
            SaleState::NotYet(_) => Self::NotOnSaleYet,
            SaleState::Ended | SaleState::Hidden => Self::SaleEnded,
            SaleState::Paused => Self::SalePaused,
            SaleState::Canceled => Self::EventCanceled,
        }
    }
}

impl TicketTypeJson {
    pub(super) fn all_of(listing: &Listing) -> Vec<Self> {
        listing.ticket_types.iter().map(|ticket_type| Self::of(listing, ticket_type)).collect()
    }

    /// As the organizer's programs see them. `now`: UTC.
    pub(super) fn managed(event: &Event, ticket_types: Vec<TicketType>, now: NaiveDateTime) -> Vec<Self> {
        let concert =
            Concert { event: event.clone(), ticket_types, held: Vec::new(), former_slugs: Vec::new() };
        let listing = Listing::preview(concert, now);
        let managed = |(ticket_type, position): (&TicketType, usize)| {
            let public = Self::of(&listing, ticket_type);
            Self {
                sale: if event.state == EventState::Draft { SaleJson::NotPublished } else { public.sale },
                max_per_booking: ticket_type.max_per_booking,
                sales_start_at: ticket_type.sales_start_at.map(time),
                managed: Some(ManagedTicketTypeJson::of(ticket_type, position)),
                ..public
            }
        };
        listing.ticket_types.iter().zip(1..).map(managed).collect()
    }

    /// Whether it is that one.
    pub(super) fn is(&self, id: i64) -> bool {
        self.id == id.to_string()
    }

    fn of(listing: &Listing, ticket_type: &TicketType) -> Self {
        let sale = listing.sale_state(ticket_type.id);
        Self {
            id: ticket_type.id.to_string(),
            name: ticket_type.name.clone(),
            description: ticket_type.description.clone(),
            price: ticket_type.price(&listing.event).into(),
            capacity: ticket_type.capacity,
            available: ticket_type.available,
            max_per_booking: ticket_type.most_per_booking(),
            max_per_person: ticket_type.max_per_person,
            sale: sale.into(),
            sales_start_at: match sale {
                SaleState::NotYet(opens) => Some(time(opens)),
                _ => None,
            },
            managed: None,
        }
    }
}

impl ManagedTicketTypeJson {
    fn of(ticket_type: &TicketType, position: usize) -> Self {
        Self {
            sales_end_at: ticket_type.sales_end_at.map(time),
            state: match ticket_type.state {
                TicketTypeState::OnSale => TicketTypeStateJson::OnSale,
                TicketTypeState::Paused => TicketTypeStateJson::Paused,
                TicketTypeState::Hidden => TicketTypeStateJson::Hidden,
            },
            position,
            icon: ticket_type.icon.clone(),
            accent: ticket_type.accent,
            version: ticket_type.facts_version,
        }
    }
}
