//! Addresses that want no mail. A booking needs no proof that its address is the buyer's own, so each mail to
//! a buyer has a link that stops all further mails for a while: for people who never booked.
//!
//! Some kinds are sent all the same: what somebody has just asked for (the link to all bookings, a place in a
//! waiting room), news of money that goes back, and the notice that a booking has a new address. Without that
//! notice a stranger could first stop the owner's mails and then change the address. Nobody is locked out:
//! the link also allows mails again, and a stop ends by itself.
//!
//! How many mails an address gets does not belong here: see `mail::sender`.

pub mod pages;
pub mod store;

use chrono::TimeDelta;

use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};

/// How long an address gets no mail.
pub const STOPPED_FOR: TimeDelta = TimeDelta::days(30);
/// What the seal is bound to.
const NAME: &str = "emails";

/// Seals and opens the links with the site's secrets. They hold the address, and never end.
#[derive(Clone)]
pub struct SuppressionLinks {
    sealer: Sealer,
}

impl SuppressionLinks {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::BookingLinks) }
    }

    /// The path of the page that stops the mails to an address.
    #[must_use]
    pub fn path(&self, email: &str) -> String {
        format!("/emails?link={}", self.sealer.seal_for_url(NAME, email))
    }

    /// The address that a link is for; `None` when it was never ours.
    #[must_use]
    pub fn open(&self, link: &str) -> Option<String> {
        self.sealer.open_from_url(NAME, link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_address_and_no_other_link_does() {
        let links = SuppressionLinks::new(&"a secret".into());
        let path = links.path("ada@example.org");
        let link = path.strip_prefix("/emails?link=").expect("a link");
        assert_eq!(links.open(link).as_deref(), Some("ada@example.org"));
        let lookup = crate::booking::lookup::link::BookingLinks::new(&"a secret".into());
        let other = lookup.path("ada@example.org", chrono::Utc::now());
        assert_eq!(links.open(other.strip_prefix("/bookings?link=").expect("a link")), None);
        assert_eq!(lookup.open(link, chrono::Utc::now()), None, "it opens no bookings");
        for bad in ["", "x", &link[1..], &format!("{link}A")] {
            assert_eq!(links.open(bad), None, "{bad}");
        }
    }
}
