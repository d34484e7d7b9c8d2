//! What pages of waiting rooms say about the stock and the line. They say only what the counts support: how
//! many tickets are left, and how many are held and may come back.

use super::Flow;
use super::open_room::OpenRoom;
use crate::events::board::Listing;
use crate::money::grouped;

/// What is left: "120 left · 34 held, may come back until 8:14 PM CDT".
#[must_use]
pub fn stock(open: &OpenRoom, listing: &Listing) -> String {
    let held = open.supply.held;
    let until = listing.ticket_types.iter().filter_map(|it| listing.held(it.id)).map(|it| it.until).max();
    let may_come_back = match until {
        Some(until) if held > 0 => {
            let until = listing.event.clock().hour_minute_zone(&until);
            Some(format!("{} held, may come back until {until}", grouped(held)))
        }
        _ => None,
    };
    let left = match open.supply.left {
        0 => "Nothing available right now".to_owned(),
        left => format!("{} left", grouped(left)),
    };
    [Some(left), may_come_back].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Why the line stands still or moves slowly; empty when it moves as usual.
#[must_use]
pub fn movement(open: &OpenRoom, stands_still: bool) -> &'static str {
    match open.room.flow {
        _ if open.is_sold_out() => "Sold out.",
        _ if stands_still => "The line stands still for a moment. Your place is kept.",
        _ if open.room.opened_at.is_some() && open.supply.is_closed => {
            "The sale is paused, and so is the line. Your place is kept."
        }
        Flow::Stopped => "The organizer has stopped the line for now. Your place is kept.",
        _ if open.room.opened_at.is_some() && open.supply.left == 0 => {
            "All remaining tickets are on hold for other buyers. If any are released, the line moves on."
        }
        Flow::Slow => "The line moves slowly for now.",
        Flow::Open => "",
    }
}

/// How long somebody waits behind so many people: "about 4 minutes". `None`: the line stands still.
#[must_use]
pub fn wait(people: i64, per_minute: i64) -> Option<String> {
    if per_minute <= 0 {
        return None;
    }
    Some(match (people.max(0) + per_minute - 1) / per_minute {
        ..=1 => "about a minute".into(),
        minutes @ 2..=90 => format!("about {minutes} minutes"),
        minutes => format!("about {} hours", (minutes + 30) / 60),
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::events::tests::{event, ticket_type};
    use crate::events::{Concert, HeldTickets};
    use crate::queue::Room;
    use crate::queue::draw::Position;
    use crate::queue::line::QueueLine;
    use crate::queue::pace::Supply;
    use crate::queue::rooms::supply_of;
    use crate::queue::tests::{at, drawn};

    fn listing(available: i32, held: i32) -> Listing {
        // 8:14 PM in Chicago.
        let until = event().starts_at - TimeDelta::days(10);
        let until = until.date().and_hms_opt(2, 14, 0).expect("a time");
        let held = HeldTickets { ticket_type_id: 1, quantity: held, until };
        let concert = Concert {
            event: event(),
            ticket_types: vec![ticket_type(available)],
            held: Some(held).filter(|it| it.quantity > 0).into_iter().collect(),
            former_slugs: Vec::new(),
        };
        Listing::new(concert, event().starts_at - TimeDelta::days(20))
    }

    fn open(listing: &Listing, flow: Flow) -> OpenRoom {
        let room = Room { flow, ..drawn(at(0), Position::default()) };
        OpenRoom::new(room, QueueLine::default(), supply_of(listing))
    }

    #[test]
    fn the_last_tickets_are_counted_honestly() {
        let stock = |available, held| {
            let listing = listing(available, held);
            super::stock(&open(&listing, Flow::Open), &listing)
        };
        assert_eq!(stock(120, 0), "120 left");
        let held = stock(120, 34);
        assert!(held.starts_with("120 left · 34 held, may come back until 8:14\u{a0}PM"), "{held}");
        assert!(stock(0, 34).starts_with("Nothing available right now · 34 held"), "{}", stock(0, 34));
    }

    #[test]
    fn the_line_says_why_it_stands_still() {
        let movement =
            |available, held, flow, still| super::movement(&open(&listing(available, held), flow), still);
        assert_eq!(movement(10, 0, Flow::Open, false), "");
        assert!(movement(10, 0, Flow::Stopped, false).contains("organizer"));
        assert!(movement(10, 0, Flow::Open, true).contains("stands still"));
        assert!(movement(0, 5, Flow::Open, false).contains("on hold"));
        assert_eq!(movement(0, 0, Flow::Stopped, true), "Sold out.");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (people, per_minute, words) in [
            (0, 60, Some("about a minute")),
            (60, 60, Some("about a minute")),
            (61, 60, Some("about 2 minutes")),
            (5400, 60, Some("about 90 minutes")),
            (7200, 60, Some("about 2 hours")),
            (5, 0, None),
        ] {
            assert_eq!(wait(people, per_minute).as_deref(), words, "{people} at {per_minute}");
        }
    }

    #[test]
    fn an_unopened_room_says_nothing_of_the_sale() {
        let listing = listing(10, 0);
        let room = Room { opened_at: None, ..drawn(at(0), Position::default()) };
        let open =
            OpenRoom::new(room, QueueLine::default(), Supply { is_closed: true, ..supply_of(&listing) });
        assert_eq!(super::movement(&open, false), "");
    }
}
