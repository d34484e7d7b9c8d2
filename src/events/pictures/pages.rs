//! `/pictures/{name}`: a picture, which never changes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::web::{self, Bytes};

use super::{is_hash, store};
use crate::app::App;
use crate::error::Error;

/// The name is made from the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The most bytes of pictures in memory: enough for a front page and for the concerts that sell now.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// By name, the latest at the end.
static KEPT: Mutex<KeptPictures> = Mutex::new(KeptPictures { files: VecDeque::new(), bytes: 0 });

struct KeptPictures {
    files: VecDeque<(String, Bytes)>,
    bytes: usize,
}

impl KeptPictures {
    fn find(&self, name: &str) -> Option<Bytes> {
        self.files.iter().find(|(its_name, _)| its_name == name).map(|(_, file)| file.clone())
    }

    fn keep(&mut self, name: String, file: Bytes) {
        self.bytes += file.len();
        self.files.push_back((name, file));
        while self.bytes > KEPT_BYTES_MAX {
            let Some((_, oldest)) = self.files.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }
}

/// `GET /pictures/{name}`
pub async fn show(app: web::Data<App>, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).find(&name);
    let file = match kept {
        Some(file) => file,
        None => {
            let file = load(&app, &name).await?;
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).keep(name.into_inner(), file.clone());
            file
        }
    };
    let mut response = HttpResponse::Ok();
    response.content_type("image/jpeg").insert_header((CACHE_CONTROL, FOR_EVER));
    // A JPEG is compressed already.
    Ok(response.insert_header((CONTENT_ENCODING, "identity")).body(file))
}

async fn load(app: &App, name: &str) -> Result<Bytes, Error> {
    let parts = name.strip_suffix(".jpg").and_then(|name| name.split_once('-'));
    let (hash, variant) = parts.filter(|(hash, _)| is_hash(hash)).ok_or(Error::NotFound)?;
    let is_variant =
        variant.len() <= 8 && variant.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !is_variant {
        return Err(Error::NotFound);
    }
    let (hash, variant) = (hash.to_owned(), variant.to_owned());
    // Not from a replica: it may not have a new one yet, and a cache would keep the 404.
    let found = app.db.read_primary(move |db| store::find(db, &hash, &variant)).await?;
    found.map(Bytes::from).ok_or(Error::NotFound)
}
