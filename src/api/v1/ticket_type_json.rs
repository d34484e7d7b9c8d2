//! A ticket type as JSON: as everybody sees it, and as the organizer's programs do.

use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Amount, time};
use crate::events::board::Listing;
use crate::events::sale::SaleState;
use crate::events::{Concert, Event, TicketType, TicketTypeState};

/// A ticket type of a concert. The fields after `salesStartAt` need a token with the scope `events:read`.
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
    /// The tax that the price includes, in percent; null: not stated.
    #[schema(required = true, example = "8.25")]
    tax_rate: Option<String>,
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
    /// When sales start, while `sale` is `not-on-sale-yet`; otherwise null. With `events:read`: as set.
    #[schema(format = DateTime, required = true)]
    sales_start_at: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = ManagedTicketTypeJson)]
    managed: Option<ManagedTicketTypeJson>,
}

/// The fields of a ticket type that need a token with the scope `events:read`: all of them, or none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ManagedTicketType)]
pub struct ManagedTicketTypeJson {
    /// Null: with the concert's sales.
    #[schema(format = DateTime)]
    sales_end_at: Option<String>,
    #[schema(required = false)]
    state: TicketTypeStateJson,
    /// Its place in the list, from 1.
    #[schema(minimum = 1, required = false)]
    position: usize,
    /// Null: the ticket icon.
    icon: Option<String>,
    /// Null: by its place in the list.
    accent: Option<i32>,
    /// Grows with every change but sales. In quotes it is the ETag.
    #[schema(required = false)]
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
    /// Only a token with the scope `events:read` sees it: the concert is a draft, or the ticket type is hidden.
    NotPublished,
}

impl From<SaleState> for SaleJson {
    fn from(state: SaleState) -> Self {
        match state {
            SaleState::OnSale => Self::OnSale,
            SaleState::NotYet(_) => Self::NotOnSaleYet,
            SaleState::Ended => Self::SaleEnded,
            SaleState::Paused => Self::SalePaused,
            SaleState::Canceled => Self::EventCanceled,
            SaleState::Hidden => Self::NotPublished,
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
        let listing = Listing::new(concert, now);
        let managed = |(ticket_type, position): (&TicketType, usize)| Self {
            max_per_booking: ticket_type.max_per_booking,
            sales_start_at: ticket_type.sales_start_at.map(time),
            managed: Some(ManagedTicketTypeJson::of(ticket_type, position)),
            ..Self::of(&listing, ticket_type)
        };
        listing.ticket_types.iter().zip(1..).map(managed).collect()
    }

    /// Whether the ticket type has this id.
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
            tax_rate: ticket_type.tax_percent(),
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
