//! A PostgreSQL cluster for one test, which the test may stop, block, and read the log of. It is as durable as in
//! production: fsync and synchronous_commit are on.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::database::TestDatabase;
use crate::guard;
use crate::process::until_stopped;
use crate::server::free_port;

pub struct Cluster {
    folder: TempDir,
    /// The folder of PostgreSQL's own programs.
    pub programs: PathBuf,
    pub port: u16,
    /// The folder of its locales, unless it uses the system's.
    locales: Option<PathBuf>,
    /// Stops the cluster when the test ends.
    guard: Option<Child>,
}

impl Cluster {
    pub fn start() -> Self {
        Self::without_data().with_data()
    }

    /// Starts a cluster whose folder is inside another one.
    pub fn start_in(place: &Path) -> Self {
        Self::in_folder(tempfile::tempdir_in(place).expect("a temporary folder")).with_data()
    }

    /// Starts a cluster with German messages: an administrator may choose any language.
    pub fn start_in_german() -> Self {
        crate::packages::need("locale-gen:locales");
        let cluster = Self::without_data();
        let locale = cluster.folder.path().join("locales");
        fs::create_dir(&locale).expect("a folder");
        // `localedef` warns about details, but succeeds.
        let mut localedef = Command::new("localedef");
        localedef.args(["-c", "-i", "de_DE", "-f", "UTF-8"]).arg(locale.join("de_DE.UTF-8"));
        drop(localedef.output().expect("localedef runs"));
        let mut cluster = cluster;
        cluster.locales = Some(locale);
        let cluster = cluster.with_data();
        cluster.database().execute("ALTER SYSTEM SET lc_messages = 'de_DE.UTF-8'");
        cluster.database().execute("SELECT pg_reload_conf()");
        cluster
    }

    fn with_data(self) -> Self {
        let cluster = self;
        let settings = ["-U", "techkraft", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"];
        let mut initdb = cluster.command("initdb");
        initdb.args(settings).arg(cluster.data());
        if cluster.locales.is_some() {
            initdb.arg("--locale=C");
        }
        run(&mut initdb);
        cluster.start_again();
        cluster
    }

    /// Only a folder and a port. The caller adds the data.
    pub fn without_data() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let mut cluster =
            Self { folder, programs: programs(), port: free_port(), locales: None, guard: None };
        if cluster.is_root() {
            run(Command::new("chown").arg("postgres").arg(cluster.folder.path()));
        }
        cluster.guard = Some(cluster.guard());
        cluster
    }

    /// A process that stops the cluster when this one has ended.
    fn guard(&self) -> Child {
        let mut stop = self.command("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        guard::shell(r#"cat; "$@"; rm -rf "$0""#, self.folder.path())
            .arg(stop.get_program())
            .args(stop.get_args())
            .spawn()
            .expect("a shell")
    }

    /// A new schema in the cluster's database.
    pub fn database(&self) -> TestDatabase {
        TestDatabase::on(&format!("postgres://techkraft@127.0.0.1:{}/postgres", self.port))
    }

    /// Copies the primary's data to this cluster, with the settings of a standby that follows it. After an error it
    /// removes the incomplete copy.
    pub fn copy(&self, primary: &Self) -> Result<(), String> {
        let port = primary.port.to_string();
        try_to_run(
            self.command("pg_basebackup")
                .args(["-h", "127.0.0.1", "-U", "techkraft", "-p", &port, "-D"])
                .arg(self.data())
                .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]),
        )
    }

    /// Starts PostgreSQL, waits until it accepts connections, and returns the time.
    pub fn start_again(&self) -> Instant {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=300 \
             -c log_lock_waits=on",
            self.port
        );
        let log = self.folder.path().join("log");
        run(self
            .command("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(log)
            .args(["-w", "-t", "60", "-o", &options, "start"]));
        Instant::now()
    }

    /// Stops PostgreSQL as in a crash: without a checkpoint, and all connections are cut off.
    pub fn stop_immediately(&self) {
        run(self.command("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]));
    }

    /// `kill -9` of all of its processes.
    pub fn kill(&self) {
        let processes = self.processes_stopped();
        signal("KILL", &processes);
    }

    /// Stops all processes of the cluster until the returned value is dropped. Connections stay open, and the kernel
    /// accepts new ones.
    pub fn freeze(&self) -> Frozen {
        Frozen { processes: self.processes_stopped() }
    }

    fn processes_stopped(&self) -> Vec<String> {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let postmaster = pid.lines().next().expect("its first line").to_owned();
        // Stops the postmaster first, so that it starts no new processes.
        signal("STOP", std::slice::from_ref(&postmaster));
        until_stopped(&postmaster);
        let mut processes = children(&postmaster);
        signal("STOP", &processes);
        processes.iter().for_each(|process| until_stopped(process));
        processes.push(postmaster);
        processes
    }

    pub fn is_running(&self) -> bool {
        let mut status = self.command("pg_ctl");
        status.arg("-D").arg(self.data()).arg("status").stdout(Stdio::null());
        status.status().is_ok_and(|status| status.success())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    /// The cluster's folder, which may hold other files and is removed at the end.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command of PostgreSQL's. PostgreSQL refuses to run as root; for root this runs it as the user `postgres`.
    pub fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if self.is_root() { Command::new("runuser") } else { Command::new(&path) };
        if self.is_root() {
            command.args([OsStr::new("-u"), OsStr::new("postgres"), OsStr::new("--"), path.as_os_str()]);
        }
        command.current_dir(self.folder.path());
        if let Some(locales) = &self.locales {
            command.env("LOCPATH", locales);
        }
        command
    }

    pub fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}

pub struct Frozen {
    processes: Vec<String>,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("CONT", &self.processes);
    }
}

pub fn signal(name: &str, processes: &[String]) {
    let mut command = Command::new("sh");
    run(command.args(["-c", r#"kill -s "$0" "$@""#, name]).args(processes));
}

fn children(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let is_child = |process: &String| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The parent is the second field after the name, which may contain anything.
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(parent)
    };
    processes.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(is_child).collect()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            // Fails if the test has already stopped the cluster.
            let _ = guard.wait();
        }
    }
}

/// The folder of initdb and pg_ctl, which Debian keeps outside the PATH.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .expect("this test needs PostgreSQL's initdb and pg_ctl: sudo apt-get install postgresql")
}

pub fn run(command: &mut Command) {
    try_to_run(command).unwrap_or_else(|why| panic!("{why}"));
}

/// The same for a command that may fail: returns the reason.
fn try_to_run(command: &mut Command) -> Result<(), String> {
    // The output goes to a file, not a pipe: the server would inherit the pipe, and reading to its end would wait
    // forever.
    let output = tempfile::NamedTempFile::new().expect("a temporary file");
    let handle = || output.reopen().expect("a second handle");
    let status = command.stdout(handle()).stderr(handle()).status();
    let succeeded = status.as_ref().is_ok_and(|status| status.success());
    let said = || fs::read_to_string(output.path()).unwrap_or_default();
    if succeeded { Ok(()) } else { Err(format!("{command:?}: {status:?} {}", said())) }
}
