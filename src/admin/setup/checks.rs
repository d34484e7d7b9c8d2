//! What selling to the public needs: each check says what was found and what to do about it.

use std::path::Path;

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, X_FORWARDED_FOR};
use chrono::{NaiveDateTime, Utc};

use crate::app::App;
use crate::db::{Db, clock};
use crate::events::{Event, EventState, seed, store as events_store};
use crate::guard::GuardSettings;
use crate::outbox::{self, UnsentCounts};
use crate::page::SiteLinks;
use crate::venue_clock::VenueClock;

/// A backup and its proof need as much again as the database, and the log of a rush some more.
const DISK_LEAST: u64 = 2 << 30;
/// Clocks that are further apart make countdowns wrong that people compare.
const CLOCKS_APART_MAX: i64 = 2;

/// One thing that production needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetupCheck {
    pub title: &'static str,
    pub state: SetupState,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: &'static str,
}

/// In the order in which a page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetupState {
    /// Do not sell to the public like this.
    Wrong,
    /// Sales work, and something is worth a look.
    Look,
    Right,
}

impl SetupState {
    pub fn label(self) -> &'static str {
        match self {
            Self::Wrong => "Not set",
            Self::Look => "Have a look",
            Self::Right => "Set",
        }
    }
}

/// What the database says.
pub(super) struct DatabaseFacts {
    unsent: UnsentCounts,
    last_sent: Option<NaiveDateTime>,
    events: Vec<Event>,
    /// Of the venue that times are shown by.
    venue_clock: VenueClock,
    /// How many seconds the database's clock is ahead of this server's.
    clock_ahead: i64,
}

impl DatabaseFacts {
    pub fn read(db: &mut Db) -> diesel::QueryResult<Self> {
        Ok(Self {
            clock_ahead: (clock(db)? - Utc::now().naive_utc()).num_seconds(),
            unsent: outbox::store::waiting(db)?,
            last_sent: outbox::store::last_sent(db)?,
            events: events_store::list(db)?,
            venue_clock: events_store::clock(db)?,
        })
    }
}

/// Everything that is looked at: first what is wrong.
pub(super) fn all(
    app: &App,
    facts: &DatabaseFacts,
    guard: &GuardSettings,
    site_links: &SiteLinks,
    request: &HttpRequest,
) -> Vec<SetupCheck> {
    let mut checks = vec![
        address(guard, &app.public_url),
        proxy(guard, request),
        mail(app, facts),
        links(site_links),
        contact(&facts.events),
        sample(&facts.events),
        reseed(app.allow_reseed),
        clocks(facts.clock_ahead),
        backups(app.db.file()),
    ];
    checks.extend(app.db.file().and_then(free_bytes).map(disk));
    checks.sort_by_key(|check| check.state);
    checks
}

fn check(title: &'static str, state: SetupState, found: impl Into<String>, fix: &'static str) -> SetupCheck {
    SetupCheck { title, state, found: found.into(), fix }
}

fn address(guard: &GuardSettings, public_url: &str) -> SetupCheck {
    let title = "Public address";
    if guard.public_url.is_none() {
        let fix =
            "Set PUBLIC_URL to the address that visitors type, with https://. Links in mails begin with it.";
        return check(
            title,
            SetupState::Wrong,
            format!("PUBLIC_URL is not set. Links begin with {public_url}."),
            fix,
        );
    }
    if !guard.is_https {
        let fix = "Put a proxy with a certificate in front, and let PUBLIC_URL begin with https://.";
        let found = format!("{public_url} is not encrypted: anybody on the way reads passwords and tickets.");
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, format!("Visitors use {public_url}."), "")
}

/// Looks at the request that asks: it has come the way that visitors come.
fn proxy(guard: &GuardSettings, request: &HttpRequest) -> SetupCheck {
    let title = "Proxy";
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let is_trusted = peer.is_some_and(|peer| guard.trusted_proxies.include(peer));
    let is_forwarded = request.headers().contains_key(X_FORWARDED_FOR);
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    match (is_trusted, is_forwarded) {
        (true, true) => check(title, SetupState::Right, format!("You came through the proxy {peer}."), ""),
        (false, true) => {
            let fix = "Set TRUSTED_PROXIES to the proxy’s address and no other. Until then all visitors share one \
                       address and its rate limits.";
            check(
                title,
                SetupState::Wrong,
                format!("You came through a proxy at {peer} that is not trusted."),
                fix,
            )
        }
        (true, false) => {
            let fix = "Let the proxy send X-Forwarded-For. deploy/nginx, deploy/haproxy and compose.yaml do.";
            check(title, SetupState::Wrong, format!("The proxy {peer} does not say whom it speaks for."), fix)
        }
        (false, false) if guard.is_https => {
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            let fix = "Open this page under the public address. If it says the same there, let the proxy send \
                       X-Forwarded-For, and set TRUSTED_PROXIES.";
            check(title, SetupState::Look, format!("You came directly, as {host}, past any proxy."), fix)
        }
        (false, false) => {
            check(title, SetupState::Look, "There is none.", "Sites on the internet need one for https.")
        }
    }
}

fn mail(app: &App, facts: &DatabaseFacts) -> SetupCheck {
    let title = "Mail";
    if let Some(folder) = &app.mail_folder {
        let fix = "Set SMTP_URL and MAIL_FROM.";
        let found = format!("Buyers get none: mails are files in {}.", folder.display());
        return check(title, SetupState::Wrong, found, fix);
    }
    let from = &app.mail_sender;
    if facts.unsent.failed > 0 {
        let fix = "Emails in the menu says why, and sends them again.";
        let failed = crate::money::grouped(facts.unsent.failed);
        return check(title, SetupState::Look, format!("{failed} could not be sent (from {from})."), fix);
    }
    match facts.last_sent {
        None => {
            let fix = "Book a ticket to your own address at a large provider, and look into the inbox and the spam folder.";
            check(title, SetupState::Look, format!("Nothing was sent yet (from {from})."), fix)
        }
        Some(at) => {
            let at = facts.venue_clock.minute(&at);
            check(
                title,
                SetupState::Right,
                format!("The server took the last one on {at} (from {from})."),
                "",
            )
        }
    }
}

fn links(links: &SiteLinks) -> SetupCheck {
    let all = [("TERMS_URL", &links.terms), ("PRIVACY_URL", &links.privacy), ("IMPRINT_URL", &links.imprint)];
    let missing: Vec<&str> = all.iter().filter(|(_, link)| link.is_none()).map(|(name, _)| *name).collect();
    let title = "Terms, privacy and legal notice";
    if missing.is_empty() {
        return check(title, SetupState::Right, "Every page links to them.", "");
    }
    let fix = "Set them to pages of yours. In many countries a shop must have them.";
    check(title, SetupState::Look, format!("Not set: {}.", missing.join(", ")), fix)
}

fn contact(events: &[Event]) -> SetupCheck {
    let title = "Contact";
    let silent = |event: &&Event| event.state == EventState::Published && event.organizer_contact.is_empty();
    let names: Vec<&str> = events.iter().filter(silent).map(|event| event.name.as_str()).take(3).collect();
    if names.is_empty() {
        return check(title, SetupState::Right, "Every published concert says whom to ask.", "");
    }
    let fix = "Enter the organizer and a contact in the concert’s form: replies to its mails go there.";
    check(title, SetupState::Look, format!("Buyers cannot ask anybody about {}.", names.join(", ")), fix)
}

/// The concert that a new database starts with is not a real one.
fn sample(events: &[Event]) -> SetupCheck {
    let title = "Sample concert";
    let seed = seed::concert();
    let is_sold = |event: &Event| {
        event.state == EventState::Published && event.slug == seed.slug && event.starts_at == seed.starts_at
    };
    if events.iter().any(is_sold) {
        let fix = "Change it into yours, or take it back and archive it, under Concerts in the menu.";
        return check(title, SetupState::Look, format!("{} is on sale. It does not exist.", seed.name), fix);
    }
    check(title, SetupState::Right, "It is not on sale.", "")
}

fn reseed(is_allowed: bool) -> SetupCheck {
    let title = "Reset of the sale";
    if is_allowed {
        let fix = "Set ALLOW_RESEED=false. It is that by itself once PUBLIC_URL is set.";
        return check(title, SetupState::Wrong, "An organizer can delete all bookings.", fix);
    }
    check(title, SetupState::Right, "Nobody can delete all bookings.", "")
}

fn clocks(ahead: i64) -> SetupCheck {
    let title = "Clock";
    if ahead.abs() > CLOCKS_APART_MAX {
        let fix = "Let both machines keep time by NTP (systemd-timesyncd, chrony). Sales open by the database’s clock.";
        let found = format!("The database’s clock and this server’s differ by {} s.", ahead.abs());
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, "The server and its database have the same time.", "")
}

/// No server sees the place where backups are, so that somebody who breaks into it finds none.
fn backups(file: Option<&Path>) -> SetupCheck {
    let fix = "Run `techkraft backup FOLDER --keep 48 --keep-days 30` every hour, into another machine’s disk, and let \
               the alert BackupMissing watch it. Restore one before you need it.";
    let found = match file {
        Some(_) => "This page does not see them. The database is one file, and so is the sale.",
        None => "This page does not see them.",
    };
    check("Backups", SetupState::Look, found, fix)
}

#[cfg(unix)]
fn free_bytes(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn disk(free: u64) -> SetupCheck {
    let found = format!(
        "{} MiB are free beside the database.",
        crate::money::grouped(i64::try_from(free >> 20).unwrap_or(i64::MAX))
    );
    if free < DISK_LEAST {
        let fix = "Make room: without any, bookings are refused. Backups and their proof need twice the database’s size.";
        return check("Disk", SetupState::Wrong, found, fix);
    }
    check("Disk", SetupState::Right, found, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tests::event;

    #[test]
    fn a_site_without_encryption_is_not_set() {
        let guard = |url: Option<&str>| GuardSettings {
            public_url: url.map(str::to_owned),
            is_https: url.is_some_and(|url| url.starts_with("https://")),
            ..GuardSettings::default()
        };
        assert_eq!(address(&guard(None), "http://127.0.0.1:3000").state, SetupState::Wrong);
        assert_eq!(address(&guard(Some("http://a.example")), "http://a.example").state, SetupState::Wrong);
        assert_eq!(address(&guard(Some("https://a.example")), "https://a.example").state, SetupState::Right);
    }

    #[test]
    fn what_is_wrong_comes_first_and_has_a_way_out() {
        assert!(SetupState::Wrong < SetupState::Look && SetupState::Look < SetupState::Right);
        let silent = contact(&[event()]);
        assert!(silent.state == SetupState::Look && silent.found.contains("Show") && !silent.fix.is_empty());
        let draft = Event { state: EventState::Draft, ..event() };
        assert_eq!(contact(&[draft]).state, SetupState::Right);
        for (bad, good) in
            [(clocks(-3), clocks(2)), (disk(DISK_LEAST - 1), disk(DISK_LEAST)), (reseed(true), reseed(false))]
        {
            assert!(bad.state == SetupState::Wrong && !bad.fix.is_empty(), "{bad:?}");
            assert!(good.state == SetupState::Right && good.fix.is_empty(), "{good:?}");
        }
        let sold =
            Event { slug: seed::concert().slug.into(), starts_at: seed::concert().starts_at, ..event() };
        assert_eq!(sample(std::slice::from_ref(&sold)).state, SetupState::Look);
        assert_eq!(sample(&[Event { state: EventState::Archived, ..sold }]).state, SetupState::Right);
    }
}
