//! The waiting room while servers are killed, while their clocks differ, while the database is away, and with
//! thousands of buyers.

mod killed;
mod own_postgres;
mod sold_out;

use std::net::SocketAddr;

use chrono::{TimeDelta, Utc};
use techkraft::queue::draw::DrawSeed;
use testkit::database::TestDatabase;
use testkit::visitor::{Answer, Visitor};
use testkit::wait::eventually;

pub const ROOM: &str = "/events/midnight-parade/queue";
/// An SQL condition that selects the places from the lobby.
pub const OF_LOBBY: &str = "position < 4294967296";
const IN_LINE: &str = "You’re in line";
const TURN: &str = "It’s your turn";

/// A browser that waits in line. Any server knows its place.
pub struct Waiting {
    cookies: Vec<String>,
}

impl Waiting {
    /// Takes a place, through this server.
    pub fn come(address: SocketAddr) -> Self {
        let mut waiting = Self { cookies: Vec::new() };
        let answer = waiting.ask(address, "POST", ROOM, "");
        assert_eq!((answer.status, answer.location()), (303, ROOM), "{}", answer.body);
        assert_eq!(waiting.cookies.len(), 1, "a place");
        waiting
    }

    /// The waiting room's page from this server.
    pub fn page(&mut self, address: SocketAddr) -> String {
        let answer = self.ask(address, "GET", ROOM, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub fn has_turn(&mut self, address: SocketAddr) -> bool {
        self.page(address).contains(TURN)
    }

    /// Books a ticket with the pass; returns the answer.
    pub fn book(&mut self, address: SocketAddr, ticket_type_id: i64) -> Answer {
        let form = self.ask(address, "GET", &format!("/bookings/new?ticket_type={ticket_type_id}"), "");
        let key = form.body.split("name=\"request_key\" value=\"").nth(1).expect("a form with a key");
        let key = key.split('"').next().expect("a key");
        let order = format!(
            "ticket_type={ticket_type_id}&quantity=1&name=Ada&email={}%40example.org&request_key={key}",
            &key[..20]
        );
        self.ask(address, "POST", "/bookings", &order)
    }

    fn ask(&mut self, address: SocketAddr, method: &str, path: &str, form: &str) -> Answer {
        let mut visitor = Visitor::new(address);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.cookies.join("; "),
            form.len()
        );
        visitor.send(&request).expect("sent");
        let answer = visitor.receive().expect("an answer");
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let (name, value) = cookie.split_once('=').unwrap_or_default();
        if (name.starts_with("place-") || name.starts_with("pass-")) && !value.is_empty() {
            self.cookies.retain(|it| it.split('=').next() != Some(name));
            self.cookies.push(cookie.clone());
        }
        answer
    }
}

/// Sets the start of the sale, and then creates a waiting room with an open lobby. Waits in between until all servers
/// know the start: a server that did not would draw at once.
pub fn open_lobby(
    database: &TestDatabase,
    servers: &[SocketAddr],
    starts_in: i64,
    most_per_second: u32,
) -> DrawSeed {
    let seed = DrawSeed::generate();
    start_sale(database, starts_in);
    for server in servers {
        let mut visitor = Visitor::new(*server);
        eventually("it knows the sale", || visitor.get("/").expect("a page").body.contains("data-opens"));
    }
    database.execute(&format!(
        "INSERT INTO waiting_rooms (event_id, mode, opens_minutes, flow, most_per_second, seed, seed_hash, per_second)
         VALUES (1, 'always', 60, 'open', {most_per_second}, '{}', '{}', {most_per_second})",
        seed.as_str(),
        seed.hash()
    ));
    for server in servers {
        let mut somebody = Waiting { cookies: Vec::new() };
        eventually("it knows the room", || somebody.ask(*server, "GET", ROOM, "").status == 200);
    }
    seed
}

pub fn start_sale(database: &TestDatabase, milliseconds: i64) {
    let starts = (Utc::now() + TimeDelta::milliseconds(milliseconds)).format("%F %T%.6f");
    database.execute(&format!(
        "UPDATE events SET sales_start_at = '{starts}', facts_version = facts_version + 1"
    ));
}
