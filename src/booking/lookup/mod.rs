//! Finding bookings again: a buyer who has lost the links enters an email address, and the address gets a mail with
//! one link to all of its bookings.
//!
//! The answer does not tell whether an address is known: it is the same, after the same time. An address gets
//! at most one such mail in [`PAUSE`], so nobody can be flooded with them.
//!
//! The organizer's search does not belong here: see `booking::search`.

pub mod link;
pub mod pages;
pub mod store;

use std::time::Duration;

use chrono::TimeDelta;

/// Between two mails to an address.
pub const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// How long the link of a mail works, from when the mail is written.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// How long the answer to an address takes, whether there was much to do or little. The work itself takes
/// only a small part of it.
const ANSWER_AFTER: Duration = Duration::from_millis(400);
