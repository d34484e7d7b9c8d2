//! `/admin/events/{slug}/waiting-room`: a concert's waiting room. It is switched on and off here, its line is slowed,
//! stopped and resumed, and its figures are live.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::find;
use super::form::status_of;
use crate::app::App;
use crate::auth::access::{Organizer, PollingOrganizer};
use crate::auth::return_path::Resumed;
use crate::db::Db;
use crate::error::Error;
use crate::events::Event;
use crate::guard::form::Form;
use crate::guard::typed_number;
use crate::page::{Page, Toast, see_other_with};
use crate::queue::line::QueueLine;
use crate::queue::pace::flowing;
use crate::queue::store::passes::{self, PassCounts};
use crate::queue::store::{self, RoomSettings};
use crate::queue::{Flow, MESSAGE_LENGTH_MAX, OPENS_MINUTES_MAX, PER_SECOND_MAX, Room, RoomMode};

#[derive(Template)]
#[template(path = "admin/events/waiting_room.html", blocks = ["figures"])]
struct WaitingRoomPage {
    page: Page,
    event: Event,
    form: RoomForm,
    errors: RoomFormErrors,
    figures: Option<RoomFigures>,
}

/// As typed.
#[derive(Default)]
struct RoomForm {
    mode: String,
    opens_minutes: String,
    most_per_second: String,
    message: String,
    registration: bool,
    /// The digest of the settings that the form was shown with.
    shown: String,
}

#[derive(Default)]
struct RoomFormErrors {
    /// What is wrong with the form as a whole.
    refusal: Option<String>,
    mode: Option<String>,
    opens_minutes: Option<String>,
    most_per_second: Option<String>,
    message: Option<String>,
}

/// What the room does now.
struct RoomFigures {
    room: Room,
    line: QueueLine,
    passes: PassCounts,
}

impl RoomFigures {
    /// People whose turn has come, whether they were there or not.
    fn served(&self) -> i64 {
        self.line.before(self.room.served()).min(self.line.len())
    }

    fn waiting(&self) -> i64 {
        self.line.len() - self.served()
    }

    /// How many of a hundred passes that have ended were used for a booking. `None`: none have ended.
    fn booked_percent(&self) -> Option<i64> {
        let ended = self.passes.issued - self.passes.out;
        (ended > 0).then(|| self.passes.booked * 100 / ended)
    }

    /// People a second, at most.
    fn pace(&self) -> i64 {
        flowing(self.room.per_second, self.room.flow)
    }

    fn is_drawn(&self) -> bool {
        self.room.opened_at.is_some()
    }
}

impl RoomForm {
    fn of(room: Option<&Room>) -> Self {
        let settings = RoomSettings::of(room);
        Self {
            mode: settings.mode.as_str().into(),
            opens_minutes: settings.opens_minutes.to_string(),
            most_per_second: settings.most_per_second.to_string(),
            shown: settings.digest(),
            message: settings.message,
            registration: settings.registration,
        }
    }

    fn typed(mut typed: HashMap<String, String>) -> Self {
        let mut take = |name: &str| typed.remove(name).unwrap_or_default();
        Self {
            mode: take("mode"),
            opens_minutes: take("opens_minutes"),
            most_per_second: take("most_per_second"),
            message: take("message"),
            registration: !take("registration").is_empty(),
            shown: take("settings_shown"),
        }
    }

    fn is(&self, mode: RoomMode) -> bool {
        self.mode == mode.as_str()
    }

    /// The settings that the form asks for, or what is wrong with it.
    fn read(&self) -> Result<RoomSettings, RoomFormErrors> {
        let mode = RoomMode::parse(&self.mode);
        let opens_minutes = number(&self.opens_minutes, 0, OPENS_MINUTES_MAX);
        let most_per_second = number(&self.most_per_second, 1, PER_SECOND_MAX);
        let message = self.message.trim();
        let registration = self.registration;
        // Registration takes a mail, and nobody waits for a mail when a room opens under stress.
        let mode = mode.filter(|mode| !registration || *mode != RoomMode::UnderStress);
        let is_short = message.chars().count() <= MESSAGE_LENGTH_MAX;
        match (mode, opens_minutes, most_per_second) {
            (Some(mode), Some(opens_minutes), Some(most_per_second)) if is_short => Ok(RoomSettings {
                mode,
                opens_minutes,
                most_per_second,
                message: message.to_owned(),
                registration,
            }),
            _ => Err(RoomFormErrors {
                refusal: None,
                mode: mode.is_none().then(|| match registration {
                    true => "Registration needs a waiting room that is on before sales start.".into(),
                    false => "Choose one.".into(),
                }),
                opens_minutes: opens_minutes
                    .is_none()
                    .then(|| format!("Enter a number from 0 to {OPENS_MINUTES_MAX}.")),
                most_per_second: most_per_second
                    .is_none()
                    .then(|| format!("Enter a number from 1 to {PER_SECOND_MAX}.")),
                message: (!is_short).then(|| format!("At most {MESSAGE_LENGTH_MAX} characters.")),
            }),
        }
    }
}

fn number(typed: &str, least: i32, most: i32) -> Option<i32> {
    let number = typed_number::whole(typed)?.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// `GET /admin/events/{slug}/waiting-room`
pub async fn edit(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let (room, figures) = load(&app, event.id).await?;
    let (form, errors) = (RoomForm::of(room.as_ref()), RoomFormErrors::default());
    let shown = WaitingRoomPage { page: page.clone(), event, form, errors, figures };
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/waiting-room`
pub async fn update(
    page: Page,
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let form = RoomForm::typed(typed);
    if is_resumed {
        return respond(page, &app, StatusCode::OK, event, form, RoomFormErrors::default()).await;
    }
    let settings = match form.read() {
        Ok(settings) => settings,
        Err(errors) => {
            return respond(page, &app, StatusCode::UNPROCESSABLE_ENTITY, event, form, errors).await;
        }
    };
    let words = match settings.mode {
        RoomMode::Off => "Waiting room turned off. Everyone can book right away.",
        RoomMode::Always => "Waiting room saved. It is on.",
        RoomMode::UnderStress => "Waiting room saved. It opens when the server is overloaded.",
    };
    let (actor, id, slug) = (admin.actor(), event.id, event.slug.clone());
    let shown = (!form.shown.is_empty()).then(|| form.shown.clone());
    let write = app.db.write(move |db| store::set(db, (id, &slug), shown.as_deref(), &settings, &actor));
    if let Err(refusal) = write.await? {
        let errors = RoomFormErrors { refusal: Some(refusal.words().1), ..RoomFormErrors::default() };
        return respond(page, &app, status_of(&refusal), event, form, errors).await;
    }
    Ok(back(&app, &event, words))
}

/// `POST /admin/events/{slug}/waiting-room/flow`, with `flow=open`, `slow` or `stopped`.
pub async fn set_flow(
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
    Form(typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let flow = typed.get("flow").and_then(|flow| Flow::parse(flow)).ok_or_else(|| {
        Error::Unreadable("flow must be open, slow or stopped".into(), StatusCode::UNPROCESSABLE_ENTITY)
    })?;
    let (actor, id, slug) = (admin.actor(), event.id, event.slug.clone());
    let is_on = app.db.write(move |db| store::set_flow(db, (id, &slug), flow, &actor)).await?;
    if !is_on {
        let location = format!("/admin/events/{}/waiting-room", event.slug);
        let why = Toast::failure("The waiting room is switched off: there is no line to move.");
        return Ok(see_other_with(&app.cookies, &location, &why));
    }
    let words = match flow {
        Flow::Open => "The line moves.",
        Flow::Slow => "The line moves at a quarter of its pace.",
        Flow::Stopped => "The line is stopped. Passes already issued still work.",
    };
    Ok(back(&app, &event, words))
}

/// `GET /admin/events/{slug}/waiting-room/figures`: the part that the page polls.
pub async fn figures(
    page: Page,
    _: PollingOrganizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let (room, figures) = load(&app, event.id).await?;
    let (form, errors) = (RoomForm::of(room.as_ref()), RoomFormErrors::default());
    let shown = WaitingRoomPage { page: page.clone(), event, form, errors, figures };
    page.respond_unlisted(StatusCode::OK, &shown.as_figures())
}

/// Shows the form again as it was typed.
async fn respond(
    page: Page,
    app: &App,
    status: StatusCode,
    event: Event,
    mut form: RoomForm,
    errors: RoomFormErrors,
) -> Result<HttpResponse, Error> {
    let (room, figures) = load(app, event.id).await?;
    if form.shown.is_empty() {
        form.shown = RoomSettings::of(room.as_ref()).digest();
    }
    let shown = WaitingRoomPage { page: page.clone(), event, form, errors, figures };
    page.respond_unlisted(status, &shown)
}

/// The room, and what it does if it is on.
async fn load(app: &App, event_id: i64) -> Result<(Option<Room>, Option<RoomFigures>), Error> {
    let work = move |db: &mut Db| {
        let Some(room) = store::find(db, event_id)? else { return Ok((None, None)) };
        if room.mode == RoomMode::Off {
            return Ok((Some(room), None));
        }
        let (line, passes) = (store::line(db, event_id)?, passes::counts(db, event_id)?);
        Ok((Some(room.clone()), Some(RoomFigures { room, line, passes })))
    };
    app.db.read_primary(work).await
}

fn back(app: &App, event: &Event, words: &str) -> HttpResponse {
    let location = format!("/admin/events/{}/waiting-room", event.slug);
    see_other_with(&app.cookies, &location, &Toast::success(words))
}
