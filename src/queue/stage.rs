//! What a room is to one visitor, found from their place. A visitor who is served is issued a pass.

use std::sync::Arc;

use super::draw::Position;
use super::open_room::OpenRoom;
use super::pass::Pass;
use super::store::passes::{self, PassOutcome};
use super::{QueuePlace, RoomPhase};
use crate::app::App;
use crate::db::Db;
use crate::error::Error;

/// What the room is to one visitor.
pub(super) enum RoomStage {
    /// It is not open yet.
    Closed,
    /// The visitor has no place.
    Offer,
    /// The visitor is in the lobby.
    Lobby(QueuePlace),
    Waiting {
        place: QueuePlace,
        position: Position,
        /// People before this place, of all who have come.
        before: i64,
        ahead: i64,
    },
    /// Served, but no pass can be issued right now.
    Moment,
    Turn {
        pass: Pass,
    },
    /// The pass has expired.
    Over,
    /// The pass has booked; this is the booking's token.
    Booked(String),
    SoldOut,
}

/// What the room is to a visitor who has that place and keeps that pass.
///
/// # Errors
/// What went wrong, unless the database is away.
pub(super) async fn stage(
    app: &App,
    open: &Arc<OpenRoom>,
    phase: RoomPhase,
    place: Option<QueuePlace>,
    kept: Option<Pass>,
) -> Result<RoomStage, Error> {
    if let RoomPhase::Closed { .. } = phase {
        return Ok(RoomStage::Closed);
    }
    let Some(place) = place else {
        return Ok(if open.is_sold_out() { RoomStage::SoldOut } else { RoomStage::Offer });
    };
    let Some(position) = open.position(&place) else { return Ok(RoomStage::Lobby(place)) };
    if open.room.serves(position) {
        return served(app, open, place, position, kept).await;
    }
    if open.is_sold_out() {
        return Ok(RoomStage::SoldOut);
    }
    let (before, ahead) = open.before(position);
    Ok(RoomStage::Waiting { place, position, before, ahead })
}

/// Issues a pass to a visitor who is served, as long as there are passes: the best places first. While the
/// database is away the place is kept, and so is a pass that the browser has.
async fn served(
    app: &App,
    open: &Arc<OpenRoom>,
    place: QueuePlace,
    position: Position,
    kept: Option<Pass>,
) -> Result<RoomStage, Error> {
    let (passes, room) = (app.rooms.passes().clone(), open.room.clone());
    let (known, known_room, own) = (passes.clone(), room.clone(), place.clone());
    let event_id = room.event_id;
    let find = move |db: &mut Db| passes::find(db, &known, &known_room, &own);
    let outcome = match app.db.read_primary(find).await {
        // A place takes a new pass only if it has none: a page that is loaded again finds its own.
        Ok(None)
            if app.rooms.refusals.before(event_id, position) < open.passes_left() && open.take_pass() =>
        {
            let most = open.supply.passes_most();
            let issue = move |db: &mut Db| passes::issue(db, &passes, &room, &place, position, most);
            app.db.write(issue).await
        }
        found => found,
    };
    match &outcome {
        Ok(Some(_)) => app.rooms.refusals.settle(event_id, position),
        Ok(None) => app.rooms.refusals.note(event_id, position),
        // It was not decided, so a visitor who was refused keeps the turn.
        Err(_) => {}
    }
    Ok(match outcome {
        Ok(Some(PassOutcome::Issued(pass))) => RoomStage::Turn { pass },
        Ok(Some(PassOutcome::Expired)) => RoomStage::Over,
        Ok(Some(PassOutcome::Booked(token))) => RoomStage::Booked(token),
        Ok(None) if open.is_sold_out() => RoomStage::SoldOut,
        Ok(None) => RoomStage::Moment,
        Err(Error::Busy | Error::OutcomeUnknown | Error::Database(_)) => {
            kept.map_or(RoomStage::Moment, |pass| RoomStage::Turn { pass })
        }
        Err(error) => return Err(error),
    })
}
