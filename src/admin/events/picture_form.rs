//! What a concert's form has sent: its fields, and the file of its picture.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::error::Error;
use crate::events::editing::FieldFaults;
use crate::events::editing::store::pictures::PictureChange;
use crate::events::pictures::{FILE_BYTES_MAX, PictureFault, processing};
use crate::guard::form::Form;
use crate::guard::multipart::{self, FormWithFile, SentFile};

/// The field of the file.
pub const FIELD: &str = "image";
/// The box that removes the picture.
const REMOVAL: &str = "remove_image";

/// A concert's form. Browsers send it as multipart, scripts may send it as any other form.
pub struct SentEvent {
    pub typed: HashMap<String, String>,
    file: Option<SentFile>,
}

impl FromRequest for SentEvent {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // The middleware that keeps what was typed has read it already.
        if let Some(read) = request.extensions_mut().remove::<FormWithFile>() {
            return Box::pin(std::future::ready(Ok(Self { typed: read.fields, file: read.file })));
        }
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if multipart::is_multipart(&request) {
                let read = multipart::read(&request, payload, FIELD, FILE_BYTES_MAX).await?;
                return Ok(Self { typed: read.fields, file: read.file });
            }
            let Form(typed) = Form::from_request(&request, &mut payload).await?;
            Ok(Self { typed, file: None })
        })
    }
}

impl SentEvent {
    /// What becomes of the picture, when everything else is right.
    ///
    /// # Errors
    /// [`Error::Busy`]. A fault of the file is not an error: it is part of the result.
    pub async fn picture(&mut self) -> Result<Result<PictureChange, PictureFault>, Error> {
        let is_removed = matches!(self.typed.get(REMOVAL).map(String::as_str), Some("true" | "on" | "1"));
        Ok(match self.file.take() {
            Some(SentFile::TooLarge) => Err(PictureFault::TooLarge),
            Some(SentFile::Whole(file)) => processing::process(file).await?.map(PictureChange::Replace),
            None if is_removed => Ok(PictureChange::Remove),
            None => Ok(PictureChange::Keep),
        })
    }

    /// Asks for the file again, when the form is shown again for another reason: no browser can keep the
    /// file.
    pub fn ask_again(&self, faults: &mut FieldFaults) {
        match self.file {
            Some(SentFile::TooLarge) => faults.add(FIELD, PictureFault::TooLarge.words()),
            Some(SentFile::Whole(_)) => {
                faults.add(FIELD, "Choose the picture again. Everything else was kept.")
            }
            None => {}
        }
    }
}

/// Marks the field of a file that is wrong. Returns the status of the form.
pub fn mark(faults: &mut FieldFaults, fault: PictureFault) -> StatusCode {
    faults.add(FIELD, fault.words());
    match fault {
        PictureFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
