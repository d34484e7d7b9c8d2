//! A site of several servers that share a database and usually a Redis; and what its visitors see.

use std::time::Duration;
use testkit::wait::within;

use crate::redis::redis_server::RedisServer;
use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::Server;
use testkit::visitor::Visitor;

const JOINED: &str = "the board is shared through Redis";
const AWAY: &str = "every server reads the database itself";
/// The reason in the log when Redis is there but slow, as on a busy machine.
const SLOW: &str = "no answer in ";
const LIMIT: Duration = Duration::from_secs(60);

pub struct Site {
    pub servers: Vec<Server>,
    pub database: TestDatabase,
    settings: Vec<(String, String)>,
}

impl Site {
    /// Starts servers with this refresh interval, and waits until all of them share the board.
    pub fn open(servers: usize, cluster: &Cluster, redis: &RedisServer, refresh_ms: u32) -> Self {
        let mut site = Self::closed(cluster, redis, refresh_ms, &[]);
        site.add(servers);
        site
    }

    /// A site without servers yet.
    pub fn closed(cluster: &Cluster, redis: &RedisServer, refresh_ms: u32, more: &[(&str, &str)]) -> Self {
        let refresh_ms = refresh_ms.to_string();
        let url = redis.url();
        let settings = [
            ("REDIS_URL", url.as_str()),
            ("BOARD_REFRESH_MS", &refresh_ms),
            ("RUST_LOG", "techkraft=info,techkraft::request=warn"),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = settings.iter().chain(more).map(owned).collect();
        Self { servers: Vec::new(), database: cluster.database(), settings }
    }

    /// Starts more servers, and waits until they share the board.
    pub fn add(&mut self, servers: usize) {
        self.add_alone(servers);
        self.wait_until_joined(1);
    }

    /// Starts more servers, and does not wait for Redis.
    pub fn add_alone(&mut self, servers: usize) {
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let mut new: Vec<Server> =
            (0..servers).map(|_| Server::prepared(&self.database, &settings)).collect();
        new.iter_mut().for_each(Server::start_again);
        new.iter_mut().for_each(Server::wait_until_it_listens);
        self.servers.append(&mut new);
    }

    /// Waits until every server shares the board, and has logged at least `times` times that it does. On a busy
    /// machine Redis may have been too slow in between, and then there are more lines.
    pub fn wait_until_joined(&self, times: usize) {
        self.wait_until_said(JOINED, AWAY, times);
    }

    /// Waits until every server misses Redis, and has logged at least `times` times that it does.
    pub fn wait_until_alone(&self, times: usize) {
        self.wait_until_said(AWAY, JOINED, times);
    }

    /// Waits until every server has logged a line at least `times` times, and its opposite not since then.
    pub fn wait_until_said(&self, line: &str, opposite: &str, times: usize) {
        let is_said = |log: &str| log.matches(line).count() >= times && log.rfind(line) > log.rfind(opposite);
        within(LIMIT, line, || self.servers.iter().all(|server| is_said(&server.logged())));
    }

    /// Does something while Redis is away; no server may log meanwhile that it is back.
    pub fn while_alone(&self, act: impl FnOnce()) {
        self.without_line(JOINED, act);
    }

    /// Does something; no server may log this line meanwhile.
    pub fn without_line(&self, line: &str, act: impl FnOnce()) {
        let counts = || self.servers.iter().map(|server| count(server, line)).collect::<Vec<_>>();
        let before = counts();
        act();
        assert_eq!(counts(), before, "{line}");
    }

    /// Each server has logged one line when Redis went away, and one when it was back.
    pub fn assert_no_line_is_repeated(&self) {
        self.assert_alternating(AWAY, JOINED);
    }

    /// No server has logged one of these lines twice without the other in between.
    pub fn assert_alternating(&self, one: &str, other: &str) {
        for log in self.servers.iter().map(Server::logged) {
            let said: Vec<bool> = log
                .lines()
                .filter(|line| line.contains(one) || line.contains(other))
                .map(|line| line.contains(one))
                .collect();
            assert!(said.windows(2).all(|two| two[0] != two[1]), "{log}");
        }
    }

    /// Every server found Redis there all the time, though perhaps slow.
    pub fn assert_never_away(&self) {
        self.assert_no_line_is_repeated();
        for log in self.servers.iter().map(Server::logged) {
            assert!(log.lines().filter(|line| line.contains(AWAY)).all(|line| line.contains(SLOW)), "{log}");
        }
    }

    pub fn visitor(&self, server: usize) -> Visitor {
        Visitor::new(self.servers[server].address)
    }

    /// Books one ticket of the last ticket type, which has the most tickets.
    pub fn book_one(&self, visitor: &mut Visitor) {
        let tier = *tier_ids(&self.database).last().expect("a tier");
        assert_eq!(visitor.book(&order(tier, 1)).expect("an answer").status, 303);
    }
}

fn count(server: &Server, line: &str) -> usize {
    server.logged().matches(line).count()
}

/// The number of tickets of each type that a server shows.
pub fn shown(visitor: &mut Visitor) -> Vec<i64> {
    let answer = visitor.get("/events/midnight-parade/availability").expect("an answer");
    assert_eq!(answer.status, 200);
    let bars = answer.body.split("class=\"stock__bar\"").skip(1);
    let value = |bar: &str| bar.split("value=\"").nth(1)?.split('"').next()?.parse().ok();
    bars.map(|bar| value(bar).expect("a number")).collect()
}

/// Waits until a server shows these numbers; returns how long that took.
pub fn shows_within(limit: Duration, visitor: &mut Visitor, numbers: &[i64]) -> Duration {
    within(limit, &format!("the server shows {numbers:?}"), || shown(visitor) == numbers)
}
