//! The setting of the booking form.

use std::time::Duration;

use clap::Args;

use super::parse_number;
use crate::booking::request_key::FormAges;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct FormSettings {
    /// Milliseconds from loading a booking form to sending it, at least: bots are faster; 0 turns the check off
    #[arg(long, env = "FORM_MIN_AGE_MS", global = true, default_value = "150")]
    form_min_age_ms: String,
}

impl FormSettings {
    pub(super) fn parse(&self) -> Result<FormAges, StartError> {
        let least = parse_number("FORM_MIN_AGE_MS", &self.form_min_age_ms, 0, 10_000)?;
        Ok(FormAges { least: Duration::from_millis(least), ..FormAges::default() })
    }
}
