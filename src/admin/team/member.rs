//! `/admin/team/{id}`: gives an account another role, mails it a link for a new password, resets its second
//! factor, or removes it. Each asks for the owner's password. A new role, a reset and a removal sign the account
//! out at once.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::index::sent;
use super::invitation_mail::MailedInvitation;
use super::words;
use crate::admin::{refusal, store};
use crate::app::App;
use crate::auth::access::Owner;
use crate::auth::reauthentication::check_again;
use crate::auth::session::Admin;
use crate::auth::store::team;
use crate::auth::team::{TeamMember, TeamRefusal};
use crate::error::Error;
use crate::guard::form::Form;
use crate::page::{Page, Toast, html, see_other_with};
use crate::role::AccountRole;
use crate::venue_clock::VenueClock;

/// The choice that takes the account away.
const REMOVAL: &str = "remove";
/// The choice that takes the second factor away.
const FACTOR_RESET: &str = "second-factor";
/// The choice that mails a link for a new password.
const PASSWORD_LINK: &str = "password";

#[derive(Template)]
#[template(path = "admin/team/member.html")]
struct MemberPage {
    page: Page,
    /// The reader's own account.
    own: i64,
    username: String,
    member: TeamMember,
    clock: VenueClock,
    /// A role, or one of the choices above.
    chosen: String,
    errors: MemberErrors,
}

#[derive(Default)]
struct MemberErrors {
    change: Option<&'static str>,
    password: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct MemberForm {
    change: String,
    password: String,
}

/// `GET /admin/team/{id}`
pub async fn edit(
    page: Page,
    Owner(admin): Owner,
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<HttpResponse, Error> {
    let member = load(page.clone(), &admin, &app, *id, None, MemberErrors::default()).await?;
    page.respond_unlisted(StatusCode::OK, &member)
}

/// `POST /admin/team/{id}`
pub async fn update(
    request: HttpRequest,
    page: Page,
    Owner(mut admin): Owner,
    app: web::Data<App>,
    id: web::Path<i64>,
    Form(form): Form<MemberForm>,
) -> Result<HttpResponse, Error> {
    let (id, owner, actor) = (*id, admin.account_id, admin.actor());
    let MemberForm { change, password } = form;
    let role = AccountRole::parse(&change);
    if role.is_none() && ![REMOVAL, PASSWORD_LINK, FACTOR_RESET].contains(&change.as_str()) {
        let errors = MemberErrors { change: Some("Choose what to change."), password: None };
        let member = load(page.clone(), &admin, &app, id, Some(change), errors).await?;
        return page.respond_unlisted(StatusCode::UNPROCESSABLE_ENTITY, &member);
    }
    if let Err(refusal) = check_again(&request, &app.auth, &mut admin, password).await? {
        let password = Some(refusal::sentence(refusal, "Wrong password. Nothing was changed."));
        let errors = MemberErrors { change: None, password };
        let member = load(page.clone(), &admin, &app, id, Some(change), errors).await?;
        return refusal::respond(&page, refusal, &member);
    }
    if change == PASSWORD_LINK {
        return send_password_link(&app, &admin, id).await;
    }
    let resets = change == FACTOR_RESET;
    let changed = app.db.write(move |db| match role {
        Some(role) => team::change_role(db, owner, id, role, &actor),
        None if resets => team::reset_second_factor(db, owner, id, &actor),
        None => team::remove(db, owner, id, &actor),
    });
    match changed.await? {
        Ok(member) => Ok(see_other_with(&app.cookies, "/admin/team", &done(&member, role, resets))),
        Err(TeamRefusal::Gone) => {
            let toast = Toast::failure(words::refused(TeamRefusal::Gone));
            Ok(see_other_with(&app.cookies, "/admin/team", &toast))
        }
        Err(refusal) => {
            let errors = MemberErrors { change: Some(words::refused(refusal)), password: None };
            let member = load(page.clone(), &admin, &app, id, Some(change), errors).await?;
            Ok(page.unlisted_builder(StatusCode::CONFLICT).body(html(&member)?))
        }
    }
}

async fn send_password_link(app: &App, admin: &Admin, id: i64) -> Result<HttpResponse, Error> {
    let member = app.db.read_primary(move |db| team::find(db, id)).await?;
    let failed = |refusal| {
        let toast = Toast::failure(words::refused(refusal));
        Ok(see_other_with(&app.cookies, "/admin/team", &toast))
    };
    let Some(email) = member.email else { return failed(TeamRefusal::NoAddress) };
    let invitation = MailedInvitation::new(app, admin, email, member.role, Some(member.username.clone()));
    let (link, owner) = (invitation.link.clone(), admin.clone());
    match app.db.write(move |db| invitation.send(db, &owner)).await? {
        Ok(()) => {
            let toast = Toast::success(format!("{} gets a link for a new password.", member.username));
            Ok(sent(app, &link, &toast))
        }
        Err(refusal) => failed(refusal),
    }
}

fn done(member: &TeamMember, role: Option<AccountRole>, resets: bool) -> Toast {
    let name = &member.username;
    Toast::success(match role {
        None if resets => format!("{name} signs in with the password alone now."),
        None => format!("{name} was removed and is signed out."),
        Some(role) => format!("{name}’s role is {} now.", role.label()),
    })
}

async fn load(
    page: Page,
    admin: &Admin,
    app: &App,
    id: i64,
    chosen: Option<String>,
    errors: MemberErrors,
) -> Result<MemberPage, Error> {
    let (member, clock) = app.db.read_primary(move |db| Ok((team::find(db, id)?, store::clock(db)?))).await?;
    let chosen = chosen.unwrap_or_else(|| member.role.as_str().to_owned());
    let (own, username) = (admin.account_id, admin.username.clone());
    Ok(MemberPage { page, own, username, member, clock, chosen, errors })
}
