//! The fields of a concert: as they are shown, and as they are read.

use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::sale_fields::{check_sales, payment, refund_fee, refund_fee_field};
use super::typed::{FieldFaults, FieldReader, TypedFields, line, optional_number, required_line, text};
use super::{currencies, local_time, markdown, moved_start, slug};
use crate::events::{Event, PaymentChoice};

/// What a form sends. Each time has an offset beside it, for local times that exist twice.
pub const EVENT_FIELDS: [&str; 26] = [
    "name",
    "slug",
    "tagline",
    "description",
    "venue",
    "address",
    "city",
    "starts_at",
    "starts_at_offset",
    "doors_at",
    "doors_at_offset",
    "ends_at",
    "ends_at_offset",
    "time_zone",
    "currency",
    "payment",
    "refund_fee",
    "sales_start_at",
    "sales_start_at_offset",
    "sales_end_at",
    "sales_end_at_offset",
    "age_limit",
    "accessibility",
    "organizer_name",
    "organizer_contact",
    "image_alt",
];
/// Checkboxes: a browser sends them only when they are checked.
pub const EVENT_BOXES: [&str; 1] = ["unlisted"];

pub const NAME_LENGTH_MAX: usize = 80;
const LINE_LENGTH_MAX: usize = 200;
const TAGLINE_LENGTH_MAX: usize = 160;
const IMAGE_ALT_LENGTH_MAX: usize = 250;
const ACCESSIBILITY_LENGTH_MAX: usize = 1_000;
pub const DESCRIPTION_LENGTH_MAX: usize = 10_000;
const AGE_MAX: i32 = 99;
/// How long a show takes when nobody says when it ends.
const USUAL_LENGTH: TimeDelta = TimeDelta::hours(3);
/// The longest festival.
pub(super) const LENGTH_MAX: TimeDelta = TimeDelta::days(31);

/// A concert as an organizer wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    pub name: String,
    /// `None`: one is made from the name.
    pub slug: Option<String>,
    pub tagline: String,
    /// Markdown.
    pub description: String,
    pub venue: String,
    pub address: String,
    pub city: String,
    /// UTC, as all times here.
    pub starts_at: NaiveDateTime,
    pub doors_at: Option<NaiveDateTime>,
    pub ends_at: NaiveDateTime,
    pub time_zone: Tz,
    pub currency: String,
    pub payment: PaymentChoice,
    /// The fee that is kept for each returned ticket that was paid for online. `None`: nothing is refunded.
    pub refund_fee_minor: Option<i64>,
    pub sales_start_at: Option<NaiveDateTime>,
    pub sales_end_at: Option<NaiveDateTime>,
    pub age_limit: Option<i32>,
    pub accessibility: String,
    pub organizer_name: String,
    pub organizer_contact: String,
    pub image_alt: String,
    pub listed: bool,
}

/// The fields of a new concert. `like`: one whose currency, time zone and organizer are probably the same.
#[must_use]
pub fn blank(like: Option<&Event>) -> TypedFields {
    let texts = [("currency", "USD"), ("payment", PaymentChoice::Venue.as_str()), ("refund_fee", "0")];
    let mut fields = TypedFields::new(texts.map(|(field, text)| (field, text.to_owned())));
    if let Some(like) = like {
        fields.set("currency", like.currency.as_str());
        fields.set("time_zone", like.time_zone.as_str());
        fields.set("organizer_name", like.organizer_name.as_str());
        fields.set("organizer_contact", like.organizer_contact.as_str());
    }
    fields
}

/// The fields of a copy: everything but its address and its dates.
#[must_use]
pub fn copy_of(event: &Event) -> TypedFields {
    let mut fields = of(event);
    for field in ["slug", "starts_at", "doors_at", "ends_at", "sales_start_at", "sales_end_at"] {
        fields.set(field, "");
    }
    for field in [
        "starts_at_offset",
        "doors_at_offset",
        "ends_at_offset",
        "sales_start_at_offset",
        "sales_end_at_offset",
    ] {
        fields.set(field, "");
    }
    fields
}

/// The fields of a concert as it is.
#[must_use]
pub fn of(event: &Event) -> TypedFields {
    let zone = event.clock().0;
    let time = |at: Option<NaiveDateTime>| at.map(|at| local_time::field(at, zone)).unwrap_or_default();
    let offset =
        |at: Option<NaiveDateTime>| at.map(|at| local_time::offset_field(at, zone)).unwrap_or_default();
    let (starts, ends) = (Some(event.starts_at), Some(event.ends_at));
    TypedFields::new([
        ("name", event.name.clone()),
        ("slug", event.slug.clone()),
        ("tagline", event.tagline.clone()),
        ("description", event.description.clone()),
        ("venue", event.venue.clone()),
        ("address", event.address.clone()),
        ("city", event.city.clone()),
        ("starts_at", time(starts)),
        ("starts_at_offset", offset(starts)),
        ("doors_at", time(event.doors_at)),
        ("doors_at_offset", offset(event.doors_at)),
        ("ends_at", time(ends)),
        ("ends_at_offset", offset(ends)),
        ("time_zone", event.time_zone.clone()),
        ("currency", event.currency.clone()),
        ("payment", event.payment.as_str().to_owned()),
        ("refund_fee", refund_fee_field(event.refund_fee_minor, &event.currency)),
        ("sales_start_at", time(event.sales_start_at)),
        ("sales_start_at_offset", offset(event.sales_start_at)),
        ("sales_end_at", time(event.sales_end_at)),
        ("sales_end_at_offset", offset(event.sales_end_at)),
        ("age_limit", event.age_limit.map(|age| age.to_string()).unwrap_or_default()),
        ("accessibility", event.accessibility.clone()),
        ("organizer_name", event.organizer_name.clone()),
        ("organizer_contact", event.organizer_contact.clone()),
        ("image_alt", event.image_alt.clone()),
        ("unlisted", if event.listed { String::new() } else { "true".to_owned() }),
    ])
}

/// Reads the fields. `before`: the concert as it is, if it exists; its date may stay in the past. `now`: UTC.
///
/// # Errors
/// What is wrong, by field.
pub fn read(
    typed: &TypedFields,
    before: Option<&Event>,
    now: NaiveDateTime,
) -> Result<EventFacts, FieldFaults> {
    let mut reader = FieldReader::new(typed);
    let zone = reader.read("time_zone", |it| local_time::read_zone(it).map(Some)).unwrap_or(Tz::UTC);
    let knows_zone = reader.faults.is_empty();
    // Without a zone no time can be read, and one fault, that of the zone, is enough.
    let mut time = |field| if knows_zone { reader.time(field, zone) } else { None };
    let starts_at = time("starts_at");
    let (mut doors_at, mut ends_at) = (time("doors_at"), time("ends_at"));
    if let (Some(before), Some(starts_at)) = (before, starts_at) {
        doors_at = doors_at.map(|at| moved_start::doors(at, before, starts_at, zone));
        ends_at = ends_at.map(|at| moved_start::end(at, before, starts_at, zone));
    }
    let (sales_start_at, sales_end_at) = (time("sales_start_at"), time("sales_end_at"));
    if typed.value("starts_at").trim().is_empty() {
        reader.faults.add("starts_at", "Enter when the concert starts.");
    }
    let currency = reader.read("currency", currencies::read);
    let facts = EventFacts {
        name: reader.read("name", |it| required_line(it, NAME_LENGTH_MAX, "Enter the concert’s name.")),
        slug: reader.read("slug", slug::read),
        tagline: reader.read("tagline", |it| line(it, TAGLINE_LENGTH_MAX)),
        description: reader.read("description", description),
        venue: reader.read("venue", |it| line(it, LINE_LENGTH_MAX)),
        address: reader.read("address", |it| line(it, LINE_LENGTH_MAX)),
        city: reader.read("city", |it| line(it, LINE_LENGTH_MAX)),
        starts_at: starts_at.unwrap_or_default(),
        doors_at,
        ends_at: ends_at.or(starts_at.map(|at| at + USUAL_LENGTH)).unwrap_or_default(),
        time_zone: zone,
        payment: reader
            .read("payment", payment)
            .or(before.map(|it| it.payment))
            .unwrap_or(PaymentChoice::Venue),
        refund_fee_minor: reader.read("refund_fee", |it| refund_fee(it, &currency)),
        currency,
        sales_start_at,
        sales_end_at,
        age_limit: reader.read("age_limit", |it| optional_number(it, 1, AGE_MAX)),
        accessibility: reader.read("accessibility", |it| text(it, ACCESSIBILITY_LENGTH_MAX)),
        organizer_name: reader.read("organizer_name", |it| line(it, LINE_LENGTH_MAX)),
        organizer_contact: reader.read("organizer_contact", |it| line(it, LINE_LENGTH_MAX)),
        image_alt: reader.read("image_alt", |it| line(it, IMAGE_ALT_LENGTH_MAX)),
        listed: !typed.is_checked("unlisted"),
    };
    let mut faults = reader.faults;
    if starts_at.is_some() {
        check_order(&facts, before, now, &mut faults);
    }
    if faults.is_empty() { Ok(facts) } else { Err(faults) }
}

fn description(typed: &str) -> Result<String, String> {
    let description = text(typed, DESCRIPTION_LENGTH_MAX)?;
    if markdown::is_too_deep(&description) {
        return Err("Lists and quotations are nested too deeply.".to_owned());
    }
    Ok(description)
}

/// Doors, start and end follow each other, and so do the start and the end of sales.
fn check_order(facts: &EventFacts, before: Option<&Event>, now: NaiveDateTime, faults: &mut FieldFaults) {
    let is_moved = before.is_none_or(|before| before.starts_at != facts.starts_at);
    if is_moved && facts.starts_at <= now {
        faults.add("starts_at", "This is in the past.");
    }
    if facts.doors_at.is_some_and(|doors| doors > facts.starts_at) {
        faults.add("doors_at", "Doors must open at the start or before it.");
    }
    if facts.doors_at.is_some_and(|doors| doors + LENGTH_MAX < facts.starts_at) {
        faults.add("doors_at", "Doors open long before the start. Check the date.");
    }
    if facts.ends_at <= facts.starts_at {
        faults.add("ends_at", "The end must be after the start.");
    }
    if facts.ends_at > facts.starts_at + LENGTH_MAX {
        faults.add("ends_at", "A concert can last 31 days at most. Check the date.");
    }
    check_sales(facts.sales_start_at, facts.sales_end_at, facts.starts_at, facts.ends_at, faults);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    fn typed(changes: &[(&'static str, &str)]) -> TypedFields {
        let mut fields = TypedFields::new([
            ("name", "Night".to_owned()),
            ("starts_at", "2027-06-19T20:00".to_owned()),
            ("time_zone", "America/Chicago".to_owned()),
            ("currency", "USD".to_owned()),
            ("refund_fee", "0".to_owned()),
        ]);
        for (field, value) in changes {
            fields.set(field, *value);
        }
        fields
    }

    fn faulty(changes: &[(&'static str, &str)]) -> Vec<&'static str> {
        let faults = read(&typed(changes), None, NaiveDateTime::default()).err().unwrap_or_default();
        faults.iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_concert_needs_a_name_a_start_and_a_zone() {
        let facts = read(&typed(&[]), None, NaiveDateTime::default()).expect("valid");
        assert_eq!(facts.ends_at - facts.starts_at, USUAL_LENGTH);
        assert!(facts.listed && facts.slug.is_none());
        assert_eq!(faulty(&[("name", "")]), ["name"]);
        assert_eq!(faulty(&[("starts_at", " ")]), ["starts_at"]);
        assert_eq!(faulty(&[("time_zone", "")]), ["time_zone"]);
        assert_eq!(faulty(&[("time_zone", "Atlantis"), ("starts_at", "")]), ["starts_at", "time_zone"]);
    }

    #[test]
    fn times_follow_each_other() {
        for (changes, field) in [
            (&[("doors_at", "2027-06-19T20:01")][..], "doors_at"),
            (&[("doors_at", "2026-06-19T19:00")], "doors_at"),
            (&[("ends_at", "2027-06-19T20:00")], "ends_at"),
            (&[("ends_at", "2027-08-19T20:00")], "ends_at"),
            (&[("sales_end_at", "2027-06-20T23:00")], "sales_end_at"),
            (&[("sales_start_at", "2027-06-19T20:00")], "sales_start_at"),
            (&[("sales_start_at", "2027-06-02T20:00"), ("sales_end_at", "2027-06-01T20:00")], "sales_end_at"),
            (&[("starts_at", "1999-06-19T20:00")], "starts_at"),
            (&[("age_limit", "0")], "age_limit"),
            (&[("age_limit", "abc")], "age_limit"),
            (&[("slug", "a b")], "slug"),
            (&[("currency", "XXX")], "currency"),
        ] {
            assert_eq!(faulty(changes), [field], "{changes:?}");
        }
        assert_eq!(
            faulty(&[("doors_at", "2027-06-19T20:00"), ("sales_end_at", "2027-06-19T21:00")]),
            [""; 0]
        );
        let past = read(&typed(&[]), None, NaiveDateTime::default() + TimeDelta::days(36_500));
        assert_eq!(past.expect_err("in the past").of("starts_at").as_deref(), Some("This is in the past."));
    }

    #[test]
    fn what_is_shown_is_read_as_it_is() {
        let event = Event { age_limit: Some(18), listed: false, organizer_name: "Hall".into(), ..event() };
        let facts = read(&of(&event), Some(&event), event.ends_at).expect("valid, though it is over");
        assert_eq!((facts.starts_at, facts.ends_at, facts.listed), (event.starts_at, event.ends_at, false));
        assert_eq!((facts.age_limit, facts.slug.as_deref()), (Some(18), Some("show")));
        let copy = copy_of(&event);
        assert_eq!((copy.value("starts_at"), copy.value("slug"), copy.value("venue")), ("", "", "Hall"));
    }
}
