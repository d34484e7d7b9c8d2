//! What an organizer sets of a concert and of its ticket types: the fields as they are typed, what is wrong with them,
//! and what comes of them. The organizer's forms and the API read fields here, by the same rules.
//!
//! Selling does not belong here, nor pages: a fault names its field and says what is wrong, and pages show it there.

pub mod currencies;
pub mod event_fields;
pub mod local_time;
pub mod markdown;
pub mod postponement;
pub mod publication;
pub mod slug;
pub mod store;
pub mod ticket_type_fields;
pub mod typed;

pub use self::event_fields::{EVENT_FIELDS, EventFacts};
pub use self::ticket_type_fields::{TICKET_TYPE_FIELDS, TicketTypeFacts};
pub use self::typed::{FieldFaults, TypedFields};

/// Why a change was refused that is right in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// Somebody else has changed it since it was shown.
    ChangedMeanwhile,
    /// More tickets are sold or held. The lowest possible capacity.
    CapacityTooLow { lowest: i32 },
    /// There are bookings in the old currency, or prices that the new one cannot write.
    CurrencyInUse,
    /// Another concert has this slug, or had it.
    SlugTaken,
    /// Another ticket type of the concert has this name.
    NameTaken,
    /// The concert has as many ticket types as one may have.
    TooManyTicketTypes,
    /// Nothing about a canceled or archived concert changes.
    Closed,
}
