//! The sentences of the booking pages: what buyers read when a field is wrong or a booking is rejected. The
//! rules return typed errors; this file has their words.

use chrono::NaiveDateTime;

use super::buyer::{EmailError, NameError, is_visible, shown_email};
use super::cancellation::ChoiceError;
use super::request_key::{FormAgeError, RequestKeyError};
use super::{Booking, NotOnSale, PlacedBooking, QuantityError};
use crate::error::Error;
use crate::events::{Event, TicketType};
use crate::money::Money;
use crate::tickets::Seat;

const EXPIRED: &str = "This page expired, so nothing was booked. Check your details and confirm again.";
pub const GONE: &str = "Some of these tickets are no longer on sale, so nothing was booked. Check your tickets and confirm again.";
pub const NO_WAY_TO_PAY: &str = "This concert takes online payment, which isn’t available right now. Nothing was booked. Please try again later.";
pub const KEY_REUSED: &str = "You already booked with this form. Check your details to book again.";
/// This browser does not fill in the form anymore.
pub const FORGOTTEN: &str = "This browser no longer remembers your name and email address.";
pub const REPLAYED_CANCELED: &str = "That booking was canceled. Nothing new was booked.";
pub const REPLAYED_EXPIRED: &str = "The time to pay for that booking has run out. Please book again.";
pub const REPLAYED_HELD: &str =
    "These tickets are held for you to pay online. To pay at the venue, release them and book again.";
pub const TOO_LATE_TO_UNDO: &str = "It’s too late to undo this booking, but you can still cancel it here.";

/// The form shows another total than its tickets cost: a quantity was changed in a browser without scripts,
/// or the price was changed.
#[must_use]
pub fn new_total(total: &Money) -> String {
    format!("The total is now {total}. Nothing was booked yet. Check your tickets and confirm again.")
}

/// What to do about a failure where the same form may succeed in a moment; `None` where it may not.
#[must_use]
pub fn again(error: &Error) -> Option<String> {
    match error {
        Error::Busy => Some(
            "We’re very busy and couldn’t book this yet. Your details are still here: press the button again in a moment. You won’t be booked twice.".into(),
        ),
        Error::OutcomeUnknown => Some(
            "We lost the connection to our database and don’t know yet whether you were booked. Press the button again: it shows your booking if there is one, and never books twice.".into(),
        ),
        Error::RateLimited { wait_seconds } => {
            let seconds = if *wait_seconds == 1 { "second" } else { "seconds" };
            Some(format!(
                "Too many tickets were booked from your network. Nothing was booked. Wait {wait_seconds} {seconds}, then press the button again. Your details are still here."
            ))
        }
        Error::Database(_) | Error::Internal(_) => Some(
            "Something broke backstage, and it’s been logged. Your details are still here: press the button again. You won’t be booked twice.".into(),
        ),
        _ => None,
    }
}

/// Until when a buyer may cancel, for somebody who has not booked yet.
#[must_use]
pub fn cancellation_rule(event: &Event, now: NaiveDateTime) -> String {
    match event.cancellation_deadline() {
        Some(deadline) if event.is_cancellable(now) => format!("You can cancel online until {deadline}."),
        Some(_) => "Online cancellation has closed for this concert.".into(),
        None => "This concert doesn’t offer online cancellation.".into(),
    }
}

/// Names the limit, and what is left where that is less.
#[must_use]
pub fn quantity(error: QuantityError, ticket_type: &TicketType) -> String {
    let most = ticket_type.most_per_booking();
    let limit = match (error, most) {
        (QuantityError::Zero, _) => return "Choose at least 1 ticket.".into(),
        (QuantityError::NoNumber, 2..) => format!("Choose 1 to {most} tickets."),
        (_, 1) if ticket_type.max_per_person == Some(1) => "One person can book 1 ticket.".into(),
        (_, 1) => "You can book 1 ticket at a time.".into(),
        _ if ticket_type.max_per_person == Some(most) => {
            format!("One person can book up to {most} tickets.")
        }
        _ => format!("You can book up to {most} tickets at a time."),
    };
    match ticket_type.available {
        left if left > 0 && left < most => format!("{limit} {}", ticket_type.limit_words()),
        _ => limit,
    }
}

#[must_use]
pub fn name(error: NameError) -> &'static str {
    match error {
        NameError::Missing => "Enter your name.",
        NameError::Invisible => "This name contains invisible characters. Please retype it.",
        NameError::TooManyMarks => "This name has too many accents on one letter. Please retype it.",
        NameError::NoLetter => "Enter a name with at least one letter.",
        NameError::TooLong => "Use 100 characters or fewer.",
        NameError::Address => {
            "A name cannot contain a web or email address. If this is a name, put a space after each dot."
        }
    }
}

#[must_use]
pub fn email(error: EmailError) -> String {
    const VALID: &str = "Enter a valid email address";
    match error {
        EmailError::Missing => "Enter the email address for your tickets.".into(),
        EmailError::Several => format!("{VALID}: one address, with one @."),
        EmailError::Character(' ') => format!("{VALID}, without a space in it."),
        EmailError::Character(c) if is_visible(c) => {
            format!("{VALID}, without “{c}”: not every mail server accepts it.")
        }
        EmailError::Character(c) => {
            format!("{VALID}, without the invisible character U+{:04X}.", u32::from(c))
        }
        EmailError::Invalid => format!("{VALID}, like name@example.com."),
    }
}

/// As [`email`], for somebody who buys no ticket.
#[must_use]
pub fn own_email(error: EmailError) -> String {
    match error {
        EmailError::Missing => "Enter your email address.".into(),
        error => email(error),
    }
}

#[must_use]
pub fn request_key(error: RequestKeyError) -> &'static str {
    match error {
        RequestKeyError::Honeypot => {
            "Your browser filled in a hidden anti-spam field, so nothing was booked. Please confirm again."
        }
        RequestKeyError::Invalid => EXPIRED,
    }
}

#[must_use]
pub fn form_age(error: FormAgeError) -> &'static str {
    match error {
        FormAgeError::TooYoung => "That was unusually fast, so nothing was booked yet. Please confirm again.",
        FormAgeError::TooOld => EXPIRED,
    }
}

/// For an order without a pass, or with one that has expired. The form may have been opened before there was
/// a waiting room.
pub const WAITING_ROOM: &str =
    "Nothing was booked: this concert has a waiting room. Take a place there, and book when it’s your turn.";

/// Why a ticket type is not on sale.
#[must_use]
pub fn not_on_sale(why: NotOnSale, ticket_type: &TicketType) -> String {
    let name = &ticket_type.name;
    match why {
        NotOnSale::NotYet => format!("{name} tickets aren’t on sale yet. Nothing was booked."),
        NotOnSale::Ended => format!("Sales of {name} tickets have ended. Nothing was booked."),
        NotOnSale::Paused => format!("The organizer has paused sales of {name} tickets. Nothing was booked."),
        NotOnSale::Canceled => "This concert has been canceled. Nothing was booked.".into(),
        NotOnSale::WaitingRoom => WAITING_ROOM.into(),
    }
}

#[must_use]
pub fn not_enough(left: i32, ticket_type: &TicketType) -> String {
    match left {
        ..=0 => format!("Sorry, the last {} ticket just sold.", ticket_type.name),
        1 => "Only 1 ticket left. We changed your quantity to 1.".into(),
        _ => format!("Only {left} tickets left. We changed your quantity to {left}."),
    }
}

/// Does not say how many the address holds: the reader may have typed someone else's address.
#[must_use]
pub fn over_person_limit(limit: i32, asked: i32, ticket_type: &TicketType) -> String {
    let tickets = if limit == 1 { "ticket" } else { "tickets" };
    let name = &ticket_type.name;
    format!(
        "Limit: {limit} {name} {tickets} per person, counting all bookings under one email address. You can’t book {asked} more under this one. Choose fewer, or check “Find my tickets” for what you already have."
    )
}

#[must_use]
pub fn too_late_to_cancel(event: &Event) -> String {
    let why = match event.cancellation_deadline() {
        Some(deadline) => format!("Online cancellation closed on {deadline}."),
        None => "This concert doesn’t offer online cancellation.".into(),
    };
    format!("{why} To cancel, contact {}", organizer(event))
}

/// The end of a sentence that sends the buyer to the organizer.
#[must_use]
pub fn organizer(event: &Event) -> String {
    match event.organizer_line() {
        line if line.is_empty() => "the organizer.".into(),
        line => format!("the organizer: {line}"),
    }
}

/// The buyer was corrected; `new_email`: where the tickets are sent to, when it is a new address.
#[must_use]
pub fn corrected(new_email: Option<&str>) -> String {
    match new_email {
        Some(email) => format!("Changed. We’re emailing the tickets to {}.", shown_email(email)),
        None => "Changed.".into(),
    }
}

/// It is too late both to undo and to cancel.
#[must_use]
pub fn too_late_for_all(event: &Event) -> String {
    format!("It’s too late to undo this booking. {}", too_late_to_cancel(event))
}

#[must_use]
pub fn choice(error: ChoiceError) -> &'static str {
    match error {
        ChoiceError::NothingChosen => "Choose at least one ticket.",
        ChoiceError::Admitted => {
            "A ticket was scanned at the entrance, so it can’t be canceled. Nothing was changed yet."
        }
        ChoiceError::Returned => "Some of these tickets were already canceled. Nothing was changed.",
    }
}

/// What was canceled: the whole booking, or these tickets of it.
#[must_use]
pub fn canceled(placed: &PlacedBooking, seats: Option<&[i32]>) -> String {
    match seats {
        Some([seat]) => format!("Canceled: ticket {seat} of booking {}", placed.booking.reference),
        Some(seats) if seats.len() < Seat::all_of(placed).len() => {
            format!("Canceled: {} tickets of booking {}", seats.len(), placed.booking.reference)
        }
        _ => format!("Canceled: {}", placed.summary()),
    }
}

pub const ALL_SCANNED: &str = "All tickets were scanned at the entrance, so they can’t be canceled.";

/// Why nobody can cancel the whole booking: `count` of its tickets were scanned.
#[must_use]
pub fn already_scanned(count: i32, booking: &Booking) -> String {
    match (count, booking.quantity()) {
        (_, 1) => "This ticket has been scanned, so the booking can’t be canceled.".into(),
        (1, all) => format!("1 of {all} tickets has been scanned, so the whole booking can’t be canceled."),
        (count, all) => {
            format!("{count} of {all} tickets have been scanned, so the whole booking can’t be canceled.")
        }
    }
}
