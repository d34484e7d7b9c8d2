//! A booking that took one click can be taken back with another one, for a moment. It is a cancellation that no
//! deadline bars; only the browser that booked may do it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{NaiveDateTime, TimeDelta};

use crate::booking::Booking;
use crate::guard::cookies::Cookies;

/// For so long after a booking it can be undone. `css/confirmation.css` shows the button for as long.
pub const UNDO_FOR: TimeDelta = TimeDelta::seconds(10);
/// The name of the cookie that says which booking the browser has made with one click.
const COOKIE: &str = "undo";

/// Whether a booking is young enough. `now`: UTC, by the database's clock.
#[must_use]
pub fn is_open(booking: &Booking, now: NaiveDateTime) -> bool {
    booking.is_confirmed() && now - booking.created_at < UNDO_FOR
}

/// The cookie of a booking that took one click. How long it is good for is not for the browser to decide.
#[must_use]
pub fn cookie(cookies: &Cookies, booking: &Booking) -> Cookie<'static> {
    let cookie = cookies.sealed(COOKIE, &booking.token);
    cookie.same_site(SameSite::Lax).max_age(Duration::minutes(1)).finish()
}

/// Whether it is the cookie of [`cookie`].
#[must_use]
pub fn is_cookie(cookie: &Cookie<'_>) -> bool {
    cookie.name().ends_with(COOKIE)
}

/// Whether this browser has made the booking with one click.
#[must_use]
pub fn is_allowed(cookies: &Cookies, request: &HttpRequest, token: &str) -> bool {
    cookies.open(request, COOKIE).is_some_and(|booked| booked == token)
}
