//! The pages of a gate. They are the same for a device on which somebody of the organizer's team is signed in
//! ([`organizer`]) and for one that has a gate's link ([`link`]).
//!
//! Where the organizer makes and revokes links does not belong here: see `admin::gates`.

pub mod link;
pub mod organizer;
mod scanning;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use chrono::{NaiveDateTime, Utc};

use self::scanning::Answered;
use super::answer::GateAnswer;
use super::attendance::{Attendance, Conflict, Found, PastScan};
use super::gate::Gate;
use super::scan::{Place, ScanDecision, night_ends};
use super::store;
use crate::app::App;
use crate::auth::token;
use crate::error::Error;
use crate::events::Event;
use crate::events::pace::Pace;
use crate::page::Page;

/// How many of a gate's latest scans are shown.
const LATEST: i64 = 8;

/// Where a gate's page is served, and for what.
pub struct Entrance {
    pub place: Place,
    /// Where its forms are sent: "/admin/check-in".
    pub url: String,
    /// Whether it may undo any admission, and not only its own last one.
    pub undoes_any: bool,
}

/// What a gate's page shows.
struct GateView {
    entrance: Entrance,
    answer: Option<GateAnswer>,
    found: Option<Found>,
    /// What is still to be corrected in the field.
    typed: String,
    attendance: Attendance,
    latest: Vec<PastScan>,
    /// The scan that gate staff may undo.
    last_admission: Option<i64>,
    conflicts: Vec<Conflict>,
    /// The references of bookings whose payment the staff have to know about, each with its mark. The script
    /// shows the marks while the network is away.
    marks: Vec<(String, String)>,
    pace: Pace,
}

/// The parts of the page that a scan changes, each for its own place.
#[derive(Template)]
#[template(path = "check_in/answers.html")]
struct GateAnswersFragment {
    desk: GateView,
}

/// The part that refreshes itself.
#[derive(Template)]
#[template(path = "check_in/turnout.html")]
struct TurnoutFragment {
    desk: GateView,
}

impl GateView {
    fn event(&self) -> &Event {
        &self.entrance.place.event
    }

    fn gate(&self) -> &str {
        &self.entrance.place.gate
    }

    fn url(&self) -> &str {
        &self.entrance.url
    }

    fn clock(&self, at: &NaiveDateTime) -> String {
        self.event().clock().time_of_day(at)
    }

    fn may_undo(&self, scan: &PastScan) -> bool {
        scan.is_in() && (self.entrance.undoes_any || self.last_admission == Some(scan.id))
    }

    /// Whether the text in the field has to be corrected.
    fn is_to_correct(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// A new key for the scan that a form sends, so that a form that is sent twice counts as one scan.
    fn new_scan_key(&self) -> String {
        token::random()
    }

    async fn load(app: &App, entrance: Entrance, answered: Answered) -> Result<Self, Error> {
        let place = entrance.place.clone();
        let read = move |db: &mut crate::db::Db| {
            let last = store::history::last_admission(db, &place)?;
            Ok((
                store::attendance::attendance(db, place.event.id)?,
                store::history::latest(db, &place, LATEST)?,
                last.map(|last| last.id),
                store::history::conflicts(db, place.event.id)?,
                store::marks::marks(db, place.event.id)?,
            ))
        };
        let (attendance, latest, last_admission, conflicts, marks) = app.db.read_primary(read).await?;
        let Answered { answer, found, typed } = answered;
        let pace = app.board.pace();
        Ok(Self {
            entrance,
            answer,
            found,
            typed,
            attendance,
            latest,
            last_admission,
            conflicts,
            marks,
            pace,
        })
    }
}

/// The changed parts for a script that asks for them, or the whole page, which is `P`.
async fn respond<P: Template>(
    page: Page,
    app: &App,
    entrance: Entrance,
    answered: Answered,
    whole: impl FnOnce(Page, GateView) -> P,
) -> Result<HttpResponse, Error> {
    let status = answered.status();
    let desk = GateView::load(app, entrance, answered).await?;
    if page.wants_fragment {
        return page.respond_unlisted(status, &GateAnswersFragment { desk });
    }
    page.clone().respond_unlisted(status, &whole(page, desk))
}

async fn turnout(page: &Page, app: &App, entrance: Entrance) -> Result<HttpResponse, Error> {
    let desk = GateView::load(app, entrance, Answered::default()).await?;
    page.respond_unlisted(StatusCode::OK, &TurnoutFragment { desk })
}

/// The concerts whose night is not over, the next one first. If the gate belongs to none of them, it is set
/// to the next one.
pub fn upcoming(app: &App, gate: &mut Gate) -> Vec<Event> {
    let now = Utc::now().naive_utc();
    let listings = app.board.listings();
    let mut events: Vec<Event> = listings.iter().map(|listing| listing.event.clone()).collect();
    events.retain(|event| night_ends(event) >= now && !event.is_rehearsal());
    events.sort_by_key(|event| event.starts_at);
    if let Some(next) = events.first().filter(|_| events.iter().all(|event| event.slug != gate.event)) {
        gate.event.clone_from(&next.slug);
    }
    events
}
