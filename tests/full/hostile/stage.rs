//! The server under attack, and what an attacker needs to know about it.

use std::net::SocketAddr;

use techkraft::booking::request_key::RequestKeys;

use crate::hostile::case::posted;
use crate::hostile::wire::{Answer, exchange};
use testkit::database::TestDatabase;
use testkit::server::{SECRET, Server};

/// This ticket type has enough tickets for all cases that do book.
pub const TIER: &str = "General Admission";
pub const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

pub struct Stage {
    pub database: TestDatabase,
    pub server: Server,
    pub password: String,
    /// The cookie of an organizer who signed in before the attack: password guessing makes signing in slow.
    pub session: String,
    pub tier: String,
    keys: RequestKeys,
}

impl Stage {
    pub fn set() -> Self {
        let database = TestDatabase::create();
        let settings = [
            // Shorter than the defaults, so that the test does not take hours. The log level is the default.
            ("REQUEST_TIMEOUT_SECONDS", "3"),
            ("DESK_DEADLINE_MS", "2000"),
            ("RUST_LOG", "info,actix_server=warn,actix_http=off"),
            ("RUST_BACKTRACE", "0"),
            // Rate limits have tests of their own; here all requests come from one address.
            ("RATE_LIMITS", "off"),
        ];
        let server = Server::start(&database, &settings);
        let password = server.admin_password().expect("a new database makes a password");
        let keys = RequestKeys::new(&SECRET.into());
        let mut stage =
            Self { database, server, password, session: String::new(), tier: String::new(), keys };
        stage.tier = stage.tier_id(TIER);
        stage.session = stage.sign_in();
        stage
    }

    pub fn tier_id(&self, tier: &str) -> String {
        let ids = self.database.rows::<Id>(&format!("SELECT id FROM ticket_types WHERE name = '{tier}'"));
        ids.first().expect("the seed has it").id.to_string()
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// A valid form that books a ticket.
    pub fn form(&self) -> String {
        self.form_with(&[])
    }

    /// The same with other values in some fields; the values are already form-encoded.
    pub fn form_with(&self, others: &[(&str, &str)]) -> String {
        let key = self.keys.generate();
        let fields = [
            ("ticket_type", self.tier.as_str()),
            ("quantity", "1"),
            ("name", "Ada+Lovelace"),
            ("email", "ada%40example.org"),
            ("request_key", key.as_str()),
        ];
        let pairs = fields.map(|(name, value)| {
            let other = others.iter().find(|(its, _)| *its == name).map(|(_, other)| *other);
            format!("{name}={}", other.unwrap_or(value))
        });
        pairs.join("&")
    }

    /// A complete request that would book.
    pub fn booking(&self) -> Vec<u8> {
        posted("/bookings", FORM, self.form().as_bytes())
    }

    /// The page and the calendar file of a booking.
    pub fn pages_of(&self, token: &str) -> Vec<Answer> {
        ["", "/calendar.ics"]
            .into_iter()
            .flat_map(|page| self.get(&format!("/bookings/{token}{page}"), ""))
            .collect()
    }

    /// A page, requested with this cookie.
    pub fn get(&self, path: &str, cookie: &str) -> Vec<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        exchange(self.address(), request.as_bytes()).answers
    }

    /// The cookies of an organizer who has signed in.
    pub fn sign_in(&self) -> String {
        let form = format!("username=admin&password={}", self.password);
        let answers = exchange(self.address(), &posted("/admin/sign-in", FORM, form.as_bytes())).answers;
        let cookie = answers.iter().find_map(|answer| answer.header("set-cookie"));
        cookie.and_then(|it| it.split(';').next()).expect("a session").to_owned()
    }
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
}

/// The text in form encoding.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
