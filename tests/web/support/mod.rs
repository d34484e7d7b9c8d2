//! Every test has its own app; the helpers do what people do with it. The app's database is set up already:
//! admin/first_password.rs is about the first start.

pub mod acts;
pub mod audit;
pub mod orders;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use techkraft::api::middleware::CorsOrigins;
use techkraft::auth::password_queue::SignInPace;
use techkraft::auth::session_record::SessionLimits;
use techkraft::booking::desk::DeskLimits;
use techkraft::booking::request_key::FormAges;
use techkraft::config::Config;
use techkraft::connections::ConnectionLimits;
use techkraft::db::{DatabaseUrl, ReplicaConfig};
use techkraft::events::pace::PollSeconds;
use techkraft::guard::api_tokens::{ApiBookings, ApiTokens};
use techkraft::guard::client_address::TrustedProxies;
use techkraft::guard::secret::SecretConfig;
use techkraft::mail::sender::MailLimits;
use techkraft::mail::service::MailConfig;
use techkraft::mail::transport::Destination;
use techkraft::ops::{Identity, OperationsConfig};
use techkraft::server;

use testkit::database::TestDatabase;
use testkit::template::ADMIN_PASSWORD;

/// The site, running on a port and a database of its own.
pub struct TestApp {
    // Dropped before its database.
    _server: Server,
    pub address: SocketAddr,
    /// Where health, readiness and metrics are, when they have a port of their own.
    pub ops_address: Option<SocketAddr>,
    pub admin_password: String,
    pub database: TestDatabase,
    /// A browser: keeps cookies, follows no redirect.
    pub client: Client,
}

/// A server of the site, which stops when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub ops_address: Option<SocketAddr>,
    handle: ServerHandle,
}

impl TestApp {
    pub fn spawn() -> Self {
        Self::spawn_with(|_| {})
    }

    /// With settings other than the defaults.
    pub fn spawn_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::seeded();
        let mut config = config(&database);
        change(&mut config);
        let server = Server::start(config);
        Self {
            address: server.address,
            ops_address: server.ops_address,
            admin_password: ADMIN_PASSWORD.to_owned(),
            database,
            client: browser(),
            _server: server,
        }
    }

    /// One more server on the same database.
    pub fn another_server(&self) -> Server {
        self.another_server_with(|_| {})
    }

    /// The same with settings other than the defaults.
    pub fn another_server_with(&self, change: impl FnOnce(&mut Config)) -> Server {
        let mut config = config(&self.database);
        change(&mut config);
        Server::start(config)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().expect("an answer")
    }

    /// Sends the request as htmx does.
    pub fn get_fragment(&self, path: &str) -> Response {
        self.client.get(self.url(path)).header("HX-Request", "true").send().expect("an answer")
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.client.post(self.url(path)).form(form).send().expect("an answer")
    }
}

impl Server {
    fn start(config: Config) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let started = server::start(config).expect("the app starts");
                sender
                    .send((started.address, started.ops_address, started.server.handle()))
                    .expect("the test waits");
                started.server.await.expect("the server runs");
            });
        });
        let (address, ops_address, handle) = receiver.recv().expect("the app starts");
        Self { address, ops_address, handle }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stops without waiting for connections that a client still keeps.
        drop(self.handle.stop(false));
    }
}

pub fn config(database: &TestDatabase) -> Config {
    Config {
        bind: "127.0.0.1:0".parse().expect("an address"),
        database_url: DatabaseUrl::parse(&database.url).expect("a URL"),
        database_pool_size: 4,
        replicas: ReplicaConfig::default(),
        desk: DeskLimits { queue_length: 10_000, batch_size: 512, deadline: Duration::from_secs(5) },
        // So that a test soon sees what it has changed directly in the database.
        board_refresh: Duration::from_millis(50),
        // Both intervals are the same, so that a machine that is busy with other tests does not change the ETag.
        poll: PollSeconds { usual: 5, busy: 5 },
        redis_url: None,
        secrets: SecretConfig::default(),
        public_url: None,
        site_links: techkraft::page::SiteLinks::default(),
        trusted_proxies: TrustedProxies::default(),
        // The tests of rate limits set their own.
        rate_limits: None,
        api_tokens: ApiTokens::default(),
        // The default of a server that only its own machine can reach.
        api_bookings: ApiBookings::Anonymous,
        cors_origins: CorsOrigins::None,
        // Tests fill in forms quicker than people do.
        forms: FormAges { least: Duration::ZERO, most: Duration::from_secs(12 * 3600) },
        allow_reseed: true,
        mail: mail_config(database),
        stripe: None,
        sessions: SessionLimits { idle: TimeDelta::minutes(30), lifetime: TimeDelta::hours(12) },
        sign_in_pace: SignInPace::default(),
        connections: ConnectionLimits {
            connections: 1000,
            reuse_port: false,
            workers: None,
            keep_alive: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
        },
        operations: OperationsConfig {
            identity: Identity { region: Some("eu-test".into()), server: "web-1".into() },
            bind: None,
            drain: Duration::ZERO,
            is_private: true,
        },
    }
}

/// Sends mails into a folder, and quickly.
fn mail_config(database: &TestDatabase) -> MailConfig {
    MailConfig {
        destination: Destination::Folder(database.folder.path().join("mail")),
        from: None,
        limits: MailLimits {
            per_second: 1000,
            connections: 4,
            timeout: Duration::from_secs(10),
            retry_first: Duration::from_millis(200),
            gives_up_after: Duration::from_secs(24 * 3600),
            // No limit, because the same few people book again and again.
            per_recipient: None,
        },
    }
}

/// A client with a cookie jar of its own that shows redirects instead of following them.
pub fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client")
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before:?} in {text}")) + before.len();
    let length = text[start..].find(after).unwrap_or_else(|| panic!("no {after:?} after {before:?}"));
    &text[start..start + length]
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a readable header"))
}
