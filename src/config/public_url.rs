//! The setting of the site's public address.

use clap::Args;

use crate::start_error::StartError;

#[derive(Debug, Args)]
pub(super) struct PublicUrlSettings {
    /// The site's public address, such as https://tickets.example.org; https makes cookies Secure [default: http://
    /// and the address of BIND]
    #[arg(long, env = "PUBLIC_URL", global = true)]
    public_url: Option<String>,
}

impl PublicUrlSettings {
    /// Scheme, host and port, without a trailing slash.
    pub(super) fn parse(&self) -> Result<Option<String>, StartError> {
        let typed = self.public_url.as_deref().filter(|value| !value.is_empty());
        typed.map(parse).transpose()
    }
}

fn parse(value: &str) -> Result<String, StartError> {
    let hint = "write scheme and host only, as https://tickets.example.org, in ASCII (xn--…)";
    origin_of(value).ok_or_else(|| StartError::setting("PUBLIC_URL", value, "not a site's address", hint))
}

/// The origin as browsers write it in `Origin`: lower case, without the scheme's default port (RFC 6454, section
/// 6.2). `None`: not a site's address.
pub(super) fn origin_of(value: &str) -> Option<String> {
    let origin = value.strip_suffix('/').unwrap_or(value).to_ascii_lowercase();
    let is_host_character = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    for (scheme, implied_port) in [("https://", ":443"), ("http://", ":80")] {
        let Some(host) = origin.strip_prefix(scheme) else { continue };
        let host = host.strip_suffix(implied_port).unwrap_or(host);
        if !host.is_empty() && host.chars().all(is_host_character) {
            return Some(format!("{scheme}{host}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_an_origin_as_browsers_write_it() {
        for (typed, origin) in [
            ("https://Tickets.Example.org/", "https://tickets.example.org"),
            ("https://tickets.example.org:443", "https://tickets.example.org"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(parse(typed).expect(typed), origin);
        }
        for bad in [
            "tickets.example.org",
            "https://",
            "ftp://x",
            "https://x/y",
            "https://a@b",
            "https://käse.example",
            "https://x\"",
            "https://x\n",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
