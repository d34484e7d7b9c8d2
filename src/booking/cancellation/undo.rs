//! A booking that took one click can be undone with another click, for a few seconds. This is a cancellation
//! to which the concert's deadline does not apply. Only the browser that booked may do it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{NaiveDateTime, TimeDelta};

use crate::booking::Booking;
use crate::guard::cookies::Cookies;

/// How long a booking can be undone. `css/confirmation.css` shows the button for the same time.
pub const UNDO_FOR: TimeDelta = TimeDelta::seconds(10);
/// The name of the cookie that says which booking the browser has made with one click.
const COOKIE: &str = "undo";

/// Whether a booking is young enough. `now`: UTC, by the database's clock.
#[must_use]
pub fn is_open(booking: &Booking, now: NaiveDateTime) -> bool {
    booking.is_confirmed() && now - booking.created_at < UNDO_FOR
}

/// The cookie of a booking that took one click. The server decides how long it is valid ([`is_open`]), not
/// the browser.
#[must_use]
pub fn cookie(cookies: &Cookies, booking: &Booking) -> Cookie<'static> {
    let cookie = cookies.sealed(COOKIE, &booking.token);
    cookie.same_site(SameSite::Lax).max_age(Duration::minutes(1)).finish()
}

/// Whether this is the cookie that [`cookie`] makes.
#[must_use]
pub fn is_cookie(cookie: &Cookie<'_>) -> bool {
    cookie.name().ends_with(COOKIE)
}

/// Whether this browser has made the booking with one click.
#[must_use]
pub fn is_allowed(cookies: &Cookies, request: &HttpRequest, token: &str) -> bool {
    cookies.open(request, COOKIE).is_some_and(|booked| booked == token)
}
