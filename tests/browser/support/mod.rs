//! The parts of a journey: a [`Site`] of its own, and [`Visitor`]s who use it in real Chromium.

mod buyer;
mod chromium;
mod mails;
mod odd;
mod organizer;
mod site;
mod visitor;

pub use buyer::{CONFIRM, CONFIRMATION, EMAIL, NAME};
pub use site::{Site, Tier};
pub use visitor::{Scheme, Visitor};
