//! `/admin/events/{slug}`: a concert as its organizer sees it, and its preview.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;

use super::dashboard::Dashboard;
use super::find;
use super::index::badge;
use crate::app::App;
use crate::auth::access::{Organizer, PollingOrganizer};
use crate::booking::event_jobs::{self, EventJob};
use crate::db::Db;
use crate::error::Error;
use crate::events::editing::publication::{Missing, missing, prices};
use crate::events::editing::store::{self, acts};
use crate::events::sale::SaleState;
use crate::events::{self, Concert, Event, EventState, TicketType, TicketTypeState, is_slug};
use crate::money::grouped;
use crate::page::{Page, html};

/// How many of the last jobs the page shows.
const JOBS_SHOWN: i64 = 3;

#[derive(Template)]
#[template(path = "admin/events/show.html", blocks = ["progress", "dashboard"])]
pub struct AdminEventPage {
    page: Page,
    event: Event,
    ticket_types: Vec<TicketType>,
    /// `None`: there is no sale to watch, or the page only says why an act was refused.
    dashboard: Option<Dashboard>,
    /// The jobs on its bookings, the newest first.
    jobs: Vec<EventJob>,
    /// Whether there is a booking, also a canceled one: then it cannot be unpublished.
    is_booked: bool,
    /// What a draft lacks.
    missing: Vec<Missing>,
    /// Why the last act was refused.
    refusal: Option<String>,
    now: NaiveDateTime,
}

impl AdminEventPage {
    #[must_use]
    pub fn new(page: Page, app: &App, event: Event, ticket_types: Vec<TicketType>) -> Self {
        let now = app.board.now();
        let fault = app.payment_fault(event.payment, &event.currency, &prices(&ticket_types));
        let missing = match event.state {
            EventState::Draft => missing(&event, &ticket_types, now, fault),
            _ => Vec::new(),
        };
        let jobs = Vec::new();
        Self {
            page,
            event,
            ticket_types,
            dashboard: None,
            jobs,
            is_booked: true,
            missing,
            refusal: None,
            now,
        }
    }

    /// The page of a concert with its sale and the jobs on its bookings.
    pub async fn load(page: Page, app: &App, slug: &str) -> Result<Self, Error> {
        if !is_slug(slug) {
            return Err(Error::NotFound);
        }
        let (slug, now, seconds) = (slug.to_owned(), app.board.now(), app.board.pace().seconds);
        let counter = app.heavy_work.sales.remembered.clone();
        let read = move |db: &mut Db| {
            let event = store::find(db, &slug)?;
            let jobs = event_jobs::store::latest(db, event.id, JOBS_SHOWN)?;
            let is_booked = acts::is_booked(db, event.id)?;
            Ok((jobs, is_booked, Dashboard::load(db, event, &counter, now, seconds)?))
        };
        let (jobs, is_booked, dashboard) = app.db.read_primary(read).await?;
        let sales = &dashboard.sales;
        app.heavy_work.sales.count_behind(&app.db, std::slice::from_ref(sales), now);
        let types = sales.ticket_types.iter().map(|it| it.ticket_type.clone()).collect();
        let shown = Self::new(page, app, sales.event.clone(), types);
        Ok(Self { jobs, is_booked, dashboard: Some(dashboard).filter(Dashboard::is_shown), ..shown })
    }

    fn is_at_work(&self) -> bool {
        self.jobs.iter().any(|job| !job.is_finished())
    }

    #[must_use]
    pub fn refused(self, why: &str) -> Self {
        Self { refusal: Some(why.to_owned()), ..self }
    }

    fn badge(&self) -> (&'static str, &'static str) {
        badge(&self.event, self.now)
    }

    fn is_draft(&self) -> bool {
        self.event.state == EventState::Draft
    }

    fn is_published(&self) -> bool {
        self.event.state == EventState::Published
    }

    fn is_archived(&self) -> bool {
        self.event.state == EventState::Archived
    }

    fn is_over(&self) -> bool {
        self.event.is_over(self.now)
    }

    /// Whether its facts may still change.
    fn is_open(&self) -> bool {
        !self.event.state.is_closed()
    }

    /// Whether the ticket type is sold now, in a few words.
    fn sale(&self, ticket_type: &TicketType) -> String {
        match ticket_type.state {
            TicketTypeState::Hidden => "Hidden".into(),
            TicketTypeState::Paused => "Paused".into(),
            TicketTypeState::OnSale if self.is_draft() => "Ready".into(),
            TicketTypeState::OnSale => match self.event.sale_state(ticket_type, self.now) {
                SaleState::OnSale if ticket_type.is_sold_out() => "Sold out".into(),
                SaleState::NotYet(opens) => format!("On sale {}", self.event.clock().short(&opens)),
                state => state.label().into(),
            },
        }
    }

    /// Why the concert sells nothing, if it does not.
    fn closed(&self) -> Option<String> {
        let states: Vec<SaleState> =
            self.ticket_types.iter().map(|it| self.event.sale_state(it, self.now)).collect();
        let first = states.iter().find(|state| **state != SaleState::Hidden)?;
        let is_closed = states.iter().all(|state| !state.is_on_sale());
        is_closed.then(|| first.sentence(&self.event))
    }

    /// The ticket type's own window of sales: "from Jun 1, 10:00 AM until Jun 5, 8:00 PM"; empty when it has
    /// none.
    fn window(&self, ticket_type: &TicketType) -> String {
        let clock = self.event.clock();
        let from = ticket_type.sales_start_at.map(|at| format!("from {}", clock.short_zone(&at)));
        let until = ticket_type.sales_end_at.map(|at| format!("until {}", clock.short_zone(&at)));
        [from, until].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// "2 of 4" tickets are sold or held.
    fn taken(&self, ticket_type: &TicketType) -> String {
        format!(
            "{} of {}",
            grouped(ticket_type.capacity - ticket_type.available),
            grouped(ticket_type.capacity)
        )
    }
}

/// `GET /admin/events/{slug}`
pub async fn show(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = AdminEventPage::load(page.clone(), &app, &slug).await?;
    page.respond_unlisted(StatusCode::OK, &shown)
}

/// `GET /admin/events/{slug}/progress`: the part of the page that refreshes itself while bookings are worked on.
pub async fn progress(
    page: Page,
    _: PollingOrganizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = AdminEventPage::load(page.clone(), &app, &slug).await?;
    Ok(page.unlisted_builder(StatusCode::OK).body(html(&shown.as_progress())?))
}

/// `GET /admin/events/{slug}/dashboard`: the part of the page that shows the sale, and refreshes itself.
pub async fn dashboard(
    page: Page,
    _: PollingOrganizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let shown = AdminEventPage::load(page.clone(), &app, &slug).await?;
    Ok(page.unlisted_builder(StatusCode::OK).body(html(&shown.as_dashboard())?))
}

/// `GET /admin/events/{slug}/preview`: the buyer's page.
pub async fn preview(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (event, mut ticket_types) = find(&app, &slug).await?;
    ticket_types.retain(|it| it.state != TicketTypeState::Hidden);
    let concert = Concert { event, ticket_types, held: Vec::new(), former_slugs: Vec::new() };
    events::pages::preview(page, &app, concert)
}
