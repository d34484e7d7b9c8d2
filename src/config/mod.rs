//! Every setting: its flag, its environment variable, its default. Read and checked once, at the start, so that the
//! rest of the program sees valid values only.
//!
//! The types of settings do not belong here: they are with what uses them.

mod admin;
mod api;
mod command_line;
mod connections;
mod database;
mod desk;
pub mod env_file;
mod mail;
mod operations;
mod payment;
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
    RehearseArguments, ResetSecondFactorArguments, RestoreArguments, VerifyArguments,
};
use self::connections::ConnectionSettings;
use self::database::DatabaseSettings;
use self::desk::DeskSettings;
use self::mail::MailSettings;
use self::operations::OperationsSettings;
use self::payment::PaymentSettings;
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
use crate::payment::settings::StripeConfig;
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
    payment: PaymentSettings,

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
    /// Where servers share their board and their rate limits.
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
    /// The account that buyers pay to; `None`: they pay at the venue.
    pub stripe: Option<StripeConfig>,
    /// How long organizers stay signed in.
    pub sessions: SessionLimits,
    /// How often passwords from unknown browsers are checked.
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
            stripe: settings.payment.parse(public_url.as_deref())?,
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
mod tests;
