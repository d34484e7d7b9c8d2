//! The pictures of posters that were drawn last. A picture costs a tenth of a second of a core, so it is drawn once for
//! each state of the facts, and one at a time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::{self, Bytes};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Poster, drawing};
use crate::error::Error;

/// Pictures that are kept: about 8 MB.
const KEPT_MAX: usize = 32;
/// How long a request waits for its turn to draw.
const TURN_WAIT_MAX: Duration = Duration::from_secs(5);

/// By tag, the latest at the end. A tag stands for the facts, so one list for the process is enough.
static KEPT: Kept = Mutex::new(VecDeque::new());
/// Lets one request draw at a time, so that pictures never take all cores.
static TURN: Semaphore = Semaphore::const_new(1);

/// The poster as a PNG; drawn if it is not kept.
///
/// # Errors
/// [`Error::Busy`] if others are being drawn for too long.
pub async fn picture(poster: Poster) -> Result<Bytes, Error> {
    let tag = poster.tag();
    if let Some(picture) = find(&KEPT, &tag) {
        return Ok(picture);
    }
    let turn = timeout(TURN_WAIT_MAX, TURN.acquire()).await;
    let turn = turn.ok().and_then(Result::ok).ok_or(Error::Busy)?;
    // Somebody else may have drawn it meanwhile.
    if let Some(picture) = find(&KEPT, &tag) {
        return Ok(picture);
    }
    let drawn = web::block(move || {
        // Keeps the turn until the work ends, even if the client has gone.
        let _turn = turn;
        let picture = Bytes::from(drawing::draw(&poster));
        keep(&KEPT, tag, picture.clone());
        picture
    });
    Ok(drawn.await?)
}

type Kept = Mutex<VecDeque<(String, Bytes)>>;

fn find(kept: &Kept, tag: &str) -> Option<Bytes> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().find(|(its_tag, _)| its_tag == tag).map(|(_, picture)| picture.clone())
}

fn keep(kept: &Kept, tag: String, picture: Bytes) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT_MAX {
        kept.pop_front();
    }
    kept.push_back((tag, picture));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_kept_up_to_a_limit() {
        let kept = Kept::default();
        for number in 0..100 {
            keep(&kept, number.to_string(), Bytes::from_static(b"x"));
        }
        assert_eq!(kept.lock().expect("a lock").len(), KEPT_MAX);
        assert!(find(&kept, "99").is_some() && find(&kept, "0").is_none());
    }
}
