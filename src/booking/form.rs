//! The checkout form: the text as it was typed, and the order that it means.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::Utc;
use serde::Deserialize;

use super::buyer::{Buyer, Contact, parse_email, parse_name};
use super::correction::form::suggestion;
use super::order::NoWayToPay;
use super::request_key::{FormAges, RequestKey, RequestKeyError, RequestKeys};
use super::{NotOnSale, Order, OrderLine, QuantityError, messages, parse_more, parse_quantity};
use crate::events::TicketType;
use crate::events::board::{Board, Listing};
use crate::money::Money;

/// The fields as a browser sends them. A missing field reads as an empty one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BookingForm {
    /// The ticket type that was chosen first.
    pub ticket_type: String,
    /// How many of it.
    pub quantity: String,
    pub name: String,
    pub email: String,
    pub request_key: String,
    /// Not empty: the address that was [suggested](Self::suggested_email) for the typed one is the right one.
    pub use_suggestion: String,
    /// The honeypot: people do not see this field, so only a program fills it in.
    pub remarks: String,
    /// Not empty: the browser is to remember the buyer.
    pub remember: String,
    /// The total that the form shows, in the currency's minor unit. Empty where it shows none.
    pub total: String,
    /// The price of a ticket of the chosen type that the page shows, where it shows no total.
    pub price: String,
    /// "online" or "venue", where the concert leaves the choice.
    pub pay: String,
    /// Not empty: the buyer is the one that the browser remembers.
    pub one_click: String,
    /// Among other fields `quantity_ID`: how many of the concert's other ticket types.
    #[serde(flatten)]
    others: HashMap<String, String>,
}

/// What is wrong, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    /// By ticket type.
    pub quantities: BTreeMap<i64, String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The form as a whole.
    pub form: Option<String>,
    /// A link beside the message about the form: to the booking that this form has made before, to the search
    /// for it, or to the waiting room.
    pub link: Option<String>,
}

impl FieldErrors {
    /// Only the form as a whole is wrong.
    #[must_use]
    pub fn of_form(message: &str) -> Self {
        Self { form: Some(message.to_owned()), ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a form is refused before the desk is asked.
pub enum Refused {
    Fields(Box<FieldErrors>),
    /// It shows another total than the tickets cost.
    OtherTotal(Money),
    NotOnSale(i64, NotOnSale),
    NoSuchTicketType,
}

impl Refused {
    fn of(errors: FieldErrors) -> Self {
        Self::Fields(Box::new(errors))
    }
}

impl BookingForm {
    /// A fresh form.
    #[must_use]
    pub fn of_tickets(ticket_type: String, quantity: String) -> Self {
        Self { ticket_type, quantity, ..Self::default() }
    }

    /// Whether the browser is to remember the buyer.
    #[must_use]
    pub fn is_to_be_remembered(&self) -> bool {
        !self.remember.is_empty()
    }

    #[must_use]
    pub fn is_one_click(&self) -> bool {
        !self.one_click.is_empty()
    }

    /// The form with a remembered buyer's details.
    #[must_use]
    pub fn of_buyer(self, buyer: &Buyer) -> Self {
        let (name, email) = (buyer.name.clone(), buyer.shown_email());
        Self { name, email, remember: "1".into(), ..self }
    }

    /// What was typed as the quantity of a ticket type. An empty field means 0, except for the ticket type
    /// that was chosen first.
    #[must_use]
    pub fn quantity_of(&self, id: i64) -> &str {
        if self.is_main(id) {
            return &self.quantity;
        }
        // True of every form for one ticket type. This saves building the name of the field.
        if self.others.is_empty() {
            return "0";
        }
        self.others
            .get(&format!("quantity_{id}"))
            .map_or("0", |typed| if typed.trim().is_empty() { "0" } else { typed })
    }

    /// Replaces what was typed as the quantity of a ticket type.
    pub fn set_quantity(&mut self, id: i64, quantity: i32) {
        if self.is_main(id) {
            self.quantity = quantity.to_string();
        } else {
            self.others.insert(format!("quantity_{id}"), quantity.to_string());
        }
    }

    fn is_main(&self, id: i64) -> bool {
        self.ticket_type.parse() == Ok(id)
    }

    /// The address that the typed one probably means, as people read it.
    #[must_use]
    pub fn suggested_email(&self) -> Option<String> {
        suggestion(&self.email)
    }

    /// Puts the suggested address in place of the typed one, where the buyer has chosen it.
    pub fn accept_suggestion(&mut self) {
        if !std::mem::take(&mut self.use_suggestion).is_empty()
            && let Some(suggested) = self.suggested_email()
        {
            self.email = suggested;
        }
    }

    /// The order that the form means, whatever the concert sells now; `None` when it means none. The caller
    /// uses it to find what the form has booked before.
    #[must_use]
    pub fn read(&self, keys: &RequestKeys) -> Option<Order> {
        let main = OrderLine {
            ticket_type_id: self.ticket_type.parse().ok()?,
            quantity: parse_quantity(&self.quantity, i32::MAX).ok()?,
        };
        let other = |(field, typed): (&String, &String)| {
            let ticket_type_id = field.strip_prefix("quantity_")?.parse().ok()?;
            Some(OrderLine { ticket_type_id, quantity: parse_more(typed, i32::MAX).ok()? })
        };
        let lines = [main].into_iter().chain(self.others.iter().filter_map(other));
        let contact = Contact::Email(parse_email(&self.email).ok()?);
        let buyer = Buyer { name: parse_name(&self.name).ok()?, contact };
        let key = self.parse_request_key(keys).ok()?;
        Some(Order::new(lines, buyer, key.as_str().to_owned()))
    }

    /// The concert on the board, and its ticket type that was chosen first.
    #[must_use]
    pub fn find_chosen(&self, board: &Board) -> Option<(Arc<Listing>, TicketType)> {
        // Digits alone: `parse` would take a sign.
        let is_number = self.ticket_type.bytes().all(|byte| byte.is_ascii_digit());
        let id = self.ticket_type.parse().ok().filter(|_| is_number)?;
        let listing = board.find_by_ticket_type(id)?;
        let ticket_type = listing.ticket_type(id)?.clone();
        Some((listing, ticket_type))
    }

    /// The order that the form means, as far as the board knows what is on sale.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(
        &self,
        board: &Board,
        keys: &RequestKeys,
        ages: FormAges,
        can_pay_online: bool,
    ) -> Result<Arc<Order>, Refused> {
        let (listing, ticket_type) = self.find_chosen(board).ok_or(Refused::NoSuchTicketType)?;
        // First: if sales are closed, nothing else that is wrong with the form matters.
        if let Some(why) = NotOnSale::of(listing.sale_state(ticket_type.id)) {
            return Err(Refused::NotOnSale(ticket_type.id, why));
        }
        let order = self.parse(&listing, keys).map_err(Refused::of)?;
        let order = order.at_total(self.shown_total());
        if let Some((id, why)) = order.closed_line(board) {
            return Err(Refused::NotOnSale(id, why));
        }
        if let Some(total) = self.other_total(&order, &listing) {
            return Err(Refused::OtherTotal(total));
        }
        // A form is dated by the clock of the server that made it, and a pass by the database's.
        let is_pass = keys.kept_pass(&order.request_key).is_some();
        let now = if is_pass { board.now().and_utc() } else { Utc::now() };
        let age = ages.check(&order.request_key, now);
        age.map_err(|error| Refused::of(FieldErrors::of_form(messages::form_age(error))))?;
        // One click asks nothing, so it pays online: the way that the checkout offers first.
        let wants_online = self.pay == "online" || (self.is_one_click() && self.pay.is_empty());
        let order = order.held_if_paid_online(&listing, wants_online, can_pay_online);
        let refused = |NoWayToPay| Refused::of(FieldErrors::of_form(messages::NO_WAY_TO_PAY));
        order.map(Arc::new).map_err(refused)
    }

    /// The order that the form means.
    ///
    /// # Errors
    /// A message for each field that is wrong.
    pub fn parse(&self, listing: &Listing, keys: &RequestKeys) -> Result<Order, FieldErrors> {
        let (lines, mut errors) = self.parse_lines(listing);
        if self.wants_others_than(&listing.ticket_types) {
            errors.form = Some(messages::GONE.into());
        }
        let name = noted(&mut errors.name, parse_name(&self.name).map_err(messages::name));
        let email = noted(&mut errors.email, parse_email(&self.email).map_err(messages::email));
        let key = noted(&mut errors.form, self.parse_request_key(keys).map_err(messages::request_key));
        match (name, email, key) {
            (Some(name), Some(email), Some(key)) if errors.is_empty() => {
                let buyer = Buyer { name, contact: Contact::Email(email) };
                Ok(Order::new(lines, buyer, key.as_str().to_owned()))
            }
            _ => Err(errors),
        }
    }

    /// The tickets that it means, and what is wrong with quantities.
    #[must_use]
    pub fn parse_lines(&self, listing: &Listing) -> (Vec<OrderLine>, FieldErrors) {
        let mut errors = FieldErrors::default();
        let mut lines = Vec::new();
        for ticket_type in &listing.ticket_types {
            match self.parse_quantity_of(ticket_type) {
                Ok(quantity) => lines.push(OrderLine { ticket_type_id: ticket_type.id, quantity }),
                Err(error) => {
                    errors.quantities.insert(ticket_type.id, messages::quantity(error, ticket_type));
                }
            }
        }
        (lines, errors)
    }

    /// The total that the page has shown; `None`: it has shown none. The concert's page, where one click
    /// books, shows the price of a ticket instead.
    fn shown_total(&self) -> Option<i64> {
        if let Ok(total) = self.total.parse() {
            return Some(total);
        }
        let price: i64 = self.price.parse().ok()?;
        let quantity = parse_quantity(&self.quantity, i32::MAX).ok()?;
        Some(price.saturating_mul(quantity.into()))
    }

    /// What the order costs now, where the form shows something else.
    #[must_use]
    pub fn other_total(&self, order: &Order, listing: &Listing) -> Option<Money> {
        let shown = self.shown_total()?;
        // Where too few are left the desk says how many, and the total is shown with those.
        let of = |line: &OrderLine| listing.ticket_type(line.ticket_type_id);
        if order.lines().iter().any(|line| of(line).is_some_and(|it| it.available < line.quantity)) {
            return None;
        }
        let cost =
            |line: &OrderLine| of(line).map_or(0, |it| it.price_minor).saturating_mul(line.quantity.into());
        let minor = order.lines().iter().map(cost).sum();
        (minor != shown).then(|| Money::new(minor, &listing.event.currency))
    }

    /// Whether it wants tickets of a type that is not among these: one that was taken off sale since.
    fn wants_others_than(&self, types: &[TicketType]) -> bool {
        self.others.iter().any(|(field, typed)| {
            let id = field.strip_prefix("quantity_").and_then(|id| id.parse::<i64>().ok());
            let is_known = id.is_none_or(|id| types.iter().any(|ticket_type| ticket_type.id == id));
            !is_known && parse_more(typed, i32::MAX) != Ok(0)
        })
    }

    fn parse_quantity_of(&self, ticket_type: &TicketType) -> Result<i32, QuantityError> {
        let (typed, most) = (self.quantity_of(ticket_type.id), ticket_type.most_per_booking());
        if self.is_main(ticket_type.id) { parse_quantity(typed, most) } else { parse_more(typed, most) }
    }

    fn parse_request_key(&self, keys: &RequestKeys) -> Result<RequestKey, RequestKeyError> {
        if !self.remarks.is_empty() {
            return Err(RequestKeyError::Honeypot);
        }
        keys.verify(&self.request_key).ok_or(RequestKeyError::Invalid)
    }
}

/// The value, or `None` with the message noted beside its field.
fn noted<T, M: Into<String>>(field: &mut Option<String>, parsed: Result<T, M>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(message) => {
            *field = Some(message.into());
            None
        }
    }
}
