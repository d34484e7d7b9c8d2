//! Who sells on this site: the name, address and contact of the box office. Pages for visitors name it, and new concerts
//! begin with it.
//!
//! How it is entered does not belong here: see `admin::setup`.

pub mod store;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use arc_swap::ArcSwap;
use diesel::prelude::*;

use crate::db::{Database, Db};
use crate::error::Error;
use crate::schema::box_office;

/// How soon another server knows of a change.
const READ_EVERY: Duration = Duration::from_secs(30);

/// Who sells. All empty until an owner has entered it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = box_office)]
pub struct BoxOffice {
    pub name: String,
    pub address: String,
    pub contact: String,
}

/// The same as this server knows it: pages read no database for it.
#[derive(Debug, Default)]
pub struct KnownBoxOffice(ArcSwap<BoxOffice>);

impl KnownBoxOffice {
    /// Reads it, and keeps it current as long as the program runs. Called inside actix's runtime.
    ///
    /// # Errors
    /// What the database said.
    pub fn open(db: &Database) -> Result<web::Data<Self>, Error> {
        let known = web::Data::new(Self(ArcSwap::from_pointee(db.read_primary_blocking(store::read)?)));
        actix_web::rt::spawn(keep_current(known.clone(), db.clone()));
        Ok(known)
    }

    #[must_use]
    pub fn now(&self) -> Arc<BoxOffice> {
        self.0.load_full()
    }

    /// Saves it, and shows it on this server at once. `write` does both in one transaction with what else it writes.
    ///
    /// # Errors
    /// What the database said.
    pub async fn save(
        &self,
        db: &Database,
        box_office: BoxOffice,
        write: impl FnOnce(&mut Db) -> QueryResult<()> + Send + 'static,
    ) -> Result<(), Error> {
        let saved = box_office.clone();
        db.write(move |db| {
            store::replace(db, &saved)?;
            write(db)
        })
        .await?;
        self.0.store(Arc::new(box_office));
        Ok(())
    }
}

async fn keep_current(known: web::Data<KnownBoxOffice>, db: Database) {
    loop {
        tokio::time::sleep(READ_EVERY).await;
        // While the database is unavailable the last one is shown; the board's refresher logs that it is unavailable.
        if let Ok(read) = db.read_primary(store::read).await {
            known.0.store(Arc::new(read));
        }
    }
}
