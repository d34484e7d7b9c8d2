//! An app of its own for every test, and what people do with it.

pub mod acts;
#[path = "../../support/blockade.rs"]
pub mod blockade;
#[path = "../../support/database.rs"]
pub mod database;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use techkraft::admin::session::SessionLimits;
use techkraft::app;
use techkraft::booking::desk::DeskLimits;
use techkraft::booking::form_age::FormAges;
use techkraft::config::{Config, DatabaseUrl, ReplicaConfig, SecretConfig};
use techkraft::connections::ConnectionLimits;
use techkraft::events::pace::PollSeconds;
use techkraft::guard::api_tokens::ApiTokens;
use techkraft::guard::client_address::TrustedProxies;

use self::database::TestDatabase;

/// The site, running on a port and a database of its own.
pub struct TestApp {
    pub address: SocketAddr,
    pub admin_password: String,
    pub database: TestDatabase,
    /// A browser: keeps cookies, follows no redirect.
    pub client: Client,
    server: ServerHandle,
}

impl TestApp {
    pub fn spawn() -> Self {
        Self::spawn_with(|_| {})
    }

    /// With settings other than the defaults.
    pub fn spawn_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create();
        let mut config = config(&database);
        change(&mut config);
        let (address, password, server) = start(config);
        let admin_password = password.expect("a new database makes a password");
        Self { address, admin_password, database, client: browser(), server }
    }

    /// Another server of the same site.
    pub fn second_server(&self, change: impl FnOnce(&mut Config)) -> SecondServer {
        let mut config = config(&self.database);
        change(&mut config);
        let (address, _, server) = start(config);
        SecondServer { address, server }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().expect("an answer")
    }

    /// As htmx asks.
    pub fn get_fragment(&self, path: &str) -> Response {
        self.client.get(self.url(path)).header("HX-Request", "true").send().expect("an answer")
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.client.post(self.url(path)).form(form).send().expect("an answer")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Stops without waiting for connections that a client still keeps.
        drop(self.server.stop(false));
    }
}

/// Shares the database of a [`TestApp`], which must outlive it.
pub struct SecondServer {
    pub address: SocketAddr,
    server: ServerHandle,
}

impl Drop for SecondServer {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn start(config: Config) -> (SocketAddr, Option<String>, ServerHandle) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let started = app::start(config).expect("the app starts");
            sender
                .send((started.address, started.new_password, started.server.handle()))
                .expect("the test waits");
            started.server.await.expect("the server runs");
        });
    });
    receiver.recv().expect("the app starts")
}

pub fn config(database: &TestDatabase) -> Config {
    Config {
        bind: "127.0.0.1:0".parse().expect("an address"),
        database_url: DatabaseUrl::parse(&database.url).expect("a URL"),
        database_pool_size: 4,
        replicas: ReplicaConfig::default(),
        desk: DeskLimits { queue_length: 10_000, batch_size: 512, deadline: Duration::from_secs(5) },
        // So that a test sees at once what it has changed beside the app.
        board_refresh: Duration::from_millis(20),
        // One pace, so that a machine that is busy with other tests changes no tag.
        poll: PollSeconds { usual: 5, busy: 5 },
        redis_url: None,
        desk_pretends: false,
        secrets: SecretConfig::default(),
        public_url: None,
        trusted_proxies: TrustedProxies::default(),
        // The tests of the limits set theirs.
        rate_limits: None,
        api_tokens: ApiTokens::default(),
        // Tests fill in forms quicker than people do.
        forms: FormAges { least: Duration::ZERO, most: Duration::from_secs(12 * 3600) },
        allow_reseed: true,
        sessions: SessionLimits { idle: TimeDelta::minutes(30), lifetime: TimeDelta::hours(12) },
        connections: ConnectionLimits {
            connections: 1000,
            backlog: 128,
            reuse_port: false,
            workers: None,
            keep_alive: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
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
