//! Who is asking: accounts, their passwords, roles and sessions.
//!
//! [`authentication`] checks a username and a password, [`reauthentication`] the password of somebody who is
//! signed in. The [`throttle`] decides whether the attempt is looked at, the [`password_queue`] limits how
//! many hashes run and who goes next, and [`password`] hashes and compares. A [`session`] is what a signed-in
//! browser holds, and [`access`] what it may open. A [`first_password`] is only good for choosing another
//! one. The [`second_factor`] is asked for after the password. Owners see the [`team`], invite others by an
//! [`invitation`], and make [API tokens](api_token) for their programs.
//!
//! Pages and forms do not belong here: they are in `admin`. This module knows no feature of the shop.

pub mod access;
pub mod api_token;
pub mod authentication;
mod fair_queue;
pub mod first_password;
pub mod invitation;
pub mod known_browser;
pub mod password;
pub mod password_queue;
pub mod reauthentication;
pub mod return_path;
pub mod second_factor;
pub mod session;
pub mod session_record;
pub mod store;
pub mod team;
pub mod throttle;
pub mod token;
pub mod totp;

use actix_web::web;
use chrono::NaiveDateTime;

use self::password_queue::{PasswordQueue, SignInPace};
use self::second_factor::SecondFactors;
use self::session_record::SessionLimits;
use self::throttle::Throttle;
use crate::db::Database;
use crate::guard::cookies::Cookies;
use crate::guard::limits::RejectionLog;
use crate::guard::secret::Secrets;
use crate::role::AccountRole;

/// The account that the operator has: it is made at the first start, and its password is set from the command line.
pub const USERNAME: &str = "admin";

/// An account that can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub username: String,
    /// In PHC string format.
    pub password_hash: String,
    pub role: AccountRole,
    /// When the password ends (UTC), if it is a [first one](first_password).
    pub first_password_ends_at: Option<NaiveDateTime>,
}

/// What authentication needs: one for each server, shared by its threads.
pub struct Auth {
    pub db: Database,
    pub cookies: Cookies,
    pub session_limits: SessionLimits,
    pub throttle: Throttle,
    pub password_queue: PasswordQueue,
    /// Which refused sign-ins get a log line.
    pub rejection_log: RejectionLog,
    pub second_factors: SecondFactors,
}

impl Auth {
    /// The state that the handlers share, for this database and this site's secrets.
    #[must_use]
    pub fn open(
        db: &Database,
        cookies: &Cookies,
        secrets: &Secrets,
        session_limits: SessionLimits,
        pace: SignInPace,
    ) -> web::Data<Self> {
        web::Data::new(Self {
            db: db.clone(),
            cookies: cookies.clone(),
            session_limits,
            throttle: Throttle::default(),
            password_queue: PasswordQueue::new(pace),
            rejection_log: RejectionLog::default(),
            second_factors: SecondFactors::new(secrets),
        })
    }
}
