//! `/buyer/forget`: the browser forgets the buyer that it remembers.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::buyer::Buyer;
use super::{lookup, messages};
use crate::app::App;
use crate::events::is_slug;
use crate::guard::form::Form;
use crate::page::{CLEAR_CACHE, Toast, see_other, toast_cookie};

/// The page that the button is on.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ForgetForm {
    event: String,
}

/// `POST /buyer/forget`: the browser forgets the buyer that it remembers, and the list of bookings that a
/// link has opened.
pub async fn forget_buyer(app: web::Data<App>, Form(form): Form<ForgetForm>) -> HttpResponse {
    let back = if is_slug(&form.event) { format!("/events/{}", form.event) } else { "/".into() };
    let cookies = [
        Buyer::forgetting_cookie(&app.cookies),
        lookup::link::closing_cookie(&app.cookies),
        toast_cookie(&app.cookies, &Toast::success(messages::FORGOTTEN)),
    ];
    let mut response = see_other(&back);
    response.insert_header(CLEAR_CACHE);
    cookies.into_iter().for_each(|cookie| _ = response.cookie(cookie));
    response.finish()
}
