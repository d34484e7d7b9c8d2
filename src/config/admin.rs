//! The settings of the organizer's pages.

use chrono::TimeDelta;
use clap::Args;

use super::{parse_bool, parse_number};
use crate::auth::session::SessionLimits;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct AdminSettings {
    /// Whether the admin page may delete all bookings and start the sale again: true or false
    #[arg(long, env = "ALLOW_RESEED", global = true, default_value = "true")]
    allow_reseed: String,

    /// Minutes after which an organizer who does nothing is signed out
    #[arg(long, env = "ADMIN_IDLE_MINUTES", global = true, default_value = "30")]
    admin_idle_minutes: String,

    /// Hours after which an organizer signs in again, whatever they do
    #[arg(long, env = "ADMIN_SESSION_HOURS", global = true, default_value = "12")]
    admin_session_hours: String,
}

impl AdminSettings {
    pub(super) fn parse_allow_reseed(&self) -> Result<bool, StartError> {
        parse_bool("ALLOW_RESEED", &self.allow_reseed)
    }

    pub(super) fn parse_sessions(&self) -> Result<SessionLimits, StartError> {
        let idle: u32 = parse_number("ADMIN_IDLE_MINUTES", &self.admin_idle_minutes, 1, 24 * 60)?;
        let hours: u32 = parse_number("ADMIN_SESSION_HOURS", &self.admin_session_hours, 1, 7 * 24)?;
        if idle > hours * 60 {
            let hint = format!("use at most {}, which is how long a session lasts", hours * 60);
            let wrong = "longer than ADMIN_SESSION_HOURS";
            return Err(StartError::setting("ADMIN_IDLE_MINUTES", &self.admin_idle_minutes, wrong, &hint));
        }
        Ok(SessionLimits { idle: TimeDelta::minutes(idle.into()), lifetime: TimeDelta::hours(hours.into()) })
    }
}
