//! `/admin`, `/admin/sales`: what is sold, the latest bookings, and whether the counts add up.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{ListedBooking, Sales, store};
use crate::app::App;
use crate::auth::access::{Member, PollingOrganizer};
use crate::auth::session::Admin;
use crate::booking::BookingStatus;
use crate::error::Error;
use crate::events::pace::Pace;
use crate::events::seed;
use crate::page::{Page, html, see_other};
use crate::reconciliation::Reconciliation;
use crate::role::AccountRole;

/// How many of the latest bookings the page shows.
const LATEST_BOOKINGS: i64 = 20;

#[derive(Template)]
#[template(path = "admin/show.html", blocks = ["sales"])]
struct SalesPage {
    page: Page,
    admin: Admin,
    sales: Vec<Sales>,
    latest: Vec<ListedBooking>,
    reconciliation: Arc<Reconciliation>,
    allow_reseed: bool,
    pace: Pace,
}

impl SalesPage {
    /// Whether the concert is the seed's, which can be put on sale again.
    fn may_reset(&self, sale: &Sales) -> bool {
        self.allow_reseed && sale.event.slug == seed::concert().slug
    }
}

/// `GET /admin`: where the sign-in leads. Who may not see sales starts on another page.
pub async fn show(page: Page, Member(admin): Member, app: web::Data<App>) -> Result<HttpResponse, Error> {
    if !admin.role.may(AccountRole::Organizer) {
        return Ok(see_other(admin.role.home()).finish());
    }
    let sales_page = load(page.clone(), admin, &app).await?;
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
    let (sales, latest) = app
        .db
        .read_primary(|db| Ok((store::sales(db)?, store::listing::latest(db, LATEST_BOOKINGS)?)))
        .await?;
    let reconciliation = app.heavy_work.reconciliation.get(&app.db).await?;
    let (allow_reseed, pace) = (app.allow_reseed, app.board.pace());
    Ok(SalesPage { page, admin, sales, latest, reconciliation, allow_reseed, pace })
}
