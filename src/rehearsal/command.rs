//! `techkraft rehearse`: asks the running site for a rehearsal, shows how far it is, and prints what was measured.

use std::thread;
use std::time::{Duration, Instant};

use super::{Rehearsal, store};
use crate::audit::Actor;
use crate::db::{Database, Db};
use crate::error::Error;
use crate::events::store as events;
use crate::start_error::StartError;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A running server looks for rehearsals more often than this.
const BEGINS_WITHIN: Duration = Duration::from_secs(15);

/// Asks for a rehearsal of the concert with that slug, and waits for its end.
///
/// # Errors
/// One line that says why there is no result.
pub fn run(db: &Database, concert: &str, buyers: i32, minutes: i32) -> Result<(), StartError> {
    let plan = super::check(Some(buyers), Some(minutes))
        .map_err(|errors| StartError::new(errors.into_iter().flatten().collect::<Vec<_>>().join(" ")))?;
    let slug = concert.to_owned();
    let asked = db.write_blocking(move |db: &mut Db| {
        let event = events::find_by_slug(db, &slug)?;
        store::ask(db, (event.id, &slug), plan, &Actor::command_line())
    });
    let id = match asked {
        Ok(id) => id.ok_or_else(|| StartError::new("another rehearsal is already running".into()))?,
        Err(Error::NotFound) => return Err(StartError::new(format!("there is no concert {concert}"))),
        Err(error) => return Err(broken(&error)),
    };
    println!(
        "Asked for a rehearsal of {concert}: {buyers} buyers, {minutes} minutes. Its copy is deleted at the end."
    );
    let ended = wait(db, id)?;
    match (ended.report(), ended.failure) {
        (Some(report), _) => {
            println!("{report}");
            if report.verify.is_empty() {
                Ok(())
            } else {
                Err(StartError::new("the counts do not add up".into()))
            }
        }
        (None, why) => Err(StartError::new(why.unwrap_or_else(|| "the rehearsal has no result".into()))),
    }
}

fn wait(db: &Database, id: i64) -> Result<Rehearsal, StartError> {
    let asked = Instant::now();
    let mut shown = String::new();
    loop {
        let rehearsal =
            db.read_primary_blocking(move |db| store::find(db, id)).map_err(|error| broken(&error))?;
        if !rehearsal.is_open() {
            return Ok(rehearsal);
        }
        if rehearsal.started_at.is_none() && asked.elapsed() > BEGINS_WITHIN {
            db.write_blocking(move |db| store::stop(db, id)).map_err(|error| broken(&error))?;
            return Err(StartError::new(
                "no server started the rehearsal: the site must be running on this database".into(),
            ));
        }
        if rehearsal.progress != shown {
            println!("{}", rehearsal.progress);
            shown = rehearsal.progress;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn broken(error: &Error) -> StartError {
    StartError::new(format!("the database: {error}"))
}
