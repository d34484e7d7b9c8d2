//! The settings of the organizer's pages.

use clap::Args;

use super::parse_bool;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct AdminSettings {
    /// Allow owners to delete all bookings of the first concert and reset its sale: true or false [default: false if
    /// PUBLIC_URL is set, otherwise true]
    #[arg(long, env = "ALLOW_RESEED", global = true)]
    allow_reseed: Option<String>,
}

impl AdminSettings {
    pub(super) fn parse_allow_reseed(&self, has_public_url: bool) -> Result<bool, StartError> {
        match self.allow_reseed.as_deref().filter(|typed| !typed.is_empty()) {
            Some(typed) => parse_bool("ALLOW_RESEED", typed),
            None => Ok(!has_public_url),
        }
    }
}
