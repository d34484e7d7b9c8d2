//! What a gate does with what is typed, scanned or chosen from a list.

use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use chrono::Utc;
use diesel::OptionalExtension as _;
use serde::Deserialize;

use super::Entrance;
use crate::app::App;
use crate::booking::buyer::fold;
use crate::booking::store::{find_by_token, id_of_reference};
use crate::error::Error;
use crate::log_limit::{LineLimit, a_minute};
use crate::tickets::answer::GateAnswer;
use crate::tickets::attendance::Found;
use crate::tickets::code::{Code, CodeError};
use crate::tickets::gate::Gate;
use crate::tickets::gate_link::made_at;
use crate::tickets::link::booking_token;
use crate::tickets::scan::{Place, Scan};
use crate::tickets::store;
use crate::tickets::store::history::UnknownScan;

/// The most log lines about codes that this site did not make. Each such scan is also stored.
const UNKNOWN_CODES_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
static UNKNOWN_CODES: LineLimit = LineLimit::new(|| a_minute(UNKNOWN_CODES_A_MINUTE));
/// How much of a text that is no code is kept.
const TYPED_KEPT: usize = 40;
/// The fewest letters that are searched for.
const SEARCHED_LEAST: usize = 2;

/// What a gate's forms send.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ScanForm {
    pub code: String,
    /// The same text as the keys that were pressed, whatever characters the keyboard's layout made of them.
    keys: String,
    /// The device's key for the scan.
    scan: String,
    /// How long ago the scan was made, in milliseconds.
    age_ms: String,
    /// Not empty: the staff had no answer at first.
    unconfirmed: String,
    /// A ticket that was chosen from a list, or is to be undone.
    reference: String,
    seat: String,
    /// Not empty: also on another day.
    any_day: String,
    /// What was looked for, so that the list is shown again.
    found: String,
    /// The scan of the history that is to be undone.
    past_scan: String,
    /// The concert and the gate of a device on which somebody is signed in.
    event: String,
    gate: String,
}

/// The result of a form.
#[derive(Default)]
pub struct Answered {
    pub answer: Option<GateAnswer>,
    pub found: Option<Found>,
    /// What is to be corrected in the field.
    pub typed: String,
}

impl From<GateAnswer> for Answered {
    fn from(answer: GateAnswer) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }
}

impl Answered {
    pub fn status(&self) -> StatusCode {
        self.answer.as_ref().map_or(StatusCode::OK, |answer| answer.status)
    }
}

impl ScanForm {
    pub fn place(&self) -> Gate {
        Gate { event: self.event.clone(), gate: self.gate.clone() }
    }

    fn key(&self) -> Option<String> {
        let is_ours = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        ((8..=64).contains(&self.scan.len()) && self.scan.chars().all(is_ours)).then(|| self.scan.clone())
    }

    /// The ticket that was chosen from a list. PostgreSQL refuses to even compare texts with some control
    /// characters.
    fn chosen(&self) -> Option<Code> {
        if self.reference.chars().any(char::is_control) {
            return None;
        }
        Some(Code { reference: self.reference.clone(), seat: self.seat.parse().ok()? })
    }

    fn scan(&self, code: Code, place: &Place, by_hand: bool) -> Scan {
        let decided_at = Utc::now().naive_utc();
        Scan {
            code,
            place: place.clone(),
            key: self.key(),
            at: made_at(decided_at, &self.age_ms),
            decided_at,
            was_unconfirmed: !self.unconfirmed.is_empty(),
            by_hand,
            any_day: by_hand && !self.any_day.is_empty(),
        }
    }

    /// A scan of a code that this site did not make. It keeps the start of what was typed, as far as
    /// PostgreSQL can store it.
    fn unknown(&self, place: &Place) -> UnknownScan {
        let decided_at = Utc::now().naive_utc();
        UnknownScan {
            place: place.clone(),
            key: self.key(),
            typed: self.code.chars().filter(|c| !c.is_control()).take(TYPED_KEPT).collect(),
            at: made_at(decided_at, &self.age_ms),
            decided_at,
            was_unconfirmed: !self.unconfirmed.is_empty(),
        }
    }
}

/// Lets a ticket in, says why not, or finds tickets by a name, an address or a reference.
pub async fn scan(app: &App, entrance: &Entrance, form: &ScanForm) -> Result<Answered, Error> {
    let place = &entrance.place;
    // A scanner that ends a code with two line breaks sends an empty field.
    if form.code.trim().is_empty() && form.keys.trim().is_empty() {
        return Ok(Answered::default());
    }
    match read(app, form) {
        Ok(code) => Ok(admit(app, form.scan(code, place, false)).await?.into()),
        Err(CodeError::Several) => {
            let typed = form.code.trim().to_owned();
            Ok(Answered { answer: Some(GateAnswer::to_several_codes()), found: None, typed })
        }
        Err(CodeError::Foreign) => {
            if UNKNOWN_CODES.is_due() {
                let more = UNKNOWN_CODES.take_left_out();
                log::warn!(
                    "check-in refused an unknown code at {} ({more} more since the last line)",
                    place.gate
                );
            }
            let unknown = form.unknown(place);
            app.db.write(move |db| store::refuse_unknown(db, &unknown)).await?;
            Ok(GateAnswer::to_foreign_code().into())
        }
        Err(error) => look_up(app, place, form, error).await,
    }
}

/// The ticket that was scanned: by its code, by its own link, or by the keys that were pressed.
fn read(app: &App, form: &ScanForm) -> Result<Code, CodeError> {
    if let Some(code) = app.ticket_links.find(&form.code) {
        return Ok(code);
    }
    let codes = &app.ticket_codes;
    codes.verify(&form.code).or_else(|error| match codes.verify(&form.keys) {
        Err(CodeError::Several) => Err(CodeError::Several),
        result => result.map_err(|_| error),
    })
}

/// Lets in a ticket that was chosen from a list.
pub async fn admit_by_hand(app: &App, entrance: &Entrance, form: &ScanForm) -> Result<Answered, Error> {
    let code = form.chosen().ok_or(Error::NotFound)?;
    let answer = admit(app, form.scan(code, &entrance.place, true)).await?;
    let found =
        if form.found.is_empty() { None } else { Some(find(app, &entrance.place, &form.found).await?) };
    Ok(Answered { answer: Some(answer), found, typed: String::new() })
}

/// Undoes an admission. Gate staff, by a link or an account, may undo only their last one; everybody else may
/// undo any.
pub async fn revoke(app: &App, entrance: &Entrance, form: &ScanForm) -> Result<Answered, Error> {
    let place = entrance.place.clone();
    let now = Utc::now().naive_utc();
    let revoked = if !entrance.undoes_any {
        let id = form.past_scan.parse().map_err(|_| Error::NotFound)?;
        app.db.write(move |db| store::revoke_last(db, &place, id, now)).await?
    } else {
        let code = form.chosen().or_else(|| app.ticket_codes.verify(&form.code).ok());
        let code = code.ok_or(Error::NotFound)?;
        match booking_of(app, &code).await? {
            Some(id) => app.db.write(move |db| store::revoke(db, &place, id, code.seat, now)).await?,
            None => None,
        }
    };
    Ok(GateAnswer::to_revocation(revoked).into())
}

async fn admit(app: &App, scan: Scan) -> Result<GateAnswer, Error> {
    let (clock, now) = (scan.place.event.clock(), scan.decided_at);
    let booking_id = booking_of(app, &scan.code).await?;
    let outcome = app.db.write(move |db| store::admit_found(db, &scan, booking_id)).await?;
    Ok(GateAnswer::to_scan(outcome, clock, now))
}

/// The booking of a code's reference. Looked for before the write transaction: on SQLite, a reference that no
/// booking has may be compared with those of all bookings, and until that was done nobody could book.
async fn booking_of(app: &App, code: &Code) -> Result<Option<i64>, Error> {
    let reference = code.reference.clone();
    app.db.read_primary(move |db| id_of_reference(db, &reference)).await
}

async fn look_up(app: &App, place: &Place, form: &ScanForm, error: CodeError) -> Result<Answered, Error> {
    let typed = form.code.trim().to_owned();
    if fold(&typed).chars().filter(|c| c.is_alphanumeric()).count() < SEARCHED_LEAST {
        return Ok(Answered { answer: Some(GateAnswer::to_short_text()), found: None, typed });
    }
    let (typed, error) = match reference_of_link(app, &typed).await? {
        Some(reference) => (reference, CodeError::Reference),
        None => (typed, error),
    };
    let found = find(app, place, &typed).await?;
    let answer = GateAnswer::to_search(&found, error);
    let is_nothing = found.tickets.is_empty();
    if is_nothing && !form.unconfirmed.is_empty() {
        // The staff had to decide without an answer, so the scan is recorded.
        let unknown = form.unknown(place);
        app.db.write(move |db| store::history::record_unknown(db, &unknown)).await?;
    }
    let typed = if is_nothing { typed } else { String::new() };
    Ok(Answered { answer: Some(answer), found: (!is_nothing).then_some(found), typed })
}

/// The reference of the booking whose link was scanned.
async fn reference_of_link(app: &App, typed: &str) -> Result<Option<String>, Error> {
    let Some(token) = booking_token(typed).map(str::to_owned) else { return Ok(None) };
    let booking = app.db.read_primary(move |db| find_by_token(db, &token).optional()).await?;
    Ok(booking.map(|placed| placed.booking.reference))
}

async fn find(app: &App, place: &Place, typed: &str) -> Result<Found, Error> {
    let (event_id, typed) = (place.event.id, typed.to_owned());
    app.db.read_primary(move |db| store::search::search(db, event_id, &typed)).await
}
