//! Settings that are wrong, and what the start says.

use clap::Parser as _;

use super::*;

fn config(arguments: &[&str]) -> Result<Config, StartError> {
    let line = CommandLine::parse_from([&["techkraft"], arguments].concat());
    Config::new(&line.settings)
}

#[test]
fn a_bad_setting_is_named_with_its_value_and_how_to_fix_it() {
    for (arguments, setting, value) in [
        (["--bind", "nowhere"], "BIND", "nowhere"),
        (["--database-url", "mysql://x"], "DATABASE_URL", "mysql://x"),
        (["--database-url", "sqlite::memory:"], "DATABASE_URL", ":memory:"),
        (["--database-pool-size", "0"], "DATABASE_POOL_SIZE", "0"),
        (["--database-read-urls", "postgres://a/x"], "DATABASE_READ_URLS", "postgres://a/x"),
        (["--board-refresh-ms", "0"], "BOARD_REFRESH_MS", "0"),
        (["--poll-seconds", "0"], "POLL_SECONDS", "0"),
        (["--poll-seconds", "soon"], "POLL_SECONDS", "soon"),
        (["--poll-seconds-busy", "4"], "POLL_SECONDS_BUSY", "4"),
        (["--poll-seconds-busy", "61"], "POLL_SECONDS_BUSY", "61"),
        (["--redis-url", "memcached://x"], "REDIS_URL", "memcached://x"),
        (["--desk-queue-length", "0"], "DESK_QUEUE_LENGTH", "0"),
        (["--desk-deadline-ms", "soon"], "DESK_DEADLINE_MS", "soon"),
        (["--secret-key", "short"], "SECRET_KEY", "hidden"),
        (["--secret-key-previous", "short,short"], "SECRET_KEY_PREVIOUS", "hidden"),
        (["--public-url", "tickets.example.org"], "PUBLIC_URL", "tickets.example.org"),
        (["--terms-url", "example.org/terms"], "TERMS_URL", "example.org/terms"),
        (["--privacy-url", "javascript:alert(1)"], "PRIVACY_URL", "javascript:alert(1)"),
        (["--imprint-url", "/imprint"], "IMPRINT_URL", "/imprint"),
        (["--trusted-proxies", "localhost"], "TRUSTED_PROXIES", "localhost"),
        (["--rate-limits", "sometimes"], "RATE_LIMITS", "sometimes"),
        (["--rate-limit-pages", "many"], "RATE_LIMIT_PAGES", "many"),
        (["--rate-limit-pages", "9/day"], "RATE_LIMIT_PAGES", "9/day"),
        (["--rate-limit-pages", "0/second"], "RATE_LIMIT_PAGES", "0/second"),
        (["--rate-limit-api", "1/hour burst 99"], "RATE_LIMIT_API", "burst 99"),
        (["--rate-limit-bookings", "30"], "RATE_LIMIT_BOOKINGS", "30"),
        (["--rate-limit-api", "off"], "RATE_LIMIT_API", "off"),
        (["--api-tokens", "ada:short"], "API_TOKENS", "hidden"),
        (["--cors-origins", "shop.example"], "CORS_ORIGINS", "shop.example"),
        (["--api-bookings", "everybody"], "API_BOOKINGS", "everybody"),
        (["--rate-limit-tickets", "20"], "RATE_LIMIT_TICKETS", "20"),
        (["--allow-reseed", "maybe"], "ALLOW_RESEED", "maybe"),
        (["--smtp-url", "ftp://mail"], "SMTP_URL", "ftp://mail"),
        (["--mail-from", "nobody"], "MAIL_FROM", "nobody"),
        (["--smtp-url", "smtps://mail"], "MAIL_FROM", "missing"),
        (["--mail-per-second", "0"], "MAIL_PER_SECOND", "0"),
        (["--stripe-secret-key", "short"], "STRIPE_SECRET_KEY", "hidden"),
        (["--reuse-port", "perhaps"], "REUSE_PORT", "perhaps"),
        (["--workers", "0"], "WORKERS", "0"),
        (["--request-timeout-seconds", "5"], "REQUEST_TIMEOUT_SECONDS", "5"),
        (["--drain-seconds", "soon"], "DRAIN_SECONDS", "soon"),
    ] {
        let message = config(&arguments).expect_err(setting).to_string();
        assert!(message.contains(setting) && message.contains(value), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(!message.contains("short is"), "a secret is never shown: {message}");
    }
}

#[test]
fn a_weak_secret_is_accepted_on_this_machine_only() {
    let weak = "changeme-changeme-changeme-changeme";
    let strong = "6f1ed002ab5595859014ebf0951522d9";
    for setting in ["--secret-key", "--secret-key-previous"] {
        assert!(config(&[setting, weak]).is_ok());
        assert!(config(&[setting, weak, "--public-url", "http://localhost:3000"]).is_ok());
        let https = ["--public-url", "https://tickets.example.org", "--mail-dir", "mail"];
        for address in [&["--bind", "0.0.0.0:3000"][..], &https] {
            let message = config(&[&[setting, weak][..], address].concat()).expect_err(setting).to_string();
            assert!(message.contains("too easy to guess") && message.contains("openssl rand"), "{message}");
            assert!(!message.contains(weak), "{message}");
            assert!(config(&[&[setting, strong][..], address].concat()).is_ok());
        }
    }
    let previous = [strong; 6].join(",");
    assert!(config(&["--secret-key-previous", &previous]).is_err(), "too many");
}
