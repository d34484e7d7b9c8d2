//! A server with a desk that the benchmark provides. The benchmark's own program is this server if it is started with
//! the right argument.

use clap::Parser as _;
use techkraft::booking::desk::DeskLimits;
use techkraft::config::{CommandLine, Config};
use techkraft::server::{OpenDesk, start_with};

use crate::Result;

/// The same allocator as in the product's binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves until the process is killed. Settings come from the environment.
pub fn serve(name: &str, open_desk: impl FnOnce(DeskLimits) -> OpenDesk) -> Result<()> {
    let config = Config::new(&CommandLine::parse_from(["onsale"]).settings)?;
    let limits = config.desk;
    actix_web::rt::System::new().block_on(async {
        let started = start_with(config, open_desk(limits))?;
        println!("{name}: http://{}", started.address);
        started.server.await?;
        Ok(())
    })
}
