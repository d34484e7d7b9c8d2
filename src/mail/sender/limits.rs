//! The limits of the sender, as the settings give them.

use std::time::Duration;

use chrono::TimeDelta;

use crate::guard::limits::Rate;

/// Added to a lease for the time before and after sending.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// The limits of the sender.
#[derive(Debug, Clone, Copy)]
pub struct MailLimits {
    /// Mails started in a second.
    pub per_second: u32,
    /// Mails sent at once, each on a connection of its own.
    pub connections: usize,
    /// How long one mail may take.
    pub timeout: Duration,
    /// The wait after the first attempt; each further one doubles it.
    pub retry_first: Duration,
    /// How long to keep trying a mail that is refused because of its recipient or the mail itself. After that
    /// it has failed.
    pub gives_up_after: Duration,
    /// Mails for each recipient; `None`: no limit.
    pub per_recipient: Option<Rate>,
}

impl Default for MailLimits {
    fn default() -> Self {
        Self {
            per_second: 50,
            connections: 4,
            timeout: Duration::from_secs(60),
            retry_first: Duration::from_secs(15),
            gives_up_after: Duration::from_secs(24 * 3600),
            per_recipient: Some(Rate::MAILS),
        }
    }
}

/// How many times longer to wait for a server that takes no mail at all, or none from us: a day's quota ends
/// with the day, and somebody has to notice a suspended account (RFC 5321, 4.5.4.1: four to five days).
const SERVER_RETRY_FACTOR: u32 = 5;

impl MailLimits {
    /// How long to keep trying a mail that is refused only because of the server, or of our account there.
    /// After that it has failed.
    #[must_use]
    pub fn gives_up_on_server_after(&self) -> Duration {
        self.gives_up_after * SERVER_RETRY_FACTOR
    }

    /// How long a sender keeps a mail: the mail may wait for another one that takes its whole time.
    pub(super) fn lease(&self) -> Duration {
        self.timeout * 2 + LEASE_MARGIN
    }

    /// Mails that are kept ready: those of two transactions.
    pub(super) fn ahead(&self) -> usize {
        (self.per_second as usize / 2).clamp(1, 500)
    }
}

/// The same duration for chrono.
pub(super) fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
