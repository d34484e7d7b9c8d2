//! The server with no database behind its desk: orders are answered as booked, and nothing is. The benchmark starts
//! itself with [`ARGUMENT`] to be this server.

use std::sync::Arc;

use chrono::Utc;
use clap::Parser as _;
use techkraft::booking::desk::Desk;
use techkraft::booking::store::Batch;
use techkraft::booking::{Booking, BookingOutcome, Order};
use techkraft::config::{CommandLine, Config};
use techkraft::server::start_with;

use crate::Result;

pub const ARGUMENT: &str = "--serve-without-database";

/// As in the product's binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves until the process is killed. Settings come from the environment.
pub fn serve() -> Result<()> {
    let config = Config::new(&CommandLine::parse_from(["onsale"]).settings)?;
    let limits = config.desk;
    actix_web::rt::System::new().block_on(async {
        let open_desk = move |_: &_, board, _| {
            Desk::with_store(limits, board, Arc::default(), |orders| Ok(as_booked(orders)))
        };
        let started = start_with(config, Box::new(open_desk))?;
        println!("no database: http://{}", started.address);
        started.server.await?;
        Ok(())
    })
}

fn as_booked(orders: &[&Order]) -> Batch {
    let now = Utc::now().naive_utc();
    let booked = |order: &&Order| BookingOutcome::Booked(Booking::of(order, 0, "USD".into(), now));
    Batch { outcomes: orders.iter().map(booked).collect(), ..Batch::default() }
}
