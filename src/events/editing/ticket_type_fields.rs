//! The fields of a ticket type: as they are shown, and as they are read.

use chrono::NaiveDateTime;

use super::local_time;
use super::sale_fields::{check_sales, tax_rate};
use super::typed::{
    FieldFaults, FieldReader, TypedFields, line, number, optional_number, price, price_field, required_line,
};
use crate::events::{Event, TicketType, TicketTypeState};

/// What a form sends, in the order in which a page asks.
pub const TICKET_TYPE_FIELDS: [&str; 13] = [
    "name",
    "description",
    "price",
    "tax_rate",
    "capacity",
    "max_per_booking",
    "max_per_person",
    "sales_start_at",
    "sales_start_at_offset",
    "sales_end_at",
    "sales_end_at_offset",
    "icon",
    "accent",
];
/// Checkboxes: a browser sends them only when they are checked.
pub const TICKET_TYPE_BOXES: [&str; 1] = ["hidden"];

/// Most ticket types of one concert.
pub const TICKET_TYPES_MAX: usize = 20;
const NAME_LENGTH_MAX: usize = 60;
const DESCRIPTION_LENGTH_MAX: usize = 300;
pub const CAPACITY_MAX: i32 = 1_000_000;
/// Far below the highest seat number that a ticket's code can hold.
const PER_BOOKING_MAX: i32 = 100;
const PER_BOOKING_USUAL: i32 = 10;

/// The pictures that a ticket type can have, and what a page calls them.
pub const ICONS: [(&str, &str); 4] =
    [("", "Ticket"), ("crown", "Crown"), ("guitar", "Guitar"), ("users", "People")];
/// The colors that a ticket type can have, and what a page calls them.
pub const ACCENTS: [(&str, &str); 4] =
    [("", "By its place in the list"), ("1", "Gold"), ("2", "Pink"), ("3", "Teal")];

/// A ticket type as an organizer wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketTypeFacts {
    pub name: String,
    pub description: String,
    pub price_minor: i64,
    /// Included in the price, in hundredths of a percent.
    pub tax_rate: Option<i32>,
    pub capacity: i32,
    pub max_per_booking: i32,
    pub max_per_person: Option<i32>,
    /// UTC.
    pub sales_start_at: Option<NaiveDateTime>,
    /// UTC.
    pub sales_end_at: Option<NaiveDateTime>,
    pub icon: Option<String>,
    pub accent: Option<i32>,
    pub hidden: bool,
}

impl TicketTypeFacts {
    /// Its new state, after the state `before`. A hidden ticket type that is shown again is on sale.
    #[must_use]
    pub fn state(&self, before: TicketTypeState) -> TicketTypeState {
        match (self.hidden, before) {
            (true, _) => TicketTypeState::Hidden,
            (false, TicketTypeState::Hidden) => TicketTypeState::OnSale,
            (false, before) => before,
        }
    }
}

/// The fields of a new ticket type.
#[must_use]
pub fn blank() -> TypedFields {
    TypedFields::new([("max_per_booking", PER_BOOKING_USUAL.to_string())])
}

/// The fields of a ticket type as it is.
#[must_use]
pub fn of(ticket_type: &TicketType, event: &Event) -> TypedFields {
    let zone = event.clock().0;
    let time = |at: Option<NaiveDateTime>| at.map(|at| local_time::field(at, zone)).unwrap_or_default();
    let offset =
        |at: Option<NaiveDateTime>| at.map(|at| local_time::offset_field(at, zone)).unwrap_or_default();
    let text = |number: Option<i32>| number.map(|it| it.to_string()).unwrap_or_default();
    let is_hidden = ticket_type.state == TicketTypeState::Hidden;
    TypedFields::new([
        ("name", ticket_type.name.clone()),
        ("description", ticket_type.description.clone()),
        ("price", price_field(ticket_type.price_minor, &event.currency)),
        ("tax_rate", ticket_type.tax_percent().unwrap_or_default()),
        ("capacity", ticket_type.capacity.to_string()),
        ("max_per_booking", ticket_type.max_per_booking.to_string()),
        ("max_per_person", text(ticket_type.max_per_person)),
        ("sales_start_at", time(ticket_type.sales_start_at)),
        ("sales_start_at_offset", offset(ticket_type.sales_start_at)),
        ("sales_end_at", time(ticket_type.sales_end_at)),
        ("sales_end_at_offset", offset(ticket_type.sales_end_at)),
        ("icon", ticket_type.icon.clone().unwrap_or_default()),
        ("accent", text(ticket_type.accent)),
        ("hidden", if is_hidden { "true".to_owned() } else { String::new() }),
    ])
}

/// Reads the fields of a ticket type of that concert.
///
/// # Errors
/// What is wrong, by field.
pub fn read(typed: &TypedFields, event: &Event) -> Result<TicketTypeFacts, FieldFaults> {
    let zone = event.clock().0;
    let mut reader = FieldReader::new(typed);
    let sales_start_at = reader.time("sales_start_at", zone);
    let sales_end_at = reader.time("sales_end_at", zone);
    let facts = TicketTypeFacts {
        name: reader.read("name", |it| required_line(it, NAME_LENGTH_MAX, "Enter a name, like Front Row.")),
        description: reader.read("description", |it| line(it, DESCRIPTION_LENGTH_MAX)),
        price_minor: reader.read("price", |it| price(it, &event.currency)),
        tax_rate: reader.read("tax_rate", tax_rate),
        capacity: reader.read("capacity", |it| number(it, 1, CAPACITY_MAX)),
        max_per_booking: reader.read("max_per_booking", |it| match it {
            "" => Ok(PER_BOOKING_USUAL),
            it => number(it, 1, PER_BOOKING_MAX),
        }),
        max_per_person: reader.read("max_per_person", |it| optional_number(it, 1, CAPACITY_MAX)),
        sales_start_at,
        sales_end_at,
        icon: reader.read("icon", |it| choice(it, &ICONS)),
        accent: reader.read("accent", |it| Ok(choice(it, &ACCENTS)?.and_then(|it| it.parse().ok()))),
        hidden: typed.is_checked("hidden"),
    };
    let mut faults = reader.faults;
    // The limit per person never exceeds the capacity, also when the capacity goes down.
    let max_per_person = facts.max_per_person.map(|most| most.min(facts.capacity.max(1)));
    let facts = TicketTypeFacts { max_per_person, ..facts };
    check_sales(facts.sales_start_at, facts.sales_end_at, event.starts_at, event.ends_at, &mut faults);
    if faults.is_empty() { Ok(facts) } else { Err(faults) }
}

fn choice(typed: &str, choices: &[(&str, &str)]) -> Result<Option<String>, String> {
    match choices.iter().find(|(value, _)| *value == typed) {
        Some((value, _)) => Ok((!value.is_empty()).then(|| (*value).to_owned())),
        None => Err("Choose one from the list.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::{event, ticket_type};

    #[test]
    fn a_ticket_type_is_read_as_it_is_shown() {
        let vip = TicketType { max_per_person: Some(4), icon: Some("crown".into()), ..ticket_type(5) };
        let facts = read(&of(&vip, &event()), &event()).expect("valid");
        assert_eq!((facts.price_minor, facts.capacity, facts.max_per_person), (10_000, 100, Some(4)));
        assert_eq!((facts.icon.as_deref(), facts.accent, facts.hidden), (Some("crown"), None, false));
        assert_eq!(facts.state(TicketTypeState::Paused), TicketTypeState::Paused);
        assert_eq!(facts.state(TicketTypeState::Hidden), TicketTypeState::OnSale);
    }

    #[test]
    fn each_fault_is_beside_its_field() {
        for (field, value) in [
            ("name", ""),
            ("price", ""),
            ("price", "1.500"),
            ("capacity", "0"),
            ("capacity", "1000001"),
            ("capacity", "ten"),
            ("max_per_booking", "0"),
            ("max_per_booking", "101"),
            ("max_per_person", "0"),
            ("sales_start_at", "2027-03-14T02:30"),
            ("sales_end_at", "2199-01-01T00:00"),
            ("icon", "bomb"),
            ("accent", "4"),
        ] {
            let mut typed = of(&ticket_type(5), &event());
            typed.set(field, value);
            let faults = read(&typed, &event()).expect_err(value);
            assert_eq!(faults.iter().map(|it| it.0).collect::<Vec<_>>(), [field], "{value}");
        }
    }
}
