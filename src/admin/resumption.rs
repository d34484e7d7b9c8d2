//! A form that was filled in while the session ended: the sign-in page carries what was typed, and shows the form with
//! it again. Nothing of the form is carried out meanwhile.
//!
//! Forms that ask for a password are not kept.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage as _, HttpResponse};

use super::events::picture_form;
use super::sign_in::SignInPage;
use super::typed_form::TypedForm;
use crate::auth::Auth;
use crate::auth::known_browser::KnownBrowser;
use crate::auth::return_path::ReturnPath;
use crate::error::Error;
use crate::events::pictures::FILE_BYTES_MAX;
use crate::guard::form::parse;
use crate::guard::multipart;
use crate::page::Page;

/// Middleware around a form's URL: answers a post without a session with the sign-in page, which carries what
/// was typed. It does so only in a browser in which an organizer has signed in before: others are led to the
/// sign-in, as everywhere.
///
/// # Errors
/// If the body cannot be read, and those of the inner services.
pub async fn keep_typed<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    if request.method() != Method::POST {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    if request.content_type().eq_ignore_ascii_case("multipart/form-data") {
        return keep_typed_beside_file(request, next).await;
    }
    let body = request
        .extract::<Bytes>()
        .await
        .map_err(|error| Error::Unreadable(error.to_string(), error.as_response_error().status_code()))?;
    request.set_payload(Payload::from(body.clone()));
    let response = next.call(request).await?;
    let is_over = response.response().error().and_then(actix_web::Error::as_error::<Error>);
    if !matches!(is_over, Some(Error::SignInRequired { wants_fragment: false, .. })) {
        return Ok(response.map_into_left_body());
    }
    match parse(&body).ok().and_then(|typed| sign_in_page(&response, TypedForm::new(typed))) {
        Some(page) => Ok(response.into_response(page?).map_into_right_body()),
        None => Ok(response.map_into_left_body()),
    }
}

/// The same for a form with a file. The file is not kept: no page can give it back to a browser. The body is read here
/// only in a browser in which an organizer has signed in; everybody else is led to the sign-in without that.
async fn keep_typed_beside_file<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let auth = request.app_data::<web::Data<Auth>>();
    let is_known = auth.is_some_and(|auth| KnownBrowser::of_any_account(auth, request.request()).is_some());
    if !is_known {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let payload = request.take_payload();
    let read = multipart::read(request.request(), payload, picture_form::FIELD, FILE_BYTES_MAX).await?;
    let typed = TypedForm::new(read.fields.clone().into_iter().collect());
    request.extensions_mut().insert(read);
    let response = next.call(request).await?;
    let is_over = response.response().error().and_then(actix_web::Error::as_error::<Error>);
    if !matches!(is_over, Some(Error::SignInRequired { wants_fragment: false, .. })) {
        return Ok(response.map_into_left_body());
    }
    match sign_in_page(&response, typed) {
        Some(page) => Ok(response.into_response(page?).map_into_right_body()),
        None => Ok(response.map_into_left_body()),
    }
}

fn sign_in_page<B>(response: &ServiceResponse<B>, typed: TypedForm) -> Option<Result<HttpResponse, Error>> {
    let request = response.request();
    let auth = request.app_data::<web::Data<Auth>>()?;
    let next = ReturnPath::of(request).filter(|_| KnownBrowser::of_any_account(auth, request).is_some())?;
    let sign_in = SignInPage::of_ended_session(next, typed);
    let page = Page::default();
    Some(page.respond_unlisted(StatusCode::UNAUTHORIZED, &sign_in))
}
