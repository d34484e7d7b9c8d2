//! Links to all bookings of an address. A link contains the address and its expiry, sealed: no table is
//! needed, and a link in a log does not show the address. An opened link becomes a cookie, and the browser is
//! redirected to a URL without the link, so the link is neither in its history nor in a Referer.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{DateTime, Utc};

use super::LINK_LIFETIME;
use crate::guard::cookies::Cookies;
use crate::guard::sealing::Sealer;
use crate::guard::secret::{Purpose, Secrets};

/// What the seal is bound to.
const NAME: &str = "bookings";
/// The cookie that holds a link that was opened.
const COOKIE: &str = "bookings";

/// Seals and opens links with the site's secrets.
#[derive(Clone)]
pub struct BookingLinks {
    sealer: Sealer,
}

impl BookingLinks {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { sealer: Sealer::new(secrets, Purpose::BookingLinks) }
    }

    /// The path of the list of an address's bookings, which opens from `now` on for a while.
    #[must_use]
    pub fn path(&self, email: &str, now: DateTime<Utc>) -> String {
        let until = (now + LINK_LIFETIME).timestamp();
        format!("/bookings?link={}", self.sealer.seal_for_url(NAME, &format!("{until} {email}")))
    }

    /// The address that a link is for; `None` when the link has expired, or was not made here.
    #[must_use]
    pub fn open(&self, link: &str, now: DateTime<Utc>) -> Option<String> {
        let opened = self.sealer.open_from_url(NAME, link)?;
        let (until, email) = opened.split_once(' ')?;
        (now.timestamp() < until.parse().ok()?).then(|| email.to_owned())
    }

    /// The address that a link was opened for in this browser, as long as the link is valid.
    #[must_use]
    pub fn opened(&self, cookies: &Cookies, request: &HttpRequest) -> Option<String> {
        self.open(&cookies.open(request, COOKIE)?, Utc::now())
    }
}

/// The cookie that keeps a link open. Not `Strict`: the visit begins in a mail program, so the browser would
/// not send a strict cookie with the redirect of that visit.
#[must_use]
pub fn cookie(cookies: &Cookies, link: &str) -> Cookie<'static> {
    let lifetime = Duration::minutes(LINK_LIFETIME.num_minutes());
    cookies.sealed(COOKIE, link).same_site(SameSite::Lax).max_age(lifetime).finish()
}

/// The cookie that makes the browser forget an opened link.
#[must_use]
pub fn closing_cookie(cookies: &Cookies) -> Cookie<'static> {
    cookies.removal(COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_for_a_while_and_only_what_it_was_made_for() {
        let links = BookingLinks::new(&"a secret".into());
        let now = Utc::now();
        for email in ["ada@example.org", "jürgen.o'neill+x@müller.example", &"x".repeat(254)] {
            let path = links.path(email, now);
            let link = path.strip_prefix("/bookings?link=").unwrap();
            assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{link}");
            assert!(link.len() <= 1024 && !link.contains(email));
            assert_eq!(links.open(link, now).as_deref(), Some(email));
            let second = chrono::TimeDelta::seconds(1);
            assert!(links.open(link, now + LINK_LIFETIME - second).is_some());
            assert_eq!(links.open(link, now + LINK_LIFETIME), None);
            assert_ne!(links.path(email, now), path);

            let mut altered = link.to_owned();
            altered.replace_range(20..21, if &altered[20..21] == "A" { "B" } else { "A" });
            for bad in ["", "x", "=", "ü", &altered, &link[1..], &format!("{link}A"), &"A".repeat(2_000)] {
                assert_eq!(links.open(bad, now), None, "{bad}");
            }
        }
    }

    #[test]
    fn a_secret_that_was_replaced_still_opens_its_links() {
        let now = Utc::now();
        let path = BookingLinks::new(&"before".into()).path("ada@example.org", now);
        let rotated = Secrets::new("after".into(), vec!["before".into()]);
        let link = path.strip_prefix("/bookings?link=").unwrap();
        assert_eq!(BookingLinks::new(&rotated).open(link, now).as_deref(), Some("ada@example.org"));
        assert_eq!(BookingLinks::new(&"after".into()).open(link, now), None);
    }
}
