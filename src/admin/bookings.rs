//! `/admin/bookings/{reference}`: everything about a booking: its tickets and who is in, its emails, its payments, its
//! history.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;

use super::history::{History, TicketState};
use super::store::history as records;
use super::store::payments::{self, PaymentRecord};
use crate::app::App;
use crate::auth::access::BoxOffice;
use crate::booking::{self, PlacedBooking, is_token, parse_reference};
use crate::db::clock;
use crate::error::Error;
use crate::mail;
use crate::mail::listing::{MailFilter, MailLine};
use crate::outbox::{MailKind, MailState};
use crate::page::{Page, see_other};
use crate::payment::PaymentState;
use crate::role::AccountRole;
use crate::tickets::code::CodeError;
use crate::tickets::link::booking_token;

/// How many mails the page of a booking shows at most, the newest.
const MAILS_SHOWN: i64 = 20;

#[derive(Template)]
#[template(path = "admin/booking.html")]
struct OrganizerBookingPage {
    page: Page,
    placed: PlacedBooking,
    /// One for each ticket that was ever booked.
    tickets: Vec<TicketLine>,
    /// The newest first.
    mails: Vec<MailLine>,
    /// The attempts to pay online, the newest first.
    payments: Vec<PaymentRecord>,
    history: History,
    now: NaiveDateTime,
}

/// A ticket of the booking.
struct TicketLine {
    seat: i32,
    ticket_type: String,
    state: TicketState,
    /// The code that a gate scans; `None` if the ticket opens no gate.
    code: Option<String>,
}

impl OrganizerBookingPage {
    /// Whether the confirmation has no row in `mails` yet: the sender adds it when it lists its batch.
    fn awaits_confirmation(&self) -> bool {
        self.placed.booking.is_confirmed()
            && self.placed.booking.has_address()
            && !self.mails.iter().any(MailLine::is_confirmation)
            // If there are more mails than are shown, the confirmation was the first.
            && self.mails.len() < MAILS_SHOWN as usize
    }

    fn admitted(&self) -> usize {
        self.tickets.iter().filter(|it| it.state.is_admitted()).count()
    }

    /// Whether the viewer may refund money, and some is left to refund.
    fn can_be_refunded(&self) -> bool {
        let is_left =
            |it: &PaymentRecord| it.payment.state == PaymentState::Paid && it.payment.kept().minor > 0;
        self.page.may(AccountRole::Organizer) && self.payments.iter().any(is_left)
    }

    /// Whether there is a ticket that can be given back.
    fn can_be_canceled(&self) -> bool {
        self.placed.booking.is_confirmed() && self.tickets.iter().any(|it| it.state.is_valid())
    }
}

/// `GET /admin/bookings/{reference}`. The token of its link leads to it as well.
pub async fn show(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    key: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let key = key.into_inner();
    if parse_reference(&key).is_none() && is_token(&key) {
        let placed = app.db.read_primary(move |db| booking::store::find_by_token(db, &key)).await?;
        return Ok(see_other(&path_of(&placed)).finish());
    }
    let placed = find(&app, &key).await?;
    let (reference, id) = (placed.booking.reference.clone(), placed.booking.id);
    let load = app.db.read_primary(move |db| {
        let mails = mail::store::list(db, MailFilter::Of(id), None, MAILS_SHOWN)?;
        let records = records::of_booking(db, id, &reference)?;
        Ok((records, mails, payments::of_booking(db, id)?, clock(db)?))
    });
    let (records, mails, payments, now) = load.await?;
    let ticket = |seat: i32| {
        let state = records.state_of(seat, &placed.booking);
        let code = app.ticket_codes.sign(&placed.booking.reference, seat);
        Some(TicketLine {
            seat,
            ticket_type: placed.ticket_type_of_seat(seat)?.name.clone(),
            code: code.filter(|_| state.is_scannable()),
            state,
        })
    };
    let tickets = (1..=placed.booking.quantity()).filter_map(ticket).collect();
    let history = History::new(&placed, records, &mails);
    let shown = OrganizerBookingPage { page: page.clone(), placed, tickets, mails, payments, history, now };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// The booking with this reference, however it is typed.
pub(super) async fn find(app: &App, reference: &str) -> Result<PlacedBooking, Error> {
    let reference = parse_reference(reference).ok_or(Error::NotFound)?;
    app.db.read_primary(move |db| booking::store::find_by_reference(db, &reference)).await
}

fn path_of(placed: &PlacedBooking) -> String {
    format!("/admin/bookings/{}", placed.booking.reference)
}

/// What was typed or pasted into the search.
pub(super) enum SearchTarget {
    /// The one booking that is meant, by its path.
    Booking(String),
    /// A ticket's code that this site has not made.
    ForeignCode,
    Words,
}

/// Finds the one booking that the text names: by its reference, its token or link, a ticket's code as it is
/// printed or scanned, or a ticket's link.
pub(super) async fn find_target(app: &App, typed: &str) -> Result<SearchTarget, Error> {
    let code = app.ticket_codes.verify(typed);
    let ticket = code.clone().ok().or_else(|| app.ticket_links.find(typed));
    if let Some(ticket) = ticket
        && let Some(placed) = if_found(find(app, &ticket.reference).await)?
    {
        return Ok(SearchTarget::Booking(format!("{}#ticket-{}", path_of(&placed), ticket.seat)));
    }
    let token = booking_token(typed).or_else(|| Some(typed.trim()).filter(|it| is_token(it)));
    if let Some(token) = token.map(str::to_owned) {
        let found = app.db.read_primary(move |db| booking::store::find_by_token(db, &token)).await;
        if let Some(placed) = if_found(found)? {
            return Ok(SearchTarget::Booking(path_of(&placed)));
        }
    }
    // A name may look like a reference.
    if let Some(reference) = reference_in(typed)
        && let Some(placed) = if_found(find(app, &reference).await)?
    {
        return Ok(SearchTarget::Booking(path_of(&placed)));
    }
    Ok(if code == Err(CodeError::Foreign) { SearchTarget::ForeignCode } else { SearchTarget::Words })
}

fn if_found(found: Result<PlacedBooking, Error>) -> Result<Option<PlacedBooking>, Error> {
    match found {
        Ok(placed) => Ok(Some(placed)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The reference that a text is, or that it contains somewhere with the prefix `TK-`.
fn reference_in(typed: &str) -> Option<String> {
    /// `TK-7F3K-9QXM`
    const LENGTH: usize = 12;
    let starts = typed.char_indices().filter(|(_, c)| matches!(c, 'T' | 't')).map(|(at, _)| at);
    let parts = starts.filter_map(|at| typed.get(at..at + LENGTH));
    parse_reference(typed)
        .or_else(|| parts.filter(|it| it[..3].eq_ignore_ascii_case("TK-")).find_map(parse_reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_in_what_stands_around_it() {
        for typed in [
            "tk7f3k9qxm",
            "Ref.: TK-7F3K-9QXM, two tickets",
            "/admin/bookings/tk-7f3k-9qxm?x=1",
            "Ät TK-7F3K-9QXM",
        ] {
            assert_eq!(reference_in(typed).as_deref(), Some("TK-7F3K-9QXM"), "{typed}");
        }
        for typed in ["", "TK", "Tom Kay", "TK-7F3K-9QX", "tätätätätätätä"] {
            assert_eq!(reference_in(typed), None, "{typed}");
        }
    }
}
