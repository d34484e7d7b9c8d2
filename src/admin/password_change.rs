//! `/admin/password`: changes the account's password, which ends its other sessions.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::refusal;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::AnyMember;
use crate::auth::authentication::{Proof, SignInRefusal};
use crate::auth::password::{self, PasswordWeakness};
use crate::auth::reauthentication::check_again;
use crate::auth::session::{self, Admin};
use crate::auth::store::{accounts, sessions};
use crate::auth::{first_password, known_browser};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, see_other, toast_cookie};

/// Passwords are never sent back in the page.
#[derive(Template)]
#[template(path = "admin/password.html")]
struct PasswordPage {
    page: Page,
    admin: Admin,
    errors: PasswordErrors,
}

/// An error for each field.
#[derive(Default)]
struct PasswordErrors {
    current: Option<String>,
    new: Option<String>,
    repeated: Option<String>,
}

impl PasswordErrors {
    fn is_empty(&self) -> bool {
        self.current.is_none() && self.new.is_none() && self.repeated.is_none()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    current_password: String,
    new_password: String,
    repeated_password: String,
}

impl PasswordForm {
    /// The errors that need no check of the current password.
    fn errors(&self) -> PasswordErrors {
        let mut errors = PasswordErrors::default();
        if self.current_password.is_empty() {
            errors.current = Some("Enter your current password.".into());
        }
        if let Err(weakness) = password::check_length(&self.new_password) {
            errors.new = Some(sentence(weakness).into());
        } else if self.new_password == self.current_password {
            errors.new = Some("That's your current password.".into());
        } else if self.new_password != self.repeated_password {
            errors.repeated = Some("Passwords don't match.".into());
        }
        errors
    }
}

/// `GET /admin/password`
pub async fn edit(page: Page, AnyMember(admin): AnyMember) -> Result<HttpResponse, Error> {
    page.clone()
        .respond_unlisted(StatusCode::OK, &PasswordPage { page, admin, errors: PasswordErrors::default() })
}

/// `POST /admin/password`
pub async fn update(
    page: Page,
    AnyMember(mut admin): AnyMember,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<PasswordForm>,
) -> Result<HttpResponse, Error> {
    let errors = form.errors();
    if !errors.is_empty() {
        return refuse(page, admin, errors, SignInRefusal::WrongPassword);
    }
    let current = form.current_password;
    let proof = match check_again(&request, &app.auth, &mut admin, current).await? {
        Ok(proof) => proof,
        Err(refusal) => {
            let current = Some(refusal::sentence(refusal, "Wrong password. Nothing was changed."));
            return refuse(page, admin, PasswordErrors { current, ..PasswordErrors::default() }, refusal);
        }
    };
    match proof.hash_permit.hash_new(form.new_password).await? {
        Err(weakness) => {
            let new = Some(sentence(weakness).into());
            refuse(
                page,
                admin,
                PasswordErrors { new, ..PasswordErrors::default() },
                SignInRefusal::WrongPassword,
            )
        }
        Ok(hash) => replace(&admin, &app, &request, proof, hash).await,
    }
}

async fn replace(
    admin: &Admin,
    app: &App,
    request: &HttpRequest,
    proof: Proof,
    hash: String,
) -> Result<HttpResponse, Error> {
    let browser = known_browser::cookie(&app.auth, request, &proof.account.username, &hash);
    // A new token, too: a stolen one ends here (OWASP ASVS 5.0, 7.2.4).
    let (session, cookie) =
        session::prepare(&app.auth, &proof.account, &admin.client_address, admin.second_factor);
    let actor = admin.actor();
    let change = app.db.write(move |db| {
        if !accounts::replace_hash(db, &proof.account, &hash)? {
            return Ok(None);
        }
        let others = sessions::delete_all(db, proof.account.id)?.saturating_sub(1);
        sessions::insert(db, &session, Utc::now().naive_utc())?;
        audit::store::record(db, &actor, Action::PasswordChanged, &proof.account.username, others)?;
        Ok(Some(others))
    });
    let Some(others) = change.await? else {
        let toast = Toast::failure("The password was just changed elsewhere. Please sign in again.");
        return Ok(see_other("/admin/sign-in").cookie(toast_cookie(&app.cookies, &toast)).finish());
    };
    let next = if admin.must_change_password { "/admin" } else { "/admin/account" };
    if admin.must_change_password {
        let db = app.db.clone();
        web::block(move || first_password::delete(db.file())).await?;
    }
    let toast = Toast::success(match others {
        0 => "Password changed.".to_owned(),
        1 => "Password changed. Your other session was ended.".to_owned(),
        others => format!("Password changed. Your {others} other sessions were ended."),
    });
    Ok(see_other(next).cookie(cookie).cookie(browser).cookie(toast_cookie(&app.cookies, &toast)).finish())
}

fn refuse(
    page: Page,
    admin: Admin,
    errors: PasswordErrors,
    refusal: SignInRefusal,
) -> Result<HttpResponse, Error> {
    refusal::respond(&page.clone(), refusal, &PasswordPage { page, admin, errors })
}

/// What is wrong with a new password.
pub(super) fn sentence(weakness: PasswordWeakness) -> &'static str {
    match weakness {
        PasswordWeakness::TooShort => "Use at least 15 characters, such as four or five random words.",
        PasswordWeakness::TooLong => "Use 128 characters or fewer.",
        PasswordWeakness::TooEasy => {
            "Too easy to guess. Avoid common words, names, dates and keyboard patterns."
        }
    }
}
