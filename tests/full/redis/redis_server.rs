//! A Redis server for one test. It keeps its port when it is started again.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Connection, RedisResult};
use tempfile::TempDir;

use testkit::packages;
use testkit::process;
use testkit::server::free_port;
use testkit::wait::eventually;

pub struct RedisServer {
    port: u16,
    /// Its port for TLS connections, with the certificate in its folder.
    tls_port: Option<u16>,
    folder: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        let mut server = Self::prepared();
        server.start_again();
        server
    }

    /// A Redis that is not started yet.
    pub fn prepared() -> Self {
        packages::need("redis-server:redis-server");
        Self {
            port: free_port(),
            tls_port: None,
            folder: tempfile::tempdir().expect("a temporary folder"),
            child: None,
        }
    }

    /// Starts a Redis that also takes TLS connections, on a second port and for the name "localhost".
    pub fn start_with_tls() -> Self {
        let mut server = Self::prepared();
        server.tls_port = Some(free_port());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(server.folder.path().join("redis.key"), made.signing_key.serialize_pem()).expect("a file");
        fs::write(server.certificate(), made.cert.pem()).expect("a file");
        server.start_again();
        server
    }

    /// The certificate that a client must trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("redis.crt")
    }

    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port.expect("it has TLS"))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, empty, and waits until it answers.
    pub fn start_again(&mut self) {
        let log = File::create(self.folder.path().join("redis.log")).expect("a log");
        // The kernel ends Redis when the test ends, even if the test is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "redis-server", "--port", &self.port.to_string()]);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        if let Some(port) = self.tls_port {
            command.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.args(["--tls-cert-file", "redis.crt", "--tls-key-file", "redis.key"]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("setpriv runs redis-server"));
        let begun = Instant::now();
        while self.try_connect().is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "redis-server did not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    /// Freezes Redis: it neither answers nor closes connections until [`RedisServer::thaw`].
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        process::signal(&self.child.as_ref().expect("it runs").id().to_string(), name);
    }

    /// Sends a command and returns the answer.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut redis = self.try_connect().expect("it answers");
        let mut line = redis::cmd(command[0]);
        command[1..].iter().for_each(|argument| _ = line.arg(argument));
        line.query(&mut redis).expect("it does what it is told")
    }

    /// Publishes bytes; returns how many subscribers received them.
    pub fn publish(&self, channel: &str, message: &[u8]) -> u32 {
        let mut redis = self.try_connect().expect("it answers");
        redis::cmd("PUBLISH").arg(channel).arg(message).query(&mut redis).expect("it is published")
    }

    /// Runs `act`, and returns the next message on a channel.
    pub fn overhear(&self, channel: &str, act: impl FnOnce()) -> Vec<u8> {
        let mut redis = self.try_connect().expect("it answers");
        let mut ear = redis.as_pubsub();
        ear.subscribe(channel).expect("it listens");
        act();
        ear.get_message().expect("a message").get_payload_bytes().to_vec()
    }

    /// All sites' names of one kind: "lease", "board" or "news".
    pub fn names(&self, kind: &str) -> Vec<String> {
        let pattern = format!("techkraft:*:{kind}");
        if kind == "news" {
            self.ask(&["PUBSUB", "CHANNELS", &pattern])
        } else {
            self.ask(&["KEYS", &pattern])
        }
    }

    /// The name of this kind of the only site, as soon as there is one.
    pub fn name(&self, kind: &str) -> String {
        let mut name = None;
        eventually(kind, || {
            name = self.names(kind).pop();
            name.is_some()
        });
        name.expect("just found")
    }

    /// Publishes bytes as soon as both servers of a site listen. Until then one of them may hear them several times.
    pub fn publish_to_both(&self, channel: &str, message: &[u8]) {
        eventually("both servers hear it", || self.publish(channel, message) == 2);
    }

    fn try_connect(&self) -> RedisResult<Connection> {
        let mut redis = redis::Client::open(self.url())?.get_connection()?;
        redis.set_read_timeout(Some(Duration::from_secs(10)))?;
        redis::cmd("PING").query::<()>(&mut redis)?;
        Ok(redis)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
