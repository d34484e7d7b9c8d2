//! Three hosts with two places (blue and green) each, the load balancer, and one PostgreSQL.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::haproxy::balancer::Balancer;
use testkit::cluster::{Cluster, run};
use testkit::database::TestDatabase;
use testkit::previous_release;
use testkit::process;
use testkit::server::{free_port, set_as, techkraft};
use testkit::visitor::Visitor;

pub const HOSTS: [&str; 3] = ["web1", "web2", "web3"];

/// The operator's script to start a place, which usually works over ssh. The settings of a place are in a file with
/// its name.
const START: &str = r#"#!/bin/sh
set -e
cd "$(dirname "$0")"
. "./$1-$2.env"
setsid "./$2/techkraft" >/dev/null 2>>"$1-$2.log" </dev/null &
echo $! >"$1-$2.pid"
"#;
const STOP: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
pid=$(cat "$1-$2.pid")
kill -TERM "$pid" || exit 1
for _ in $(seq 300); do
  kill -0 "$pid" 2>/dev/null || { rm "$1-$2.pid"; exit 0; }
  sleep 0.1
done
exit 1
"#;

/// Fields are dropped in this order.
pub struct Fleet {
    pub balancer: Balancer,
    folder: TempDir,
    pub database: TestDatabase,
    _cluster: Cluster,
}

impl Fleet {
    /// A fleet whose blue places serve the previous release.
    pub fn open() -> Self {
        Self::open_through(|_, address| address)
    }

    /// The same, but the balancer connects to the addresses that `way` returns.
    pub fn open_through(way: impl Fn(&str, SocketAddr) -> SocketAddr) -> Self {
        let cluster = Cluster::start();
        let database = cluster.database();
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [("start", START), ("stop", STOP)] {
            fs::write(folder.path().join(name), text).expect("written");
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755))
                .expect("a script");
        }
        let mut places = Vec::new();
        for place in HOSTS.iter().flat_map(|host| ["blue", "green"].map(|color| format!("{host}-{color}"))) {
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let settings = format!("export BIND={address} SERVER_ID={place}\n");
            fs::write(folder.path().join(format!("{place}.env")), settings).expect("written");
            places.push((place.clone(), way(&place, address)));
        }
        put(folder.path(), "blue", previous_release::binary());
        let places: Vec<_> = places.iter().map(|(place, at)| (place.as_str(), *at)).collect();
        let balancer = Balancer::start(folder.path(), &places);
        let fleet = Self { balancer, folder, database, _cluster: cluster };
        HOSTS.iter().for_each(|host| run(&mut fleet.script("start", host, "blue")));
        for host in HOSTS {
            fleet.wait_for(&format!("{host} is up"), || fleet.is_up(&format!("{host}-blue")));
        }
        fleet
    }

    /// Puts a release into the green place of every host.
    pub fn put_green(&self, release: &Path) {
        put(self.folder.path(), "green", release);
    }

    /// Runs `deploy/release` on all hosts; returns its exit code and output.
    pub fn release(&self, settings: &[(&str, &str)]) -> (Option<i32>, String) {
        said(&self.release_command(settings).output().expect("deploy/release"))
    }

    /// The same, but the release is stopped when it prints `words`.
    pub fn release_until(&self, settings: &[(&str, &str)], words: &str) -> (Option<i32>, String) {
        let mut release = self.release_command(settings);
        let mut child = release.stdout(Stdio::piped()).spawn().expect("deploy/release");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut said: Vec<String> = Vec::new();
        while said.last().is_none_or(|line| !line.contains(words)) {
            said.push(lines.next().unwrap_or_else(|| panic!("never {words}: {said:#?}")));
        }
        run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        said.extend(lines);
        println!("{}", said.join("\n"));
        (child.wait().expect("it ends").code(), said.join("\n"))
    }

    fn release_command(&self, settings: &[(&str, &str)]) -> Command {
        let folder = self.folder.path();
        let mut release = Command::new("deploy/release");
        self.settle(&mut release);
        release
            .args(HOSTS)
            .env("START", folder.join("start"))
            .env("STOP", folder.join("stop"))
            .env("HAPROXY_SOCKET", &self.balancer.socket)
            .env("HAPROXY_STATE_FILE", folder.join("techkraft.state"))
            .env("WATCH_SECONDS", "4")
            .envs(settings.iter().copied());
        release
    }

    /// How many places of a color have a running process.
    pub fn running(&self, color: &str) -> usize {
        let runs = |host: &&&str| self.pid(&format!("{host}-{color}")).is_some();
        HOSTS.iter().filter(runs).count()
    }

    /// Sends a place's process a signal, such as "-KILL".
    pub fn signal(&self, place: &str, name: &str) {
        process::signal(&self.pid(place).expect("it runs"), name);
    }

    pub fn is_up(&self, place: &str) -> bool {
        self.balancer.is_up(place)
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.balancer.address)
    }

    pub fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}\n{}", self.logs());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the servers have logged.
    pub fn logs(&self) -> String {
        let files = fs::read_dir(self.folder.path()).expect("a folder").flatten().map(|entry| entry.path());
        let logs = files.filter(|path| path.extension() == Some("log".as_ref()));
        logs.filter_map(|path| fs::read_to_string(path).ok()).collect()
    }

    fn pid(&self, place: &str) -> Option<String> {
        let pid = fs::read_to_string(self.folder.path().join(format!("{place}.pid"))).ok()?;
        Some(pid.trim().to_owned())
    }

    fn script(&self, name: &str, host: &str, color: &str) -> Command {
        let mut script = Command::new(self.folder.path().join(name));
        self.settle(&mut script);
        script.args([host, color]).stdin(Stdio::null());
        script
    }

    /// Gives a command the settings of every server of the site.
    fn settle(&self, command: &mut Command) {
        set_as(command, &techkraft(&self.database));
        command.envs([("TRUSTED_PROXIES", "127.0.0.1"), ("DATABASE_POOL_SIZE", "8")]);
        command.envs([("DRAIN_SECONDS", "1"), ("ALLOW_RESEED", "false")]);
        command.envs(previous_release::SETTINGS);
        command.env("MAIL_DIR", self.folder.path().join("mail"));
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned()).concat();
    println!("{said}");
    (output.status.code(), said)
}

fn put(folder: &Path, color: &str, release: &Path) {
    fs::create_dir_all(folder.join(color)).expect("a folder");
    let place = folder.join(color).join("techkraft");
    let _ = fs::remove_file(&place);
    symlink(fs::canonicalize(release).expect("a release"), place).expect("a link");
}
