//! The organizer's pages: watching the sale, finding and canceling bookings, concerts, payments, the team, the
//! account, the audit log. Except for signing in and out and the link of an invitation, every page is behind an
//! extractor of [`access`](crate::auth::access). What organizers change is recorded in the
//! [audit log](crate::audit).
//!
//! How a password is checked does not belong here (see `auth`), nor do the rules of booking and canceling (see
//! `booking`).

pub mod account;
pub mod audit_log;
pub mod booking_list;
pub mod bookings;
pub mod cancellation;
mod code_question;
pub mod correction;
pub mod csv_file;
mod duration;
pub mod events;
pub mod export;
mod export_file;
pub mod gates;
pub mod history;
pub mod listing;
pub mod pages;
pub mod password_change;
pub mod payments;
mod refusal;
pub mod reseed;
pub mod resumption;
pub mod second_factor;
pub mod setup;
pub mod sign_in;
pub mod sign_in_code;
pub mod spreadsheet;
pub mod store;
pub mod team;
pub mod terms;
pub mod tokens;
mod typed_form;
pub mod workbook;
mod zip;

use chrono::NaiveDateTime;

use crate::booking::BookingStatus;
use crate::money::Money;
use crate::outbox::MailState;
use crate::venue_clock::VenueClock;

/// The state of a booking's confirmation.
pub struct ConfirmationStatus {
    pub state: Option<MailState>,
    pub last_error: Option<String>,
}

/// A row of a list of bookings.
pub struct ListedBooking {
    pub reference: String,
    /// "2 × VIP, 1 × Front Row"
    pub tickets: String,
    pub total: Money,
    pub buyer_name: String,
    /// `None` when the buyer gave none: see [`Booking::has_address`](crate::booking::Booking::has_address).
    pub buyer_email: Option<String>,
    pub status: BookingStatus,
    /// How many of its tickets were given back, while others are left.
    pub canceled_tickets: i32,
    /// The state of its confirmation.
    pub mail: Option<ConfirmationStatus>,
    /// UTC.
    pub created_at: NaiveDateTime,
    /// The clock of the whole list.
    pub clock: VenueClock,
    pub event_name: String,
}

impl ListedBooking {
    /// When it was made: "Nov 22, 1:05 PM CST", on one clock for all bookings of a list.
    #[must_use]
    pub fn local_time(&self) -> String {
        self.clock.short_zone(&self.created_at)
    }
}
