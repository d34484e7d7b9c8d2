//! Saves the box office, and keeps this server's copy of it up to date.
//!
//! How it is entered does not belong here: see `admin::setup`.

pub mod store;

use std::time::Duration;

use actix_web::web;
use diesel::QueryResult;

use crate::box_office::{BoxOfficeDetails, KnownBoxOffice};
use crate::db::{Database, Db};
use crate::error::Error;

/// How soon another server knows of a change.
const READ_EVERY: Duration = Duration::from_secs(30);

/// Reads the box office, and keeps it current as long as the program runs. Called inside actix's runtime.
pub fn open(db: &Database) -> Result<web::Data<KnownBoxOffice>, Error> {
    let known = web::Data::new(KnownBoxOffice::new(db.read_primary_blocking(store::read)?));
    actix_web::rt::spawn(keep_current(known.clone(), db.clone()));
    Ok(known)
}

/// Saves the box office, together with what `write` does, and shows it on this server at once.
pub async fn save(
    db: &Database,
    known: &KnownBoxOffice,
    box_office: BoxOfficeDetails,
    write: impl FnOnce(&mut Db) -> QueryResult<()> + Send + 'static,
) -> Result<(), Error> {
    let save = db.write(move |db| {
        store::replace(db, &box_office)?;
        write(db)?;
        Ok(box_office)
    });
    known.update(save).await
}

async fn keep_current(known: web::Data<KnownBoxOffice>, db: Database) {
    loop {
        tokio::time::sleep(READ_EVERY).await;
        // While the database is unavailable the last one is shown; the board's refresher logs that it is unavailable.
        drop(known.update(db.read_primary(store::read)).await);
    }
}
