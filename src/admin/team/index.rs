//! `/admin/team`, `/admin/team/invitations/{id}/withdrawal`: the accounts, and invitations to make one.

use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use serde::Deserialize;

use super::invitation_mail::MailedInvitation;
use super::words;
use crate::admin::{refusal, store};
use crate::app::App;
use crate::auth::access::Owner;
use crate::auth::authentication::SignInRefusal;
use crate::auth::invitation::Invitation;
use crate::auth::reauthentication::check_again;
use crate::auth::store::{invitations, second_factor, team};
use crate::auth::team::TeamMember;
use crate::booking::buyer::{parse_email, shown_email};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, html, see_other, see_other_with, toast_cookie};
use crate::role::AccountRole;
use crate::venue_clock::VenueClock;

const URL: &str = "/admin/team";
/// Carries a new link to the page that shows it, once.
const NEW_LINK_COOKIE: &str = "new_invitation";
const NEW_LINK_KEPT: Duration = Duration::minutes(10);

#[derive(Template)]
#[template(path = "admin/team/index.html")]
struct TeamPage {
    page: Page,
    /// The reader's own account.
    own: i64,
    username: String,
    members: Vec<TeamMember>,
    invitations: Vec<Invitation>,
    /// Whether each account must have a second factor.
    requires_factor: bool,
    clock: VenueClock,
    typed: InvitationForm,
    errors: InvitationErrors,
    /// A link that was just made, where no mail server brings it.
    new_link: Option<String>,
}

/// A password is never sent back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct InvitationForm {
    email: String,
    role: String,
    password: String,
}

#[derive(Default)]
pub(super) struct InvitationErrors {
    email: Option<String>,
    role: Option<String>,
    password: Option<String>,
    /// What is wrong with the form that sets the rule.
    rule: Option<String>,
}

impl InvitationErrors {
    /// The form that sets the rule was refused.
    pub(super) fn of_rule(words: String) -> Self {
        Self { rule: Some(words), ..Self::default() }
    }
}

/// `GET /admin/team`
pub async fn index(
    request: HttpRequest,
    page: Page,
    Owner(admin): Owner,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let new_link = app.cookies.open_dated(&request, NEW_LINK_COOKIE);
    let mut response = page.unlisted_builder(StatusCode::OK);
    if new_link.is_some() {
        response.cookie(app.cookies.removal(NEW_LINK_COOKIE));
    }
    let (typed, errors) = (InvitationForm::default(), InvitationErrors::default());
    let mut team = load(page, (admin.account_id, admin.username), &app, typed, errors).await?;
    team.new_link = new_link;
    Ok(response.body(html(&team)?))
}

/// `POST /admin/team`: invites somebody.
pub async fn create(
    request: HttpRequest,
    page: Page,
    Owner(mut admin): Owner,
    app: web::Data<App>,
    Form(form): Form<InvitationForm>,
) -> Result<HttpResponse, Error> {
    let own = (admin.account_id, admin.username.clone());
    let (email, role) = match (parse_email(&form.email), AccountRole::parse(&form.role)) {
        (Ok(email), Some(role)) => (email, role),
        (email, role) => {
            let errors = InvitationErrors {
                email: email.err().map(|_| "Enter an email address, such as grace@example.org.".into()),
                role: role.is_none().then(|| "Choose a role.".into()),
                ..InvitationErrors::default()
            };
            return refuse(page, own, &app, form, errors, SignInRefusal::WrongPassword).await;
        }
    };
    let password = form.password.clone();
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, password).await? {
        let password = Some(refusal::sentence(refusal, "Wrong password. Nobody was invited."));
        let errors = InvitationErrors { password, ..InvitationErrors::default() };
        return refuse(page, own, &app, form, errors, refusal).await;
    }
    let invitation = MailedInvitation::new(&app, &admin, email.clone(), role, None);
    let link = invitation.link.clone();
    let invite = app.db.write(move |db| invitation.send(db, &admin));
    if let Err(refusal) = invite.await? {
        let email = Some(words::refused(refusal).into());
        let errors = InvitationErrors { email, ..InvitationErrors::default() };
        return refuse(page, own, &app, form, errors, SignInRefusal::WrongPassword).await;
    }
    let toast = Toast::success(format!("{} is invited.", shown_email(&email)));
    Ok(sent(&app, &link, &toast))
}

/// Back to the team. Where no mail server brings the link, the page shows it, once.
pub(super) fn sent(app: &App, link: &str, toast: &Toast) -> HttpResponse {
    app.outbox_wakeup.notify();
    let mut response = see_other(URL);
    response.cookie(toast_cookie(&app.cookies, toast));
    if app.mail_folder.is_some() {
        let cookie = app.cookies.dated(NEW_LINK_COOKIE, link, NEW_LINK_KEPT);
        response.cookie(cookie.same_site(SameSite::Strict).finish());
    }
    response.finish()
}

/// `POST /admin/team/invitations/{id}/withdrawal`
pub async fn withdraw(
    Owner(admin): Owner,
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<HttpResponse, Error> {
    let (id, actor) = (*id, admin.actor());
    let is_withdrawn = app.db.write(move |db| invitations::withdraw(db, id, &actor)).await?;
    let toast = if is_withdrawn {
        Toast::success("Invitation withdrawn. Its link no longer works.")
    } else {
        Toast::failure("This invitation was already used or withdrawn.")
    };
    Ok(see_other_with(&app.cookies, URL, &toast))
}

pub(super) async fn refuse(
    page: Page,
    own: (i64, String),
    app: &App,
    typed: InvitationForm,
    errors: InvitationErrors,
    refusal: SignInRefusal,
) -> Result<HttpResponse, Error> {
    let team = load(page.clone(), own, app, typed, errors).await?;
    refusal::respond(&page, refusal, &team)
}

async fn load(
    page: Page,
    (own, username): (i64, String),
    app: &App,
    typed: InvitationForm,
    errors: InvitationErrors,
) -> Result<TeamPage, Error> {
    let now = Utc::now().naive_utc();
    let load = app.db.read_primary(move |db| {
        Ok((team::list(db)?, invitations::list(db, now)?, second_factor::is_required(db)?, store::clock(db)?))
    });
    let (members, invitations, requires_factor, clock) = load.await?;
    Ok(TeamPage {
        page,
        own,
        username,
        members,
        invitations,
        requires_factor,
        clock,
        typed,
        errors,
        new_link: None,
    })
}
