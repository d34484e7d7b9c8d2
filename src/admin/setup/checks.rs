//! What selling to the public needs: each check says what was found and what to do about it.

use super::check::{DatabaseFacts, SetupCheck, SetupState, check, on_page};
use super::machine::{backups, clocks, disk, free_bytes};
use super::steps::is_sample;
use crate::app::App;
use crate::box_office::BoxOfficeDetails;
use crate::events::{Event, EventState};
use crate::guard::GuardSettings;
use crate::page::SiteLinks;
use actix_web::HttpRequest;
use actix_web::http::header::{HOST, X_FORWARDED_FOR};

/// All checks but those of payments.
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
        on_page(box_office(&app.box_office.now()), "Your box office", "/admin/setup/box-office"),
        on_page(mail(app, facts), "Send a test email", "/admin/setup/mail"),
        links(site_links),
        contact(&facts.events),
        sample(&facts.events),
        reseed(app.allow_reseed),
        clocks(facts.clock_ahead),
        backups(facts),
    ];
    checks.extend(app.db.file().and_then(free_bytes).map(disk));
    checks
}

fn address(guard: &GuardSettings, public_url: &str) -> SetupCheck {
    let title = "Public address";
    if guard.public_url.is_none() {
        let fix = "Set `PUBLIC_URL` to the address that visitors type, with https://. Links in emails start with it.";
        return check(
            title,
            SetupState::Wrong,
            format!("PUBLIC_URL is not set, so links start with {public_url}."),
            fix,
        );
    }
    if !guard.is_https {
        let fix = "Put a proxy with a TLS certificate in front, and start `PUBLIC_URL` with https://.";
        let found =
            format!("{public_url} is not encrypted: anyone on the network can read passwords and tickets.");
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, format!("Visitors use {public_url}."), "")
}

/// Looks at the request for this page: it has come the same way as visitors' requests.
fn proxy(guard: &GuardSettings, request: &HttpRequest) -> SetupCheck {
    let title = "Proxy";
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    let is_trusted = peer.is_some_and(|peer| guard.trusted_proxies.include(peer));
    let is_forwarded = request.headers().contains_key(X_FORWARDED_FOR);
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    match (is_trusted, is_forwarded) {
        (true, true) => check(title, SetupState::Right, format!("You came through the proxy {peer}."), ""),
        (false, true) => {
            let fix = "Set `TRUSTED_PROXIES` to the proxy’s address and no other. Until then all visitors share one \
                       address and its rate limits.";
            check(
                title,
                SetupState::Wrong,
                format!("You came through a proxy at {peer} that is not trusted."),
                fix,
            )
        }
        (true, false) => {
            let fix =
                "Make the proxy send `X-Forwarded-For`. The examples in deploy/nginx and deploy/haproxy do.";
            check(
                title,
                SetupState::Wrong,
                format!("The proxy {peer} doesn’t pass on visitors’ addresses."),
                fix,
            )
        }
        (false, false) if guard.is_https => {
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            let fix = "Open this page at the public address. If it says the same there, make the proxy send \
                       `X-Forwarded-For`, and set `TRUSTED_PROXIES`.";
            check(
                title,
                SetupState::Look,
                format!("You reached this server directly, as {host}, not through a proxy."),
                fix,
            )
        }
        (false, false) => check(
            title,
            SetupState::Look,
            "There is no proxy in front of this server.",
            "A public site needs one, for https.",
        ),
    }
}

fn mail(app: &App, facts: &DatabaseFacts) -> SetupCheck {
    let title = "Mail";
    if let Some(folder) = &app.mail_folder {
        let fix = "Set `SMTP_URL` and `MAIL_FROM`.";
        let found = format!("Buyers get no emails: they are saved as files in `{}`.", folder.display());
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
            let fix =
                "Send one to your own address at a large provider, and check the inbox and the spam folder.";
            check(title, SetupState::Look, format!("No email has been sent yet (from {from})."), fix)
        }
        Some(at) => {
            let at = facts.venue_clock.minute(&at);
            check(
                title,
                SetupState::Right,
                format!("The mail server accepted the last email on {at} (from {from})."),
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
    let fix = "Set them to the addresses of your own pages. Many countries require shops to have them.";
    check(title, SetupState::Look, format!("Not set: {}.", missing.join(", ")), fix)
}

fn contact(events: &[Event]) -> SetupCheck {
    let title = "Contact";
    let silent = |event: &&Event| event.state == EventState::Published && event.organizer_contact.is_empty();
    let names: Vec<&str> = events.iter().filter(silent).map(|event| event.name.as_str()).take(3).collect();
    if names.is_empty() {
        return check(title, SetupState::Right, "Every published concert names a contact.", "");
    }
    let fix = "Add an organizer and a contact in the concert’s form. Replies to its emails go there.";
    check(title, SetupState::Look, format!("Buyers don’t see whom to ask about {}.", names.join(", ")), fix)
}

fn box_office(box_office: &BoxOfficeDetails) -> SetupCheck {
    let title = "Box office";
    if box_office.name.is_empty() {
        let fix = "Enter its name, address and contact. Every page shows them.";
        return check(title, SetupState::Look, "Buyers can’t see who is selling to them.", fix);
    }
    if box_office.contact.is_empty() {
        let fix = "Enter an email address or a phone number.";
        return check(title, SetupState::Look, format!("{} has no contact.", box_office.name), fix);
    }
    check(title, SetupState::Right, format!("Every page names {}.", box_office.name), "")
}

/// The concert that a new database starts with is not a real one.
fn sample(events: &[Event]) -> SetupCheck {
    let title = "Sample concert";
    if let Some(event) = events.iter().find(|event| event.state == EventState::Published && is_sample(event))
    {
        let fix = "Turn it into your own concert, or unpublish and archive it.";
        let found = format!("{} is on sale, but it is only a sample.", event.name);
        return on_page(check(title, SetupState::Look, found, fix), "Concerts", "/admin/events");
    }
    check(title, SetupState::Right, "The sample concert is not on sale.", "")
}

fn reseed(is_allowed: bool) -> SetupCheck {
    let title = "Sale reset";
    if is_allowed {
        let fix = "Set `ALLOW_RESEED=false`. That is the default once PUBLIC_URL is set.";
        let found = "An owner can delete all bookings of the concert that this site began with.";
        return check(title, SetupState::Wrong, found, fix);
    }
    check(title, SetupState::Right, "Nobody can delete a concert’s bookings.", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::seed;
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
        let (bad, good) = (reseed(true), reseed(false));
        assert!(bad.state == SetupState::Wrong && !bad.fix.is_empty(), "{bad:?}");
        assert!(good.state == SetupState::Right && good.fix.is_empty(), "{good:?}");
        let seed = seed::concert();
        let (slug, name) = (seed.slug.into(), seed.name.into());
        let sold = Event { slug, name, starts_at: seed.starts_at, ..event() };
        assert_eq!(sample(std::slice::from_ref(&sold)).state, SetupState::Look);
        assert_eq!(sample(&[Event { state: EventState::Archived, ..sold }]).state, SetupState::Right);
    }
}
