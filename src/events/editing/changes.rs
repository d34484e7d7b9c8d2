//! What a change did, in words for the audit log: "price: 10.00 → 12.00". Of long texts and contact details
//! it names only the field, not the content: the log keeps its entries forever.

use chrono::NaiveDateTime;

use crate::events::{Event, TicketType};
use crate::money::Money;

/// What is different about a concert, a line for each.
#[must_use]
pub fn of_event(before: &Event, now: &Event) -> String {
    let time = |event: &Event, at: Option<NaiveDateTime>| {
        at.map_or_else(nothing, |at| event.clock().local(&at).format("%Y-%m-%d %H:%M").to_string())
    };
    let times = |at: fn(&Event) -> Option<NaiveDateTime>| (time(before, at(before)), time(now, at(now)));
    let fee = |event: &Event| match event.refund_fee_minor {
        Some(fee) => Money::new(fee, &event.currency).number(),
        None => "all".into(),
    };
    let number = |number: Option<i32>| number.map_or_else(nothing, |number| number.to_string());
    let deadline = |event: &Event| event.cancellation_deadline_minutes.map_or_else(nothing, before_start);
    let changes = [
        change("name", &before.name, &now.name),
        change("address of the page", &before.slug, &now.slug),
        change("tagline", &before.tagline, &now.tagline),
        silent("description", before.description == now.description),
        change("venue", &before.venue, &now.venue),
        change("address", &before.address, &now.address),
        change("city", &before.city, &now.city),
        pair("starts", times(|it| Some(it.starts_at))),
        pair("doors", times(|it| it.doors_at)),
        pair("ends", times(|it| Some(it.ends_at))),
        change("time zone", &before.time_zone, &now.time_zone),
        change("currency", &before.currency, &now.currency),
        change("paid", before.payment.as_str(), now.payment.as_str()),
        pair("kept of a refund", (fee(before), fee(now))),
        pair("sales start", times(|it| it.sales_start_at)),
        pair("sales end", times(|it| it.sales_end_at)),
        pair("age limit", (number(before.age_limit), number(now.age_limit))),
        silent("accessibility", before.accessibility == now.accessibility),
        change("organizer", &before.organizer_name, &now.organizer_name),
        silent("organizer’s contact", before.organizer_contact == now.organizer_contact),
        silent("picture", before.image == now.image),
        silent("picture’s description", before.image_alt == now.image_alt),
        pair("listed", (yes(before.listed), yes(now.listed))),
        pair("tickets may be given back until", times(|it| it.returns_until)),
        pair("cancellation deadline", (deadline(before), deadline(now))),
    ];
    lines(changes)
}

/// What is different about a ticket type, a line for each.
#[must_use]
pub fn of_ticket_type(event: &Event, before: &TicketType, now: &TicketType) -> String {
    let price = |it: &TicketType| Money::new(it.price_minor, &event.currency).number();
    let time = |at: Option<NaiveDateTime>| {
        at.map_or_else(nothing, |at| event.clock().local(&at).format("%Y-%m-%d %H:%M").to_string())
    };
    let limit = |it: &TicketType| it.max_per_person.map_or_else(nothing, |number| number.to_string());
    let text = |number: i32| number.to_string();
    let tax = |it: &TicketType| it.tax_percent().unwrap_or_else(nothing);
    let changes = [
        change("name", &before.name, &now.name),
        silent("description", before.description == now.description),
        pair("price", (price(before), price(now))),
        pair("tax", (tax(before), tax(now))),
        pair("capacity", (text(before.capacity), text(now.capacity))),
        pair("limit per booking", (text(before.max_per_booking), text(now.max_per_booking))),
        pair("limit per person", (limit(before), limit(now))),
        pair("sales start", (time(before.sales_start_at), time(now.sales_start_at))),
        pair("sales end", (time(before.sales_end_at), time(now.sales_end_at))),
        change("state", before.state.as_str(), now.state.as_str()),
        silent("look", (&before.icon, before.accent) == (&now.icon, now.accent)),
    ];
    lines(changes)
}

fn before_start(minutes: i32) -> String {
    match minutes % 60 {
        0 => format!("{} h before the start", minutes / 60),
        _ => format!("{minutes} min before the start"),
    }
}

fn nothing() -> String {
    "none".into()
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.into()
}

fn change(what: &str, before: &str, now: &str) -> Option<String> {
    let shown = |text: &str| if text.is_empty() { nothing() } else { text.to_owned() };
    pair(what, (shown(before), shown(now)))
}

fn pair(what: &str, (before, now): (String, String)) -> Option<String> {
    (before != now).then(|| format!("{what}: {before} → {now}"))
}

fn silent(what: &str, is_same: bool) -> Option<String> {
    (!is_same).then(|| format!("{what}: changed"))
}

fn lines(changes: impl IntoIterator<Item = Option<String>>) -> String {
    changes.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn what_is_the_same_is_not_listed() {
        let before = event();
        let moved =
            Event { venue: "The Cellar".into(), organizer_contact: "x@example.org".into(), ..event() };
        assert_eq!(of_event(&before, &event()), "");
        let words = of_event(&before, &moved);
        assert!(words.ends_with("→ The Cellar\norganizer’s contact: changed"), "{words}");
        let pictured = Event { image: Some("x".into()), image_alt: "Ada".into(), ..event() };
        let words = of_event(&before, &pictured);
        assert_eq!(words, "picture: changed\npicture’s description: changed");
    }
}
