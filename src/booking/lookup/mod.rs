//! Finding bookings again: whoever has lost the links names an email address, and the address gets a mail with
//! one link to all of its bookings.
//!
//! Nobody learns whether an address is known: known or not, the same is said, after the same time. Nor is
//! anybody flooded: an address is written to once in [`PAUSE`] at most, whoever asks.

pub mod link;
pub mod pages;
pub mod store;

use std::time::Duration;

use chrono::TimeDelta;

/// Between two mails to an address.
pub const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// How long the link of a mail opens anything, from when the mail is written.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// After which the answer comes, whether there was much to do or little: many times as long as that takes.
const ANSWER_AFTER: Duration = Duration::from_millis(400);
