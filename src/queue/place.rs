//! A visitor's place: a number and the time of arrival, sealed in a cookie. The same browser keeps the same place in
//! every tab, after the back button and after days.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use chrono::{DateTime, NaiveDateTime, TimeDelta};

use super::Room;
use crate::guard::cookies::Cookies;

/// Hexadecimal digits of a number: 80 bits.
const NUMBER_LENGTH: usize = 20;
/// How many days after the draw, or after an arrival that is later, a place ends.
const GOOD_DAYS: i64 = 7;

/// A place in a concert's waiting room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlace {
    /// What is drawn, as pages show it: 20 hexadecimal digits.
    pub number: String,
    /// UTC, by the database's clock, in milliseconds.
    pub arrived_at: NaiveDateTime,
}

impl QueuePlace {
    /// A new place for a visitor who arrives then. The time is cut to whole milliseconds, as the cookie keeps
    /// it.
    #[must_use]
    pub fn generate(arrived_at: NaiveDateTime) -> Self {
        let random: [u8; NUMBER_LENGTH / 2] = rand::random();
        let milliseconds = arrived_at.and_utc().timestamp_millis();
        let arrived_at =
            DateTime::from_timestamp_millis(milliseconds).map_or(arrived_at, |it| it.naive_utc());
        Self { number: hex::encode(random), arrived_at }
    }

    /// Whether a text can be a place's number.
    #[must_use]
    pub fn is_number(text: &str) -> bool {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == NUMBER_LENGTH && text.bytes().all(is_digit)
    }

    /// The number in groups of four digits, for people.
    #[must_use]
    pub fn grouped_number(&self) -> String {
        let groups = self.number.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group));
        groups.collect::<Vec<_>>().join(" ")
    }

    /// The place that a browser keeps in this room at that time (UTC). A place of an earlier draw does not
    /// count. A place, also in a copied cookie, ends some days after the draw or after its arrival, whichever
    /// is later. Before the draw no place ends, because people may register weeks ahead.
    #[must_use]
    pub fn of_request(
        cookies: &Cookies,
        request: &HttpRequest,
        room: &Room,
        now: NaiveDateTime,
    ) -> Option<Self> {
        let text = cookies.open(request, &cookie_name(room.event_id))?;
        let (place, draw) = text.rsplit_once('.')?;
        let place = Self::parse(place).filter(|_| draw == room.draw_name())?;
        let since = room.opened_at.map_or(now, |drawn_at| drawn_at.max(place.arrived_at));
        (now - since < TimeDelta::days(GOOD_DAYS)).then_some(place)
    }

    /// The cookie that keeps it until its concert is over, which is `left` from now: the draw may be weeks ahead, and
    /// may be put off. [`QueuePlace::of_request`] says for how long the place is good.
    #[must_use]
    pub fn cookie(&self, cookies: &Cookies, room: &Room, left: TimeDelta) -> Cookie<'static> {
        let text = format!("{}.{}", self.text(), room.draw_name());
        let cookie = cookies.sealed(&cookie_name(room.event_id), &text);
        cookie.same_site(SameSite::Lax).max_age(Duration::seconds(left.num_seconds())).finish()
    }

    pub(super) fn text(&self) -> String {
        format!("{}.{}", self.number, self.arrived_at.and_utc().timestamp_millis())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, milliseconds) = text.split_once('.')?;
        let arrived_at = DateTime::from_timestamp_millis(milliseconds.parse().ok()?)?.naive_utc();
        Self::is_number(number).then(|| Self { number: number.to_owned(), arrived_at })
    }
}

/// One for each concert. The value is sealed under its name, so that a place counts at its own concert only.
fn cookie_name(event_id: i64) -> String {
    format!("place-{event_id}")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::COOKIE;
    use actix_web::test::TestRequest;

    use super::*;
    use crate::queue::tests::{at, room};

    #[test]
    fn a_browser_keeps_its_place_for_one_concert() {
        let cookies = Cookies::new(&"a secret".into(), false);
        let place = QueuePlace::generate(at(5));
        assert!(QueuePlace::is_number(&place.number), "{place:?}");
        assert_ne!(QueuePlace::generate(at(5)).number, place.number);
        let room = |event_id| Room { event_id, ..room() };
        let left = TimeDelta::days(90);
        let cookie = place.cookie(&cookies, &room(7), left);
        assert_eq!(cookie.max_age(), Some(Duration::days(90)), "as long as its concert is to come");
        let value = cookie.value().to_owned();
        let found = |name: &str, value: &str, room: &Room| {
            let header = (COOKIE, format!("{name}={value}"));
            let request = TestRequest::default().insert_header(header).to_http_request();
            QueuePlace::of_request(&cookies, &request, room, at(6))
        };
        assert_eq!(found("place-7", &value, &room(7)), Some(place.clone()));
        let header = (COOKIE, format!("place-7={value}"));
        let request = TestRequest::default().insert_header(header).to_http_request();
        let drawn = Room { opened_at: Some(at(6)), ..room(7) };
        let found_after = |days, room: &Room| {
            QueuePlace::of_request(&cookies, &request, room, at(6) + TimeDelta::days(days)).is_some()
        };
        assert!(found_after(30, &room(7)), "registered a month before the draw");
        assert!(found_after(6, &drawn));
        // Seen to fail without the check: a copy never ended.
        assert!(!found_after(7, &drawn));
        assert_eq!(found("place-8", &value, &room(8)), None, "copied to another concert");
        assert_eq!(found("place-7", &place.text(), &room(7)), None, "forged");
        let again = Room { seed_hash: "0".repeat(64), ..room(7) };
        assert_eq!(found("place-7", &value, &again), None, "of an earlier draw");
        let foreign =
            place.cookie(&Cookies::new(&"another".into(), false), &room(7), left).value().to_owned();
        assert_eq!(found("place-7", &foreign, &room(7)), None);
    }

    #[test]
    fn only_what_was_written_is_read() {
        let place = QueuePlace { number: "0123456789abcdef0123".into(), arrived_at: at(5) };
        assert_eq!(QueuePlace::parse(&place.text()), Some(place.clone()));
        assert_eq!(place.grouped_number(), "0123 4567 89ab cdef 0123");
        for bad in
            ["", ".", "0123456789abcdef0123", "0123456789abcdef0123.x", "0123456789ABCDEF0123.1", "x.1"]
        {
            assert_eq!(QueuePlace::parse(bad), None, "{bad}");
        }
    }
}
