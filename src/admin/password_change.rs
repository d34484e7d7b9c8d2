//! `/admin/password`: the account gets a new password, and every other session of it ends.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::authentication::{Attempt, Proof, SignInRefusal};
use crate::auth::password;
use crate::auth::session::{self, Admin};
use crate::auth::store::{accounts, sessions, throttle};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, html, see_other, toast_cookie};

/// What is typed is never sent back: it would stand in the page.
#[derive(Template)]
#[template(path = "admin/password.html")]
struct PasswordPage {
    page: Page,
    admin: Admin,
    errors: PasswordErrors,
}

/// What is wrong, by field.
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
    /// What can be said without a look at the current password.
    fn errors(&self) -> PasswordErrors {
        let mut errors = PasswordErrors::default();
        if self.current_password.is_empty() {
            errors.current = Some("Please type the password that you sign in with now.".into());
        }
        if let Err(weakness) = password::check_length(&self.new_password) {
            errors.new = Some(weakness.to_string());
        } else if self.new_password == self.current_password {
            errors.new = Some("This is the password that you have already.".into());
        } else if self.new_password != self.repeated_password {
            errors.repeated = Some("The two are not the same. Please type the new one again.".into());
        }
        errors
    }
}

/// `GET /admin/password`
pub async fn edit(page: Page, admin: Admin) -> Result<HttpResponse, Error> {
    page.clone()
        .respond_unlisted(StatusCode::OK, &PasswordPage { page, admin, errors: PasswordErrors::default() })
}

/// `POST /admin/password`
pub async fn update(
    page: Page,
    admin: Admin,
    app: web::Data<App>,
    request: HttpRequest,
    Form(form): Form<PasswordForm>,
) -> Result<HttpResponse, Error> {
    let errors = form.errors();
    if !errors.is_empty() {
        return refuse(page, admin, errors, SignInRefusal::Wrong);
    }
    let current = form.current_password;
    let attempt = Attempt::of(&request, &app.auth, &admin.username, current, Action::PasswordRefused);
    let proof = match attempt.check(&app.auth).await? {
        Ok(proof) => proof,
        Err(refusal) => {
            let current = Some(refusal.message("This is not your password. Nothing was changed."));
            return refuse(page, admin, PasswordErrors { current, ..PasswordErrors::default() }, refusal);
        }
    };
    let new = form.new_password;
    match proof.hash_permit.run(move || password::check(&new).map(|()| password::hash(&new))).await? {
        Err(weakness) => {
            let new = Some(weakness.to_string());
            refuse(page, admin, PasswordErrors { new, ..PasswordErrors::default() }, SignInRefusal::Wrong)
        }
        Ok(hash) => {
            let hash = hash.map_err(|e| Error::Internal(format!("the password cannot be hashed: {e}")))?;
            replace(&admin, &app, proof, hash).await
        }
    }
}

async fn replace(admin: &Admin, app: &App, proof: Proof, hash: String) -> Result<HttpResponse, Error> {
    // The token is new as well: nobody who has seen the old one stays in (OWASP ASVS 5.0, 7.2.4).
    let (session, cookie) = session::prepare(&app.auth, proof.account.id, &admin.client_address);
    let actor = admin.actor();
    let change = app.db.write(move |db| {
        if !accounts::replace_hash(db, &proof.account, &hash)? {
            return Ok(None);
        }
        throttle::release(db, &proof.counters)?;
        let others = sessions::delete_all(db, proof.account.id)?.saturating_sub(1);
        sessions::insert(db, &session, Utc::now().naive_utc())?;
        audit::store::record(db, &actor, Action::PasswordChanged, &proof.account.username, others)?;
        Ok(Some(others))
    });
    let Some(others) = change.await? else {
        let toast = Toast::failure("Somebody else changed the password just now. Please sign in again.");
        return Ok(see_other("/admin/sign-in").cookie(toast_cookie(app, &toast)).finish());
    };
    let toast = Toast::success(match others {
        0 => "Your password is changed.".to_owned(),
        1 => "Your password is changed, and the other session is ended.".to_owned(),
        others => format!("Your password is changed, and the {others} other sessions are ended."),
    });
    Ok(see_other("/admin/account").cookie(cookie).cookie(toast_cookie(app, &toast)).finish())
}

fn refuse(
    page: Page,
    admin: Admin,
    errors: PasswordErrors,
    refusal: SignInRefusal,
) -> Result<HttpResponse, Error> {
    let mut response = page.unlisted_builder(refusal.status());
    refusal.add_retry_after(&mut response);
    Ok(response.body(html(&PasswordPage { page, admin, errors })?))
}
