//! `/bookings/{token}/buyer`, `/buyer/email`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::form::{CorrectionForm, CorrectionQuestion, suggestion};
use super::{Correction, CorrectionOutcome, Corrector, store};
use crate::app::App;
use crate::audit::Actor;
use crate::booking::buyer::{Buyer, Contact};
use crate::booking::messages;
use crate::booking::pages::find_placed_booking;
use crate::error::Error;
use crate::guard::client_address;
use crate::guard::form::{Form, Query};
use crate::page::{Page, Toast, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "bookings/correction.html")]
struct CorrectionPage {
    page: Page,
    question: CorrectionQuestion,
}

/// What stands below an email field while its domain looks mistyped.
#[derive(Template)]
#[template(path = "parts/email_suggestion.html")]
struct EmailSuggestion {
    suggestion: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CorrectionQuery {
    /// Whether to start with the suggested address.
    suggested: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TypedEmail {
    email: String,
}

/// `GET /bookings/{token}/buyer?suggested=1`
pub async fn edit(
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Query(query): Query<CorrectionQuery>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    if !placed.booking.is_confirmed() {
        return Ok(see_other(&format!("/bookings/{}", placed.booking.token)).finish());
    }
    let id = placed.booking.id;
    let mut question = CorrectionQuestion::of(placed, !query.suggested.is_empty());
    if app.db.read_primary(move |db| store::is_admitted(db, id)).await? {
        question.refuse(&CorrectionOutcome::Admitted);
    }
    respond(page, question)
}

/// `POST /bookings/{token}/buyer`
pub async fn update(
    request: HttpRequest,
    page: Page,
    app: web::Data<App>,
    token: web::Path<String>,
    Form(form): Form<CorrectionForm>,
) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let old = placed.booking.buyer.clone();
    let token = placed.booking.token.clone();
    let mut question = CorrectionQuestion { form, ..CorrectionQuestion::of(placed, false) };
    let Some((name, email)) = question.read() else { return respond(page, question) };
    let actor = Actor::buyer(client_address::of(&request).to_string());
    let corrector = Corrector::Buyer { token: token.clone(), actor };
    let correction = Correction { corrector, name: name.clone(), email: email.clone() };
    let Some(corrected) = correct(&app, correction, &mut question).await? else {
        return respond(page, question);
    };
    let mut response = see_other(&format!("/bookings/{}", corrected.new_token.unwrap_or(token)));
    response.cookie(toast_cookie(&app.cookies, &corrected.toast));
    // A browser that remembers the wrong address would book with it again.
    let remembered = Buyer::remembered(&app.cookies, &request);
    if let Some(email) = email.filter(|_| remembered.is_some_and(|buyer| buyer.contact == old)) {
        response.cookie(Buyer { name, contact: Contact::Email(email) }.cookie(&app.cookies));
    }
    Ok(response.finish())
}

/// A correction that was accepted.
pub struct Corrected {
    /// The booking's token from now on; `None`: as it was.
    pub new_token: Option<String>,
    /// The message to show.
    pub toast: Toast,
}

/// Corrects, and wakes the mail sender. `None`: it was refused, and the question says why.
pub async fn correct(
    app: &App,
    correction: Correction,
    question: &mut CorrectionQuestion,
) -> Result<Option<Corrected>, Error> {
    let (new_token, message) = match app.db.write(move |db| store::correct(db, &correction)).await? {
        CorrectionOutcome::Corrected { token, new_email } => {
            app.outbox_wakeup.notify();
            (Some(token), messages::corrected(new_email.as_deref()))
        }
        CorrectionOutcome::Unchanged => (None, "Nothing was changed.".into()),
        refused => {
            question.refuse(&refused);
            return Ok(None);
        }
    };
    Ok(Some(Corrected { new_token, toast: Toast::success(message) }))
}

/// `POST /buyer/email`: the hint below the checkout's email field. Nothing, where nothing looks mistyped.
pub async fn check_email(page: Page, Form(typed): Form<TypedEmail>) -> Result<HttpResponse, Error> {
    let suggestion = suggestion(&typed.email);
    page.respond_unlisted(StatusCode::OK, &EmailSuggestion { suggestion })
}

fn respond(page: Page, question: CorrectionQuestion) -> Result<HttpResponse, Error> {
    page.clone().respond_unlisted(question.status, &CorrectionPage { page, question })
}
