//! What an organizer reads when a password or a code was not accepted: the same on each page that asks for one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use askama::Template;

use crate::auth::authentication::SignInRefusal;
use crate::error::Error;
use crate::page::{Page, html};

/// After which a place in the password queue is free again.
const BUSY_SECONDS: i64 = 2;

/// The sentence beside the password field; `wrong_password` is the page's own.
pub fn sentence(refusal: SignInRefusal, wrong_password: &str) -> String {
    match refusal {
        SignInRefusal::WrongPassword => wrong_password.to_owned(),
        SignInRefusal::FirstPasswordOver => {
            "That password was good for one day. The operator of this site can make a new one with \
             techkraft reset-admin-password."
                .to_owned()
        }
        SignInRefusal::Throttled { seconds } => {
            format!("Too many wrong passwords. Try again in {}.", duration(seconds))
        }
        SignInRefusal::Busy => "We couldn’t check your password right now. Try again in a moment.".to_owned(),
    }
}

/// The sentence beside the field of a second factor's code.
pub fn code_sentence(refusal: SignInRefusal) -> String {
    match refusal {
        SignInRefusal::Throttled { seconds } => {
            format!("Too many wrong codes. Try again in {}.", duration(seconds))
        }
        _ => "Wrong code, or used before. Wait for the next one that the app shows.".to_owned(),
    }
}

/// The page again, with the status of the refusal and the time to wait.
pub fn respond(page: &Page, refusal: SignInRefusal, template: &impl Template) -> Result<HttpResponse, Error> {
    let (status, retry_after) = match refusal {
        SignInRefusal::WrongPassword | SignInRefusal::FirstPasswordOver => {
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        SignInRefusal::Throttled { seconds } => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        SignInRefusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(BUSY_SECONDS)),
    };
    let mut response = page.unlisted_builder(status);
    if let Some(seconds) = retry_after {
        response.insert_header((RETRY_AFTER, seconds));
    }
    Ok(response.body(html(template)?))
}

/// "a second", "33 seconds", or whole minutes, rounded up.
fn duration(seconds: i64) -> String {
    match seconds {
        1 => "a second".to_owned(),
        ..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_in_words() {
        let said = |seconds| sentence(SignInRefusal::Throttled { seconds }, "");
        assert_eq!(said(1), "Too many wrong passwords. Try again in a second.");
        assert_eq!(said(33), "Too many wrong passwords. Try again in 33 seconds.");
        assert_eq!(said(901), "Too many wrong passwords. Try again in 16 minutes.");
    }
}
