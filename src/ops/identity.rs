//! Which of a site's servers this is, and the settings for operators.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};

/// Names the server in every response.
pub const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// The settings of this module.
#[derive(Debug, Clone)]
pub struct OperationsConfig {
    pub identity: Identity,
    /// The port of health, readiness and metrics; `None`: the site's own.
    pub bind: Option<SocketAddr>,
    /// From the signal to stop until no more connections are accepted.
    pub drain: Duration,
    /// Whether only this machine can reach the site: then the metrics may share its port.
    pub is_private: bool,
}

/// The region and the name of a server: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub region: Option<String>,
    pub server: String,
}

impl Identity {
    /// The region, or nothing.
    #[must_use]
    pub fn region(&self) -> &str {
        self.region.as_deref().unwrap_or_default()
    }

    /// The identity with this machine's name and the process id, for the log alone: visitors read the
    /// identity itself.
    #[must_use]
    pub fn at_home(&self) -> String {
        #[cfg(unix)]
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let host = std::env::var("COMPUTERNAME").unwrap_or_default();
        format!("{self} ({host}, process {})", std::process::id())
    }

    /// The value of [`SERVED_BY`].
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("techkraft"))
    }
}

/// `eu-west/web-1`, or `web-1` without a region.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.region {
            Some(region) => write!(f, "{region}/{}", self.server),
            None => f.write_str(&self.server),
        }
    }
}
