//! Every setting: its flag, its environment variable, its default. Read and checked once, at the start, so that the
//! rest of the program sees valid values only. The types of settings live with their users, not here.

mod admin;
mod api;
mod command_line;
mod connections;
mod database;
mod desk;
pub mod env_file;
mod mail;
mod operations;
mod polling;
mod public_url;
mod rate_limits;
mod redis;
mod replicas;
mod secrets;
mod site_links;
mod trusted_proxies;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use self::admin::AdminSettings;
use self::api::ApiSettings;
pub use self::command_line::{
    BackupArguments, Command, CommandLine, DEFAULT_BIND, DrawArguments, DrawCommand, HealthArguments,
    RehearseArguments, RestoreArguments, VerifyArguments,
};
use self::connections::ConnectionSettings;
use self::database::DatabaseSettings;
use self::desk::DeskSettings;
use self::mail::MailSettings;
use self::operations::OperationsSettings;
use self::polling::PollingSettings;
use self::public_url::PublicUrlSettings;
use self::rate_limits::RateLimitSettings;
use self::redis::RedisSettings;
use self::replicas::ReplicaSettings;
use self::secrets::SecretSettings;
use self::site_links::SiteLinkSettings;
use self::trusted_proxies::ProxySettings;
use crate::api::middleware::CorsOrigins;
use crate::auth::password_queue::SignInPace;
use crate::auth::session_record::SessionLimits;
use crate::booking::desk::DeskLimits;
use crate::booking::request_key::FormAges;
use crate::connections::ConnectionLimits;
use crate::db::{DatabaseUrl, ReplicaConfig};
use crate::events::pace::PollSeconds;
use crate::guard::api_tokens::{ApiBookings, ApiTokens};
use crate::guard::client_address::TrustedProxies;
use crate::guard::limits::Rates;
use crate::guard::secret::SecretConfig;
use crate::mail::service::MailConfig;
use crate::ops::OperationsConfig;
use crate::page::SiteLinks;
use crate::redis_url::RedisUrl;
use crate::start_error::StartError;

/// The settings as typed. Flags win over the environment, the environment over `.env`.
#[derive(Args)]
pub struct Settings {
    /// Address and port to listen on
    #[arg(long, env = "BIND", global = true, default_value = DEFAULT_BIND)]
    bind: String,

    #[command(flatten)]
    database: DatabaseSettings,

    #[command(flatten)]
    replicas: ReplicaSettings,

    #[command(flatten)]
    secrets: SecretSettings,

    #[command(flatten)]
    public_url: PublicUrlSettings,

    #[command(flatten)]
    site_links: SiteLinkSettings,

    #[command(flatten)]
    proxies: ProxySettings,

    #[command(flatten)]
    limits: RateLimitSettings,

    #[command(flatten)]
    api: ApiSettings,

    /// Milliseconds between two readings of what other servers have sold
    #[arg(long, env = "BOARD_REFRESH_MS", global = true, default_value = "1000")]
    board_refresh_ms: String,

    #[command(flatten)]
    desk: DeskSettings,

    #[command(flatten)]
    polling: PollingSettings,

    #[command(flatten)]
    redis: RedisSettings,

    #[command(flatten)]
    admin: AdminSettings,

    #[command(flatten)]
    mail: MailSettings,

    #[command(flatten)]
    connections: ConnectionSettings,

    #[command(flatten)]
    operations: OperationsSettings,
}

/// The settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub bind: SocketAddr,
    pub database_url: DatabaseUrl,
    pub database_pool_size: u32,
    pub replicas: ReplicaConfig,
    pub desk: DeskLimits,
    /// Between two readings of what other servers have sold.
    pub board_refresh: Duration,
    /// Between two polls of a browser.
    pub poll: PollSeconds,
    /// Where servers share their board.
    pub redis_url: Option<RedisUrl>,
    pub secrets: SecretConfig,
    /// Scheme, host and port, without a trailing slash. `None`: derived from [`Config::bind`].
    pub public_url: Option<String>,
    /// What the footer and the checkout link to.
    pub site_links: SiteLinks,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The rate limits; `None`: no limits.
    pub rate_limits: Option<Rates>,
    pub api_tokens: ApiTokens,
    /// Who may book through the API.
    pub api_bookings: ApiBookings,
    /// Sites whose pages may call the API.
    pub cors_origins: CorsOrigins,
    /// How old a booking form may be: while rates are not limited, a form may be sent at once.
    pub forms: FormAges,
    pub allow_reseed: bool,
    pub mail: MailConfig,
    /// How long organizers stay signed in.
    pub sessions: SessionLimits,
    /// How often passwords from unknown browsers are looked at.
    pub sign_in_pace: SignInPace,
    pub connections: ConnectionLimits,
    pub operations: OperationsConfig,
}

impl Config {
    /// Checks the settings. An error is one line: `SETTING=value: what is wrong; how to fix it`.
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        let database_url = settings.database.parse_url()?;
        let bind = parse_bind(&settings.bind)?;
        let public_url = settings.public_url.parse()?;
        let desk = settings.desk.parse()?;
        let pool_size = settings.database.parse_pool_size(&database_url)?;
        let trusted_proxies = settings.proxies.parse()?;
        let rate_limits = settings.limits.parse()?;
        let operations =
            settings.operations.parse(bind, !trusted_proxies.is_empty(), public_url.is_some())?;
        let is_public = !operations.is_private;
        Ok(Self {
            bind,
            api_bookings: settings.api.parse_bookings(operations.is_private)?,
            operations,
            database_pool_size: pool_size,
            replicas: settings.replicas.parse(&database_url, pool_size)?,
            mail: settings.mail.parse(&database_url, rate_limits.is_some(), public_url.as_deref())?,
            database_url,
            desk,
            connections: settings.connections.parse(desk.deadline)?,
            board_refresh: Duration::from_millis(parse_number(
                "BOARD_REFRESH_MS",
                &settings.board_refresh_ms,
                10,
                60_000,
            )?),
            poll: settings.polling.parse()?,
            redis_url: settings.redis.parse()?,
            site_links: settings.site_links.parse()?,
            trusted_proxies,
            rate_limits,
            api_tokens: settings.limits.parse_tokens(is_public)?,
            cors_origins: settings.api.parse_origins()?,
            secrets: settings.secrets.parse(bind, public_url.as_deref())?,
            allow_reseed: settings.admin.parse_allow_reseed(public_url.is_some())?,
            public_url,
            forms: if rate_limits.is_some() { FormAges::default() } else { FormAges::of_any_speed() },
            sessions: SessionLimits::default(),
            sign_in_pace: SignInPace::default(),
        })
    }
}

fn parse_bind(value: &str) -> Result<SocketAddr, StartError> {
    value.parse().map_err(|_| {
        StartError::setting("BIND", value, "not an address and port", "write it as 127.0.0.1:3000")
    })
}

fn parse_number<N: FromStr + PartialOrd + fmt::Display>(
    setting: &str,
    value: &str,
    least: N,
    most: N,
) -> Result<N, StartError> {
    let number = value.parse().ok().filter(|number| (&least..=&most).contains(&number));
    let hint = format!("use a number from {least} to {most}");
    number.ok_or_else(|| StartError::setting(setting, value, "out of range", &hint))
}

fn parse_bool(setting: &str, value: &str) -> Result<bool, StartError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(StartError::setting(setting, value, "not true or false", "use true or false")),
    }
}

#[cfg(test)]
mod tests {
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
                let message =
                    config(&[&[setting, weak][..], address].concat()).expect_err(setting).to_string();
                assert!(
                    message.contains("too easy to guess") && message.contains("openssl rand"),
                    "{message}"
                );
                assert!(!message.contains(weak), "{message}");
                assert!(config(&[&[setting, strong][..], address].concat()).is_ok());
            }
        }
        let previous = [strong; 6].join(",");
        assert!(config(&["--secret-key-previous", &previous]).is_err(), "too many");
    }
}
