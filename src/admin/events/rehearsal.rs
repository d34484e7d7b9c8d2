//! `/admin/events/{slug}/rehearsal`: the owner rehearses a sale, sees how far it is, stops it, and reads what was
//! measured.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::find;
use crate::app::App;
use crate::auth::access::{Owner, PollingOwner};
use crate::auth::return_path::Resumed;
use crate::db::Db;
use crate::error::Error;
use crate::events::Event;
use crate::guard::form::Form;
use crate::guard::typed_number;
use crate::page::{Page, Toast, see_other_with};
use crate::rehearsal::report::RehearsalReport;
use crate::rehearsal::runner::refusal;
use crate::rehearsal::{BUYERS_MAX, MINUTES_MAX, Rehearsal, check, may_rehearse, store};

/// The numbers that the form proposes.
const BUYERS: &str = "1000";
const MINUTES: &str = "3";
/// The shortest rehearsal. Where not even that is possible, the page says why in place of the form.
const MINUTES_MIN: i32 = 1;

#[derive(Template)]
#[template(path = "admin/events/rehearsal.html", blocks = ["state"])]
struct RehearsalPage {
    page: Page,
    event: Event,
    form: RehearsalForm,
    /// Why no rehearsal can start now.
    refusal: Option<String>,
    last: Option<Rehearsal>,
    /// Whether a rehearsal of another concert is open.
    is_other_open: bool,
}

/// As typed, and what is wrong with it.
#[derive(Default)]
struct RehearsalForm {
    buyers: String,
    minutes: String,
    buyers_error: Option<String>,
    minutes_error: Option<String>,
}

impl RehearsalForm {
    fn proposed() -> Self {
        Self { buyers: BUYERS.into(), minutes: MINUTES.into(), ..Self::default() }
    }
}

impl RehearsalPage {
    fn is_open(&self) -> bool {
        self.last.as_ref().is_some_and(Rehearsal::is_open)
    }

    fn report(&self) -> Option<RehearsalReport> {
        self.last.as_ref()?.report()
    }

    /// What runs, in words.
    fn progress(&self) -> &str {
        let progress = self.last.as_ref().map_or("", |last| last.progress.as_str());
        if progress.is_empty() { "It begins in a moment." } else { progress }
    }

    fn failure(&self) -> Option<&str> {
        self.last.as_ref()?.failure.as_deref()
    }
}

/// `GET /admin/events/{slug}/rehearsal`
pub async fn show(
    page: Page,
    _: Owner,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let shown = load(page.clone(), &app, event, RehearsalForm::proposed()).await?;
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `POST /admin/events/{slug}/rehearsal`
pub async fn create(
    page: Page,
    Owner(admin): Owner,
    app: web::Data<App>,
    slug: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(mut typed): Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let mut take = |name: &str| typed.remove(name).unwrap_or_default();
    let mut form = RehearsalForm { buyers: take("buyers"), minutes: take("minutes"), ..Default::default() };
    let number = |typed: &str| typed_number::whole(typed)?.parse().ok();
    let plan = check(number(&form.buyers), number(&form.minutes));
    let plan = match plan {
        Ok(plan) if !is_resumed => plan,
        wrong => {
            let status = if is_resumed { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            [form.buyers_error, form.minutes_error] = wrong.err().filter(|_| !is_resumed).unwrap_or_default();
            let shown = load(page.clone(), &app, event, form).await?;
            return page.respond_unlisted(status, &shown);
        }
    };
    let refused = refused(&app, &event, plan.1);
    let (actor, id, slug) = (admin.actor(), event.id, event.slug.clone());
    let asked = match &refused {
        Some(_) => None,
        None => app.db.write(move |db| store::ask(db, (id, &slug), plan, &actor)).await?,
    };
    if asked.is_none() {
        form.minutes_error = refused;
        let shown = load(page.clone(), &app, event, form).await?;
        return page.respond_unlisted(StatusCode::CONFLICT, &shown);
    }
    Ok(back(&app, &event, "The rehearsal begins in a moment."))
}

/// `POST /admin/events/{slug}/rehearsal/stop`
pub async fn stop(_: Owner, app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let id = event.id;
    let work = move |db: &mut Db| match store::last_of(db, id)? {
        Some(last) if last.is_open() => store::stop(db, last.id),
        _ => Ok(()),
    };
    app.db.write(work).await?;
    Ok(back(&app, &event, "The rehearsal stops in a moment. What it has measured stays."))
}

/// `GET /admin/events/{slug}/rehearsal/state`: the part that the page polls.
pub async fn state(
    page: Page,
    _: PollingOwner,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, &slug).await?;
    let shown = load(page.clone(), &app, event, RehearsalForm::proposed()).await?;
    page.respond_unlisted(StatusCode::OK, &shown.as_state())
}

fn refused(app: &App, event: &Event, minutes: i32) -> Option<String> {
    may_rehearse(event, app.board.now()).err().map(str::to_owned).or_else(|| refusal(app, minutes))
}

async fn load(page: Page, app: &App, event: Event, form: RehearsalForm) -> Result<RehearsalPage, Error> {
    let id = event.id;
    let work = move |db: &mut Db| Ok((store::last_of(db, id)?, store::open(db)?));
    let (last, open) = app.db.read_primary(work).await?;
    let is_other_open = open.is_some_and(|open| open.concert_id != id);
    Ok(RehearsalPage { page, refusal: refused(app, &event, MINUTES_MIN), event, form, last, is_other_open })
}

fn back(app: &App, event: &Event, words: &str) -> HttpResponse {
    let location = format!("/admin/events/{}/rehearsal", event.slug);
    see_other_with(&app.cookies, &location, &Toast::success(words))
}
