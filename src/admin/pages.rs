//! `/admin`, `/admin/sales`: what is sold, the latest bookings, and whether the counts add up.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;

use super::events::index::badge;
use super::setup::steps::{FirstRun, SetupStep, StepState};
use super::{ListedBooking, store};
use crate::app::App;
use crate::auth::access::{Member, PollingOrganizer};
use crate::auth::session::Admin;
use crate::booking::BookingStatus;
use crate::db::Db;
use crate::error::Error;
use crate::events::pace::Pace;
use crate::events::seed;
use crate::page::{Page, demo, html, see_other};
use crate::reconciliation::latest::Verified;
use crate::role::AccountRole;
use crate::sales::{self, Sales};
use crate::venue_clock::VenueClock;

/// How many concerts the page shows.
const CONCERTS: i64 = 8;
/// Up to this many concerts, each is shown with its ticket types.
const CONCERTS_WITH_TYPES: usize = 3;
/// How many of the latest bookings the page shows.
const LATEST_BOOKINGS: i64 = 20;

#[derive(Template)]
#[template(path = "admin/show.html", blocks = ["sales"])]
struct SalesPage {
    page: Page,
    admin: Admin,
    /// UTC.
    now: NaiveDateTime,
    /// Of the next concerts.
    sales: Vec<Sales>,
    /// How many concerts there are to come.
    concerts: i64,
    latest: Vec<ListedBooking>,
    /// `None`: everything is being counted for the first time.
    verified: Option<Verified>,
    allow_reseed: bool,
    pace: Pace,
    /// For an owner, until all of it is done or skipped.
    first_run: Option<FirstRun>,
}

impl SalesPage {
    /// No step is current: this page comes before all of them.
    fn is_current(&self, _: &SetupStep) -> bool {
        false
    }

    /// The state of a concert that is not simply on sale, and the badge's look.
    fn badge(&self, sale: &Sales) -> Option<(&'static str, &'static str)> {
        Some(badge(&sale.event, self.now)).filter(|(words, _)| *words != "Published")
    }

    fn shows_types(&self) -> bool {
        self.sales.len() <= CONCERTS_WITH_TYPES
    }

    /// "just now", "at 1:05 PM CST"
    fn verified_when(&self, verified: &Verified) -> String {
        let clock = self.sales.first().map(|it| it.event.clock());
        match clock.filter(|_| !verified.is_recent()) {
            Some(clock) => format!("at {}", clock.short_zone(&verified.at)),
            None if verified.is_recent() => "just now".into(),
            None => format!("at {}", VenueClock::parse("UTC").short_zone(&verified.at)),
        }
    }

    /// Whether the concert is the seed's, which can be put on sale again.
    fn may_reset(&self, sale: &Sales) -> bool {
        self.allow_reseed && sale.event.slug == seed::concert().slug
    }
}

/// `GET /admin`: where the sign-in leads. An account that may not see sales is sent to another page.
pub async fn show(page: Page, Member(admin): Member, app: web::Data<App>) -> Result<HttpResponse, Error> {
    if !admin.role.may(AccountRole::Organizer) {
        return Ok(see_other(admin.role.home()).finish());
    }
    let mut sales_page = load(page.clone(), admin, &app).await?;
    sales_page.first_run = first_run(&page, &app).await?;
    page.respond_unlisted(StatusCode::OK, &sales_page)
}

/// `GET /admin/sales`: the part of the page that refreshes itself.
pub async fn sales(
    page: Page,
    watching: PollingOrganizer,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let sales_page = load(page.clone(), watching.0, &app).await?;
    Ok(page.unlisted_builder(StatusCode::OK).body(html(&sales_page.as_sales())?))
}

async fn load(page: Page, admin: Admin, app: &App) -> Result<SalesPage, Error> {
    let (now, counter) = (app.board.now(), app.heavy_work.sales.remembered.clone());
    let read = move |db: &mut Db| {
        let (next, concerts) = sales::store::next(db, now, CONCERTS)?;
        Ok((sales::store::sales(db, next, &counter)?, concerts, store::listing::latest(db, LATEST_BOOKINGS)?))
    };
    let (sales, concerts, latest) = app.db.read_primary(read).await?;
    app.heavy_work.sales.count_behind(&app.db, &sales, now);
    let verified = app.heavy_work.reconciliation.get(&app.db).await?;
    let (allow_reseed, pace) = (app.allow_reseed, app.board.pace());
    Ok(SalesPage { page, admin, now, sales, concerts, latest, verified, allow_reseed, pace, first_run: None })
}

async fn first_run(page: &Page, app: &App) -> Result<Option<FirstRun>, Error> {
    if !page.may(AccountRole::Owner) || demo().is_some() {
        return Ok(None);
    }
    let sends_mail = app.mail_folder.is_none();
    let first_run = app.db.read_primary(move |db| FirstRun::read(db, sends_mail)).await?;
    Ok(first_run.next().is_some().then_some(first_run))
}
