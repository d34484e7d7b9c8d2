//! `/admin/bookings/{reference}/buyer`: the box office corrects the name and the address of a booking, at any time.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::bookings::find;
use crate::app::App;
use crate::auth::access::BoxOffice;
use crate::auth::return_path::Resumed;
use crate::booking::correction::form::{CorrectionForm, CorrectionQuestion};
use crate::booking::correction::pages::correct;
use crate::booking::correction::{Correction, Corrector};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, see_other, toast_cookie};

#[derive(Template)]
#[template(path = "admin/correction.html")]
struct OrganizerCorrectionPage {
    page: Page,
    question: CorrectionQuestion,
}

/// `GET /admin/bookings/{reference}/buyer`
pub async fn edit(
    page: Page,
    _: BoxOffice,
    app: web::Data<App>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    respond(page, CorrectionQuestion::of(placed, false))
}

/// `POST /admin/bookings/{reference}/buyer`
pub async fn update(
    page: Page,
    BoxOffice(admin): BoxOffice,
    app: web::Data<App>,
    reference: web::Path<String>,
    Resumed(is_resumed): Resumed,
    Form(form): Form<CorrectionForm>,
) -> Result<HttpResponse, Error> {
    let placed = find(&app, &reference).await?;
    let reference = placed.booking.reference.clone();
    let mut question = CorrectionQuestion { form, ..CorrectionQuestion::of(placed, false) };
    if is_resumed {
        return respond(page, question);
    }
    let Some((name, email)) = question.read() else { return respond(page, question) };
    let corrector = Corrector::Organizer { reference: reference.clone(), actor: admin.actor() };
    let correction = Correction { corrector, name, email };
    let Some(corrected) = correct(&app, correction, &mut question).await? else {
        return respond(page, question);
    };
    let mut response = see_other(&format!("/admin/bookings/{reference}"));
    Ok(response.cookie(toast_cookie(&app.cookies, &corrected.toast)).finish())
}

fn respond(page: Page, question: CorrectionQuestion) -> Result<HttpResponse, Error> {
    page.clone().respond_unlisted(question.status, &OrganizerCorrectionPage { page, question })
}
