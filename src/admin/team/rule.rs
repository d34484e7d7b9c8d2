//! `/admin/team/second-factor`: whether each account must have a second factor.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Deserialize;

use super::index::{InvitationErrors, InvitationForm, refuse};
use crate::admin::refusal;
use crate::app::App;
use crate::auth::access::Owner;
use crate::auth::reauthentication::check_again;
use crate::auth::store::second_factor;
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other_with};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RuleForm {
    /// "on", or nothing.
    required: String,
    password: String,
}

/// `POST /admin/team/second-factor`. An account without a second factor is led to set one up, from its next
/// click on.
pub async fn update(
    request: HttpRequest,
    page: Page,
    Owner(mut admin): Owner,
    app: web::Data<App>,
    Form(form): Form<RuleForm>,
) -> Result<HttpResponse, Error> {
    let is_required = form.required == "on";
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, form.password).await? {
        let words = refusal::sentence(refusal, "Wrong password. Nothing was changed.");
        let errors = InvitationErrors::of_rule(words);
        let own = (admin.account_id, admin.username);
        return refuse(page, own, &app, InvitationForm::default(), errors, refusal).await;
    }
    let actor = admin.actor();
    let now = Utc::now().naive_utc();
    app.db.write(move |db| second_factor::require(db, is_required, &actor, now)).await?;
    let toast = Toast::success(if is_required {
        "Every account needs a second factor now."
    } else {
        "A second factor is up to each account now."
    });
    Ok(see_other_with(&app.cookies, "/admin/team", &toast))
}
