//! Bookings and their pages.

mod cancellation;
mod correction;
mod email_suggestion;
mod form;
mod form_again;
mod form_keys;
mod holds;
mod lines;
pub(crate) mod lookup;
mod one_click;
mod person_limit;
