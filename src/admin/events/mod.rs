//! `/admin/events`: the organizer's concerts. They are listed, created, changed and published here, and their ticket
//! types with them.
//!
//! The rules of the fields and of changes do not belong here: see `events::editing`.

pub mod acts;
pub mod cancellation;
pub mod dashboard;
pub mod edit;
pub mod form;
pub mod index;
pub mod messages;
pub mod new;
pub mod picture_form;
pub mod postponement;
pub mod rehearsal;
pub mod show;
pub mod ticket_types;
pub mod waiting_room;

use actix_web::HttpResponse;

use crate::app::App;
use crate::booking::event_jobs;
use crate::error::Error;
use crate::events::editing::store;
use crate::events::{Event, EventState, TicketType, is_slug};
use crate::page::{Toast, see_other_with};
use crate::sales;

/// The concert that has that slug or had it, and its ticket types.
pub(super) async fn find(app: &App, slug: &str) -> Result<(Event, Vec<TicketType>), Error> {
    if !is_slug(slug) {
        return Err(Error::NotFound);
    }
    let slug = slug.to_owned();
    app.db.read_primary(move |db| store::find_whole(db, &slug)).await
}

/// A published concert that is not over, and how many people hold its tickets. If they are many, the number
/// may be a minute old.
async fn find_published(app: &App, slug: &str) -> Result<(Event, i64), Error> {
    let (event, _) = find(app, slug).await?;
    if event.state != EventState::Published || event.is_over(app.board.now()) {
        return Err(Error::Gone {
            title: "This concert can’t be changed that way",
            explanation: "Only a published concert that is still to come can be postponed or canceled.",
        });
    }
    let (counter, of) = (app.heavy_work.sales.remembered.clone(), event.clone());
    let sales = app.db.read_primary(move |db| sales::store::of(db, of, &counter)).await?;
    app.heavy_work.sales.count_behind(&app.db, std::slice::from_ref(&sales), app.board.now());
    if let Some(counted) = sales.counted {
        return Ok((event, counted.count.holders));
    }
    // There are many bookings, and they have not been counted yet.
    let id = event.id;
    let holders = app.db.read(move |db| event_jobs::store::holders(db, id)).await?;
    Ok((event, holders))
}

/// After a change that was committed: shows it, here and on the other servers, and leads back to the concert's page,
/// which says `words`.
pub(super) async fn done(app: &App, slug: &str, words: impl Into<String>) -> Result<HttpResponse, Error> {
    app.show_changes().await?;
    Ok(see_other_with(&app.cookies, &format!("/admin/events/{slug}"), &Toast::success(words)))
}
