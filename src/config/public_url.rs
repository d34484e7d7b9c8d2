//! The site's address as visitors know it.

use clap::Args;

use crate::error::StartError;

#[derive(Debug, Args)]
pub(super) struct PublicUrlSettings {
    /// The site's address as visitors type it, such as https://tickets.example.org; https makes cookies
    /// Secure [default: http:// and the address of BIND]
    #[arg(long, env = "PUBLIC_URL", global = true)]
    public_url: Option<String>,
}

impl PublicUrlSettings {
    /// Scheme, host and port, without a slash at the end.
    pub(super) fn parse(&self) -> Result<Option<String>, StartError> {
        let typed = self.public_url.as_deref().filter(|value| !value.is_empty());
        typed.map(parse).transpose()
    }
}

fn parse(value: &str) -> Result<String, StartError> {
    let origin = value.strip_suffix('/').unwrap_or(value).to_ascii_lowercase();
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(origin),
        _ => Err(StartError::setting(
            "PUBLIC_URL",
            value,
            "not a site's address",
            "write scheme and host alone, as https://tickets.example.org",
        )),
    }
}
