//! A sale through a waiting room with more buyers than tickets. The buyers are served in the order of their places.

use std::path::Path;

use diesel::prelude::*;
use testkit::bench::server::{BenchServer, techkraft};
use testkit::line_log::RoomSale;

use crate::Result;
use crate::lobby::open;
use crate::vigil::SLUG;

/// The usual rate limits are on: each buyer has a network of their own.
const LIMITS: (&str, &str) = ("RATE_LIMITS", "on");

/// Rehearses the sale of a fresh concert: 1,300 tickets.
pub fn sell(buyers: usize, minutes: usize, url: &str, folder: &Path) -> Result<bool> {
    let seeded = techkraft(url, folder).arg("seed").status()?;
    if !seeded.success() {
        return Err("the database is not seeded".into());
    }
    open(&mut PgConnection::establish(url)?, 0)?;
    let _server = BenchServer::start(url, folder, &[LIMITS])?;
    let (buyers, minutes) = (u32::try_from(buyers)?, u32::try_from(minutes)?);
    let sold = RoomSale { url, event_id: 1, slug: SLUG, buyers, minutes }.play(techkraft(url, folder))?;
    println!("\n{sold}");
    let fault = sold.fault();
    if let Some(fault) = &fault {
        eprintln!("{fault}");
    }
    Ok(fault.is_none())
}
