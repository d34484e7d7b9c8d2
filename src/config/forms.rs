//! How old a form may be that books.

use std::time::Duration;

use clap::Args;

use super::parse_number;
use crate::booking::form_age::FormAges;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct FormSettings {
    /// Milliseconds that a form is at least old when it books: what is quicker is no person; 0: no matter
    #[arg(long, env = "FORM_MIN_AGE_MS", global = true, default_value = "150")]
    form_min_age_ms: String,

    /// Hours that a form may be old when it books; after that it is shown afresh, with what was typed
    #[arg(long, env = "FORM_MAX_AGE_HOURS", global = true, default_value = "12")]
    form_max_age_hours: String,
}

impl FormSettings {
    pub(super) fn parse(&self) -> Result<FormAges, StartError> {
        let least = parse_number("FORM_MIN_AGE_MS", &self.form_min_age_ms, 0, 10_000)?;
        let most: u64 = parse_number("FORM_MAX_AGE_HOURS", &self.form_max_age_hours, 1, 24 * 7)?;
        Ok(FormAges { least: Duration::from_millis(least), most: Duration::from_secs(most * 3600) })
    }
}
