//! Who may open what. Each handler of an organizer's page takes one of these extractors, which names the least role
//! that its route needs. Only signing in and out take none. The table in docs/security.md has the role of each route.
//!
//! A request without a session is led to the sign-in. A session with a first password, or without a required second
//! factor, is led to the page that changes this. A session of too low a role gets a page that says so.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::session::{Admin, require_active, require_passively};
use crate::error::Error;
use crate::page::Viewer;
use crate::role::AccountRole;

macro_rules! extractors {
    ($($(#[$about:meta])* $name:ident = $open:expr;)+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Admin);

        impl FromRequest for $name {
            type Error = Error;
            type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move { Ok(Self($open(&request).await?)) })
            }
        }
    )+};
}

extractors! {
    /// Opens everything.
    Owner = async |request| open(request, AccountRole::Owner).await;
    /// Runs concerts and their bookings.
    Organizer = async |request| open(request, AccountRole::Organizer).await;
    /// Finds bookings, corrects their buyers, and sends tickets again.
    BoxOffice = async |request| open(request, AccountRole::BoxOffice).await;
    /// Checks tickets in. Every role may.
    GateStaff = async |request| open(request, AccountRole::Gate).await;
    /// An organizer whose page refreshes itself: the request is not activity.
    PollingOrganizer = async |request| watch(request, AccountRole::Organizer).await;
    /// An owner whose page refreshes itself: the request is not activity.
    PollingOwner = async |request| watch(request, AccountRole::Owner).await;
    /// Somebody at a gate whose page refreshes itself: the request is not activity.
    PollingGateStaff = async |request| watch(request, AccountRole::Gate).await;
    /// Anybody who is signed in. For pages about one's own account.
    Member = async |request| open(request, AccountRole::Gate).await;
    /// Anybody who is signed in, even without a required second factor. Only for the page that sets it up.
    Enrolling = async |request| {
        recognize(request, with_own_password(request, require_active(request).await?)?)
    };
    /// Anybody who is signed in, even with a first password that must be changed. Only for the page that
    /// changes it.
    AnyMember = async |request| recognize(request, require_active(request).await?);
}

async fn open(request: &HttpRequest, needed: AccountRole) -> Result<Admin, Error> {
    check(request, require_active(request).await?, needed)
}

async fn watch(request: &HttpRequest, needed: AccountRole) -> Result<Admin, Error> {
    check(request, require_passively(request).await?, needed)
}

fn check(request: &HttpRequest, admin: Admin, needed: AccountRole) -> Result<Admin, Error> {
    let admin = with_own_password(request, admin)?;
    if admin.must_set_up_second_factor {
        return Err(step(request, "/admin/second-factor"));
    }
    if !admin.role.may(needed) {
        return Err(Error::RoleRequired { has: admin.role, needed });
    }
    recognize(request, admin)
}

fn with_own_password(request: &HttpRequest, admin: Admin) -> Result<Admin, Error> {
    if admin.must_change_password { Err(step(request, "/admin/password")) } else { Ok(admin) }
}

/// Sends the visitor to `url`, where they must do something before they may open the requested page.
fn step(request: &HttpRequest, url: &'static str) -> Error {
    Error::StepRequired { wants_fragment: request.headers().contains_key("HX-Request"), url }
}

/// Tells the page which role its viewer has.
fn recognize(request: &HttpRequest, admin: Admin) -> Result<Admin, Error> {
    Viewer::of(request).is(admin.role);
    Ok(admin)
}
