//! The settings of the organizer's pages.

use clap::Args;

use super::parse_bool;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct AdminSettings {
    /// Allow organizers to delete all bookings and reset the sale: true or false
    #[arg(long, env = "ALLOW_RESEED", global = true, default_value = "true")]
    allow_reseed: String,
}

impl AdminSettings {
    pub(super) fn parse_allow_reseed(&self) -> Result<bool, StartError> {
        parse_bool("ALLOW_RESEED", &self.allow_reseed)
    }
}
