//! One picture is made at a time, off the server's threads: however many files are sent, decoding takes the memory of
//! one picture and no more than one core.

use std::time::Duration;

use actix_web::web;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::PictureFault;
use super::drawing::{self, Picture};
use crate::error::Error;

/// How long a picture waits for its turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(20);

static TURN: Semaphore = Semaphore::const_new(1);

/// Makes a picture of a file.
///
/// # Errors
/// [`Error::Busy`] if others are being made for too long.
pub async fn process(file: Vec<u8>) -> Result<Result<Picture, PictureFault>, Error> {
    let turn = timeout(TURN_WAIT_MAX, TURN.acquire()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or(Error::Busy)?;
    let made = web::block(move || {
        // Keeps the turn until the work ends, even if the client has gone.
        let _turn = turn;
        drawing::draw(&file)
    });
    Ok(made.await?)
}
