//! What an organizer sets of a concert and of its ticket types: the fields as they are typed, what is wrong with them,
//! and what comes of them. The organizer's forms and the API read fields here, by the same rules.
//!
//! Selling does not belong here, nor pages: a fault names its field and says what is wrong, and pages show it there.

pub mod changes;
pub mod currencies;
pub mod event_fields;
pub mod local_time;
pub mod markdown;
mod moved_start;
pub mod postponement;
pub mod publication;
mod sale_fields;
pub mod slug;
pub mod store;
pub mod ticket_type_fields;
pub mod typed;

pub use self::event_fields::{EVENT_FIELDS, EventFacts};
pub use self::sale_fields::NO_REFUND;
pub use self::ticket_type_fields::{TICKET_TYPE_FIELDS, TicketTypeFacts};
pub use self::typed::{FieldFaults, TypedFields};

/// Why a change was refused although its fields are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// Somebody else has changed it since it was shown.
    ChangedMeanwhile,
    /// More tickets than that are sold or held. `lowest`: the lowest possible capacity.
    CapacityTooLow { lowest: i32 },
    /// There are bookings in the old currency, or prices that the new one cannot write.
    CurrencyInUse,
    /// Another concert has this slug, or had it.
    SlugTaken,
    /// Another ticket type of the concert has this name.
    NameTaken,
    /// The concert has as many ticket types as one may have.
    TooManyTicketTypes,
    /// The concert is canceled or archived.
    Closed,
}

impl ChangeRefusal {
    /// What a form and the API say of it, and beside which field; `None`: it concerns the whole.
    #[must_use]
    pub fn words(&self) -> (Option<&'static str>, String) {
        let (field, sentence) = match self {
            Self::SlugTaken => (Some("slug"), "Another concert has or had this address."),
            Self::NameTaken => (Some("name"), "Another ticket type has this name."),
            Self::CurrencyInUse => (
                Some("currency"),
                "Existing bookings or prices can’t be moved to this currency. Nothing was changed.",
            ),
            Self::CapacityTooLow { lowest } => {
                let lowest = crate::money::grouped(lowest);
                let sentence = format!("{lowest} are sold or held, so {lowest} is the lowest number.");
                return (Some("capacity"), sentence);
            }
            Self::ChangedMeanwhile => (
                None,
                "Someone else has changed this since you opened it. Nothing was changed. Open it again to see how \
                 it is now, then make your change.",
            ),
            Self::TooManyTicketTypes => {
                let most = ticket_type_fields::TICKET_TYPES_MAX;
                return (None, format!("A concert has up to {most} ticket types."));
            }
            Self::Closed => (None, "A canceled or archived concert can’t be changed."),
        };
        (field, sentence.to_owned())
    }

    /// Whether the organizer can correct a field of the form. All other refusals conflict with the current
    /// state.
    #[must_use]
    pub fn is_correctable(&self) -> bool {
        matches!(self, Self::SlugTaken | Self::NameTaken)
    }
}
