//! What was typed into a form when the session ended, as the sign-in carries it.

use std::collections::BTreeMap;

use askama::Template;

use crate::auth::return_path::ReturnPath;
use crate::error::Error;
use crate::page::{Page, html};

/// Prefix of the names of the fields that the sign-in's form carries.
const PREFIX: &str = "typed.";

/// The fields of a form, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedForm(BTreeMap<String, String>);

impl TypedForm {
    /// The fields of a form.
    #[must_use]
    pub fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }

    /// The carried fields among those of the sign-in's form.
    #[must_use]
    pub fn carried(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let own = |(name, value): (String, String)| Some((name.strip_prefix(PREFIX)?.to_owned(), value));
        Self(fields.into_iter().filter_map(own).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields with the names that they have in the sign-in's form.
    pub fn to_carry(&self) -> impl Iterator<Item = (String, &String)> {
        self.0.iter().map(|(name, value)| (format!("{PREFIX}{name}"), value))
    }

    pub fn fields(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

#[derive(Template)]
#[template(path = "admin/resumption.html")]
struct ResumptionPage<'a> {
    page: Page,
    action: String,
    typed: &'a TypedForm,
}

/// The page that leads from the sign-in back to the form.
///
/// # Errors
/// When the template does not render.
pub fn lead_back(to: &ReturnPath, typed: &TypedForm) -> Result<String, Error> {
    let page = Page::default();
    Ok(html(&ResumptionPage { page, action: to.to_resume(), typed })?)
}
