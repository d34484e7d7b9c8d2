//! A concert as search engines read it: `MusicEvent` of schema.org, as JSON-LD.

use serde_json::{Map, Value, json};

use super::board::Listing;
use super::editing::markdown;
use super::sale::SaleState;
use super::sharing::{SITE_NAME, SharedPage};
use super::{Event, EventState, TicketType};

const SCHEMA: &str = "https://schema.org";

/// The text of a `<script type="application/ld+json">`. Browsers read it as data and never run it, so the
/// site's content security policy does not apply; `<`, `>` and `&` are escaped, so that nothing in a name
/// ends the element.
#[must_use]
pub fn music_event(listing: &Listing, site: &str, shared: &SharedPage) -> String {
    let event = &listing.event;
    let local = |at| event.clock().local(at).to_rfc3339();
    let offers: Vec<Value> = listing.ticket_types.iter().map(|it| offer(listing, it, &shared.url)).collect();
    let mut data = json!({
        "@context": SCHEMA,
        "@type": "MusicEvent",
        "name": event.name,
        "description": description(event),
        "startDate": event.machine_time(),
        "endDate": local(&event.ends_at),
        "eventStatus": status(event),
        "location": location(event),
        "organizer": organizer(event, site),
        "offers": offers,
    });
    if let Some(data) = data.as_object_mut() {
        insert(data, "previousStartDate", event.postponed_from.as_ref().map(local));
        insert(data, "doorTime", event.doors_at.as_ref().map(local));
        insert(data, "image", shared.picture.as_ref().map(|picture| vec![picture.url.clone()]));
        insert(data, "typicalAgeRange", event.age_limit.map(|age| format!("{age}-")));
    }
    escaped(&data)
}

/// Plain text.
fn description(event: &Event) -> String {
    if event.description.is_empty() { event.tagline.clone() } else { markdown::to_text(&event.description) }
}

fn status(event: &Event) -> String {
    let status = match event.state {
        EventState::Canceled => "EventCancelled",
        _ if event.postponed_from.is_some() => "EventRescheduled",
        _ => "EventScheduled",
    };
    format!("{SCHEMA}/{status}")
}

fn location(event: &Event) -> Value {
    let mut address = Map::new();
    address.insert("@type".into(), "PostalAddress".into());
    insert(&mut address, "streetAddress", Some(event.address.as_str()).filter(|it| !it.is_empty()));
    insert(&mut address, "addressLocality", Some(event.city.as_str()));
    json!({ "@type": "Place", "name": event.venue, "address": address })
}

/// The organizer; if none is known, the site that sells the tickets.
fn organizer(event: &Event, site: &str) -> Value {
    let name = if event.organizer_name.is_empty() { SITE_NAME } else { &event.organizer_name };
    let mut links = event.organizer_contacts().into_iter().filter_map(|contact| contact.href);
    let page = links.find(|it| it.starts_with("http"));
    let mut organizer = Map::new();
    organizer.insert("@type".into(), "Organization".into());
    insert(&mut organizer, "name", Some(name));
    insert(&mut organizer, "url", Some(page.as_deref().unwrap_or(site)));
    insert(&mut organizer, "email", event.organizer_email());
    Value::Object(organizer)
}

fn offer(listing: &Listing, ticket_type: &TicketType, url: &str) -> Value {
    let event = &listing.event;
    let price = ticket_type.price(event);
    let state = listing.sale_state(ticket_type.id);
    let availability = match state {
        SaleState::OnSale if ticket_type.is_sold_out() => "SoldOut",
        SaleState::OnSale if ticket_type.is_low_stock() => "LimitedAvailability",
        // A ticket type that is not on sale yet is available from `validFrom` on.
        SaleState::OnSale | SaleState::NotYet(_) => "InStock",
        SaleState::Ended | SaleState::Paused | SaleState::Canceled | SaleState::Hidden => "OutOfStock",
    };
    let mut offer = json!({
        "@type": "Offer",
        "name": ticket_type.name,
        "url": url,
        "price": price.number(),
        "priceCurrency": price.currency,
        "availability": format!("{SCHEMA}/{availability}"),
    });
    let (starts, _) = event.sales_window(ticket_type);
    if let Some(offer) = offer.as_object_mut() {
        insert(offer, "validFrom", starts.map(|at| event.clock().local(&at).to_rfc3339()));
    }
    offer
}

fn insert(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

/// JSON allows an escape for any character in a string, and these characters occur only in strings.
fn escaped(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
