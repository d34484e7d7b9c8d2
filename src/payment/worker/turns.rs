//! The turns of questions, in the pace that all servers share.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::QueryResult;

use super::call::Call;
use crate::db::Db;
use crate::payment::store::clocks::{self, PacedEndpoint};
use crate::payment::store::{inbox, queue, refunds};

/// A turn that is further away than this is left to a server that is free then. This wait and the time of two
/// calls fit into the lease.
const TURN_MAX: TimeDelta = TimeDelta::seconds(25);

/// Gives each question its turn. A question whose turn is too far away is released until that turn.
pub(super) fn in_turn(
    db: &mut Db,
    mut calls: Vec<Call>,
    now: NaiveDateTime,
    per_second: u32,
) -> QueryResult<Vec<(NaiveDateTime, Call)>> {
    let unpaced = calls.extract_if(.., |call| call.endpoint().is_none());
    let mut in_turn: Vec<_> = unpaced.map(|call| (now, call)).collect();
    for endpoint in PacedEndpoint::ALL {
        let own: Vec<&Call> = calls.iter().filter(|call| call.endpoint() == Some(endpoint)).collect();
        if own.is_empty() {
            continue;
        }
        let limit = (now, TURN_MAX);
        let (mut turn, granted) = clocks::reserve(db, endpoint, own.len(), per_second, limit)?;
        for (call, number) in own.into_iter().zip(0..) {
            if number < granted {
                in_turn.push((turn, call.clone()));
            } else {
                release(db, call, turn)?;
            }
            turn += clocks::gap(per_second);
        }
    }
    Ok(in_turn)
}

fn release(db: &mut Db, call: &Call, at: NaiveDateTime) -> QueryResult<()> {
    match call {
        Call::Open(due) | Call::Look(due) | Call::Close(due) => queue::release(db, &due.payment, at),
        Call::Fee(payment) => queue::release(db, payment, at),
        Call::Refund(both) => refunds::put_off(db, &both.0, at, both.0.last_error.as_deref()),
        Call::OutsideRefunds(events, _) => {
            events.iter().try_for_each(|it| inbox::put_off(db, &it.event_id, at))
        }
        Call::Dispute(event, _) | Call::Event(event, _) => inbox::put_off(db, &event.event_id, at),
        Call::TooLate(_) => Ok(()),
    }
}
