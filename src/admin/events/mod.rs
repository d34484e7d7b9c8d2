//! `/admin/events`: the organizer's concerts. They are listed, created, changed and published here, and their ticket
//! types with them.
//!
//! What a field may hold and what a change does stand in `events::editing`; these are its pages.

pub mod acts;
pub mod cancellation;
pub mod edit;
pub mod form;
pub mod index;
pub mod new;
pub mod postponement;
pub mod show;
pub mod ticket_types;

use crate::app::App;
use crate::error::Error;
use crate::events::editing::store;
use crate::events::{Event, TicketType, is_slug};

/// The concert that has that slug or had it, and its ticket types.
async fn find(app: &App, slug: &str) -> Result<(Event, Vec<TicketType>), Error> {
    if !is_slug(slug) {
        return Err(Error::NotFound);
    }
    let slug = slug.to_owned();
    app.db.read_primary(move |db| store::find_whole(db, &slug)).await
}

/// Shows a change that was committed, here and on the other servers.
async fn announce(app: &App) -> Result<(), Error> {
    app.desk.restocked();
    app.board.refresh_from_primary(&app.db).await?;
    app.board.announce_everything();
    Ok(())
}
