//! Reads "multipart/form-data", the forms that send a file, and API bodies that are a file. The fields of a
//! form are read by the same rules as those of every other form. Of a file that is over the limit, no bytes
//! are kept.

use std::collections::HashMap;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use futures_util::{StreamExt as _, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::request_validation::FIELDS_MAX;
use crate::connections::body_allowance::LongBody;
use crate::error::Error;
use crate::resource::{LONG_BODY_BYTES_MAX, UPLOAD_BYTES_MAX};

/// How many chunks of the body may wait for the parser.
const QUEUE: usize = 4;

/// What a form with a file has sent.
#[derive(Debug, Default)]
pub struct FormWithFile {
    pub fields: HashMap<String, String>,
    /// `None`: nothing was chosen.
    pub file: Option<SentFile>,
}

/// A file, as it was sent. Its name and its type are ignored: only its bytes tell what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentFile {
    Whole(Vec<u8>),
    /// It has more bytes than the limit, and none was kept.
    TooLarge,
}

/// Whether a request has such a body.
#[must_use]
pub fn is_multipart(request: &HttpRequest) -> bool {
    boundary(request).is_some()
}

fn boundary(request: &HttpRequest) -> Option<String> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// Reads the body. `file_field`: the field of the file. `file_max`: how many bytes it may have.
///
/// # Errors
/// [`Error::Unreadable`] for anything that no browser sends.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    file_field: &str,
    file_max: usize,
) -> Result<FormWithFile, Error> {
    let boundary = boundary(request)
        .ok_or_else(|| Error::Unreadable("not a form".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(UPLOAD_BYTES_MAX as u64));
    let _long = LongBody::of(request);
    let (body, reader) = movable(payload);
    let mut parts = Multipart::with_constraints(body, boundary, limits);
    let mut form = FormWithFile::default();
    let (mut count, mut text_bytes) = (0, 0);
    while let Some(mut part) = parts.next_field().await.map_err(|e| unreadable(&e))? {
        count += 1;
        let name = part.name().map(str::to_owned).ok_or_else(|| wrong("a field has no name"))?;
        if count > FIELDS_MAX {
            return Err(wrong("too many fields"));
        }
        if name == file_field {
            let file = read_file(&mut part, file_max).await?;
            // A browser sends an empty file when none was chosen.
            if file != SentFile::Whole(Vec::new()) && form.file.replace(file).is_some() {
                return Err(wrong("a repeated field"));
            }
            continue;
        }
        let value = read_text(&mut part, &mut text_bytes).await?;
        if form.fields.insert(name, value).is_some() {
            return Err(wrong("a repeated field"));
        }
    }
    drop(parts);
    // A connection that is closed with unread bytes in it is reset, and the answer is lost.
    let mut rest = reader.await.map_err(|_| wrong("the body ended early"))?;
    while let Some(Ok(_)) = rest.next().await {}
    Ok(form)
}

/// Reads a body that is a file by itself, to its end.
///
/// # Errors
/// [`Error::Unreadable`] if it breaks off, or is so long that it is not read to its end.
pub async fn read_alone(request: &HttpRequest, mut payload: Payload, most: usize) -> Result<SentFile, Error> {
    let _long = LongBody::of(request);
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| wrong("the body ended early"))?;
        length += chunk.len();
        if length > UPLOAD_BYTES_MAX {
            return Err(Error::Unreadable("the body is too long".into(), StatusCode::PAYLOAD_TOO_LARGE));
        }
        if length > most {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(if length > most { SentFile::TooLarge } else { SentFile::Whole(bytes) })
}

/// Reads the whole file, even beyond the limit: the fields after it are needed.
async fn read_file(part: &mut Field<'_>, most: usize) -> Result<SentFile, Error> {
    let mut bytes = Vec::new();
    let mut is_too_large = false;
    while let Some(chunk) = part.chunk().await.map_err(|e| unreadable(&e))? {
        is_too_large = is_too_large || bytes.len() + chunk.len() > most;
        if is_too_large {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(if is_too_large { SentFile::TooLarge } else { SentFile::Whole(bytes) })
}

async fn read_text(part: &mut Field<'_>, text_bytes: &mut usize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|e| unreadable(&e))? {
        *text_bytes += chunk.len();
        if *text_bytes > LONG_BODY_BYTES_MAX {
            return Err(Error::Unreadable("the fields are too long".into(), StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| wrong("a field is not valid UTF-8"))
}

/// The body as a stream that may move between threads, as the parser requires: actix's own stays on its
/// thread. Also the task that reads the body: it returns the unread rest once nobody reads the stream any
/// more.
fn movable(
    mut payload: Payload,
) -> (impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send, JoinHandle<Payload>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let reader = actix_web::rt::spawn(async move {
        while let Some(chunk) = payload.next().await {
            if sender.send(chunk.map_err(std::io::Error::other)).await.is_err() {
                break;
            }
        }
        payload
    });
    let body =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    (body, reader)
}

fn unreadable(error: &multer::Error) -> Error {
    let status = match error {
        multer::Error::StreamSizeExceeded { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    // The error says what is wrong, never what was typed.
    Error::Unreadable("the multipart body is malformed or too long".into(), status)
}

fn wrong(what: &str) -> Error {
    Error::Unreadable(what.to_owned(), StatusCode::UNPROCESSABLE_ENTITY)
}
