//! `/admin/events`: the list of concerts.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::app::App;
use crate::auth::access::Organizer;
use crate::booking::buyer::fold;
use crate::error::Error;
use crate::events::editing::store::listing::{self, EventView, ListedEvent};
use crate::events::{Event, EventState};
use crate::guard::form::Query;
use crate::page::Page;

/// Concerts on a page.
const PAGE_LENGTH: usize = 25;
/// Longest search, in characters.
const SEARCH_LENGTH_MAX: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EventListQuery {
    view: String,
    q: String,
    page: String,
}

#[derive(Template)]
#[template(path = "admin/events/index.html")]
struct AdminEventsPage {
    page: Page,
    view: EventView,
    /// Each view, and how many concerts that were searched for are in it.
    counts: Vec<(EventView, usize)>,
    search: String,
    events: Vec<ListedEvent>,
    number: usize,
    last: usize,
    now: NaiveDateTime,
}

impl AdminEventsPage {
    /// The list in another view, or another page of it.
    fn link(&self, view: &EventView, number: usize) -> String {
        let mut link = format!("/admin/events?view={}", view.as_str());
        if !self.search.is_empty() {
            link += &format!("&q={}", utf8_percent_encode(&self.search, NON_ALPHANUMERIC));
        }
        if number > 1 {
            link += &format!("&page={number}");
        }
        link
    }

    fn badge(&self, event: &Event) -> (&'static str, &'static str) {
        badge(event, self.now)
    }
}

/// What a concert is now, and the badge's look.
#[must_use]
pub fn badge(event: &Event, now: NaiveDateTime) -> (&'static str, &'static str) {
    match event.state {
        EventState::Draft => ("Draft", "closed"),
        EventState::Canceled => ("Canceled", "canceled"),
        EventState::Archived => ("Archived", "closed"),
        EventState::Published if event.is_over(now) => ("Over", "closed"),
        EventState::Published if event.paused => ("Paused", "low"),
        EventState::Published => ("Published", "good"),
    }
}

/// `GET /admin/events?view=drafts&q=night&page=2`
pub async fn index(
    page: Page,
    _: Organizer,
    app: web::Data<App>,
    Query(query): Query<EventListQuery>,
) -> Result<HttpResponse, Error> {
    let view = match query.view.as_str() {
        "" => EventView::Upcoming,
        view => EventView::ALL.into_iter().find(|it| it.as_str() == view).ok_or(Error::NotFound)?,
    };
    let search: String = query.q.trim().chars().take(SEARCH_LENGTH_MAX).collect();
    let number: usize = match query.page.as_str() {
        "" => 1,
        page => page.parse().ok().filter(|number| *number > 0).ok_or(Error::NotFound)?,
    };
    let now = app.board.now();
    let words: Vec<String> = fold(&search).split_whitespace().map(str::to_owned).collect();
    let read = app.db.read_primary(move |db| {
        let mut names = listing::names(db, now)?;
        names.retain(|it| {
            let name = if words.is_empty() { String::new() } else { fold(&it.name) };
            words.iter().all(|word| name.contains(word))
        });
        let count = |view: EventView| (view, names.iter().filter(|it| it.view == view).count());
        let counts: Vec<_> = EventView::ALL.into_iter().map(count).collect();
        let of_view = names.iter().filter(|it| it.view == view).map(|it| it.id);
        let ids: Vec<i64> =
            of_view.skip((number - 1).saturating_mul(PAGE_LENGTH)).take(PAGE_LENGTH).collect();
        Ok((counts, listing::page(db, &ids)?))
    });
    let (counts, events) = read.await?;
    let found = counts.iter().find(|it| it.0 == view).map_or(0, |it| it.1);
    let last = found.div_ceil(PAGE_LENGTH).max(1);
    if number > last {
        return Err(Error::NotFound);
    }
    let list = AdminEventsPage { page: page.clone(), view, counts, search, events, number, last, now };
    page.respond_unlisted(StatusCode::OK, &list)
}
