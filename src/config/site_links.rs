//! The settings of the pages about the site that are somewhere else: terms, privacy, imprint.

use clap::Args;
use url::Url;

use crate::page::SiteLinks;
use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct SiteLinkSettings {
    /// The terms that buyers agree to, as https://example.org/terms [default: none]
    #[arg(long, env = "TERMS_URL", global = true)]
    terms_url: Option<String>,

    /// How the site treats personal data, as https://example.org/privacy [default: none]
    #[arg(long, env = "PRIVACY_URL", global = true)]
    privacy_url: Option<String>,

    /// Who runs the site, as https://example.org/imprint [default: none]
    #[arg(long, env = "IMPRINT_URL", global = true)]
    imprint_url: Option<String>,
}

impl SiteLinkSettings {
    pub(super) fn parse(&self) -> Result<SiteLinks, StartError> {
        Ok(SiteLinks {
            terms: parse("TERMS_URL", self.terms_url.as_deref())?,
            privacy: parse("PRIVACY_URL", self.privacy_url.as_deref())?,
            imprint: parse("IMPRINT_URL", self.imprint_url.as_deref())?,
        })
    }
}

fn parse(setting: &str, value: Option<&str>) -> Result<Option<String>, StartError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let hint = "write a whole link, as https://example.org/terms";
    url.map(|url| Some(url.into())).ok_or_else(|| StartError::setting(setting, value, "not a link", hint))
}
