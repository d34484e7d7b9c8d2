//! The server with one transaction for each booking. The benchmark starts itself with [`ARGUMENT`] to be this server.

use techkraft::booking::desk::{Desk, DeskLimits};

use crate::{Result, own_server};

pub const ARGUMENT: &str = "--serve-unbatched";

/// Serves until the process is killed.
pub fn serve() -> Result<()> {
    own_server::serve("unbatched", |limits| {
        let limits = DeskLimits { batch_size: 1, ..limits };
        Box::new(move |db, board, wakeup| Desk::open(db, board, wakeup, limits))
    })
}
