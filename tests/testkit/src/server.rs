//! The real binary as a child process, which keeps its port when it is restarted.

use std::fs::File;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt as _;

use crate::database::TestDatabase;
use crate::process;
use crate::visitor::Visitor;

/// The secret of every server in these tests, so that tests can create valid forms.
pub const SECRET: &str = "a secret that the servers of these tests share";

pub struct Server {
    pub address: SocketAddr,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
    /// The lines that it has printed: the address, and, at the first start, the organizer's password.
    printed: Arc<Mutex<Vec<String>>>,
    admin_password: OnceLock<String>,
}

impl Server {
    pub fn start(database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let mut server = Self::prepared(database, settings);
        server.start_again();
        server.wait_until_it_listens();
        server
    }

    /// A server that is not started yet.
    pub fn prepared(database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        Self::of_release(crate::binary(), database, settings)
    }

    /// A server of another release's binary, not started yet.
    pub fn of_release(binary: &Path, database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = release(binary, database);
        command.env("BIND", address.to_string()).envs(settings.iter().copied());
        let log = database.folder.path().join(format!("server-{}.log", address.port()));
        command.stdout(Stdio::piped()).stderr(open(&log)).stdin(Stdio::null());
        Self { address, command, log, child: None, printed: Arc::default(), admin_password: OnceLock::new() }
    }

    /// Makes the server listen at this address instead of on a port of its own.
    pub fn listen_on(&mut self, address: SocketAddr) {
        self.address = address;
        self.command.env("BIND", address.to_string());
    }

    /// Limits the server's file descriptors, from its next start on.
    pub fn limit_descriptors(&mut self, most: u32) {
        self.start_through(Command::new("sh").args(["-c", &format!("ulimit -n {most}; exec \"$0\"")]));
    }

    /// Passes a listening socket to the server, as systemd does, but without `LISTEN_PID`, which is not known before
    /// the process exists.
    pub fn hand_over(&mut self, socket: &TcpListener) {
        let script = "exec 3<&0 </dev/null; exec \"$0\"";
        self.start_through(Command::new("sh").args(["-c", script]).env("LISTEN_FDS", "1"));
        self.command.stdin(OwnedFd::from(socket.try_clone().expect("a second handle")));
    }

    /// Makes another program start the server. That program gets the server's path as its last argument.
    pub fn start_through(&mut self, starter: &mut Command) {
        let mut command = Command::new(starter.get_program());
        command.args(starter.get_args()).arg(self.command.get_program());
        set_as(&mut command, &self.command);
        set_as(&mut command, starter);
        let folder = self.command.get_current_dir().expect("it was set");
        command.current_dir(folder).stdout(Stdio::piped()).stdin(Stdio::null());
        command.stderr(open(&self.log));
        self.command = command;
    }

    /// Starts the process and waits until it ends by itself.
    pub fn start_and_end(&mut self) -> ExitStatus {
        self.command.spawn().and_then(|mut child| child.wait()).expect("the binary runs")
    }

    /// Starts the process, without waiting until it listens.
    pub fn start_again(&mut self) {
        let mut child = self.command.spawn().expect("the binary runs");
        let printed = Arc::new(Mutex::new(Vec::new()));
        self.printed = Arc::clone(&printed);
        let output = child.stdout.take().expect("a pipe");
        thread::spawn(move || keep_lines(output, &printed));
        self.child = Some(child);
    }

    pub fn wait_until_it_listens(&mut self) {
        self.printed_line("Admin");
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    /// Waits until the server has ended after a signal.
    pub fn wait_until_it_ends(&mut self) -> ExitStatus {
        let begun = Instant::now();
        while self.is_still_there() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not stop: {}", self.logged());
            thread::sleep(Duration::from_millis(5));
        }
        self.child.take().expect("it was started").wait().expect("it has ended")
    }

    /// Stops the server as systemd does; it must exit successfully.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        let ended = self.wait_until_it_ends();
        assert!(ended.success(), "{ended}: {}", self.logged());
    }

    /// Whether the process is still running.
    pub fn is_still_there(&mut self) -> bool {
        self.child.as_mut().expect("it was started").try_wait().expect("a child").is_none()
    }

    /// Sends the server a signal, such as "-STOP".
    pub fn signal(&self, name: &str) {
        process::signal(&self.id().to_string(), name);
    }

    /// The process id. It is also that of a starter program that became the server with `exec`.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// How many orders wait at the desk, without those that its worker has taken.
    pub fn desk_queue(&self) -> usize {
        let metrics = Visitor::new(self.address).get("/metrics").expect("an answer").body;
        let value = metrics.lines().find_map(|line| line.strip_prefix("techkraft_desk_queue_orders "));
        let whole = value.and_then(|value| value.split('.').next()).expect("the queue is exported");
        whole.parse().expect("a number")
    }

    /// Whether the server was started, and not killed since.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// The organizer's password, if this server created the account. The printed first password gives no access, so
    /// this sets another one, as operators do.
    pub fn admin_password(&self) -> Option<String> {
        let line = {
            let printed = self.printed.lock().expect("a lock");
            printed.iter().find(|line| line.starts_with("Password"))?.clone()
        };
        match line.split_whitespace().nth(1) {
            Some("in") => Some(self.admin_password.get_or_init(|| self.set_admin_password()).clone()),
            // An older release printed a permanent password.
            shown => shown.map(str::to_owned),
        }
    }

    fn set_admin_password(&self) -> String {
        let mut command = Command::new(crate::binary());
        set_as(&mut command, &self.command);
        command.current_dir(self.command.get_current_dir().expect("it was set"));
        set_admin_password(&mut command)
    }

    /// Everything that the server has logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn printed_line(&mut self, start: &str) -> String {
        let begun = Instant::now();
        loop {
            let printed = self.printed.lock().expect("a lock").clone();
            if let Some(line) = printed.iter().find(|line| line.starts_with(start)) {
                return line.clone();
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("a child"));
            assert!(ended.is_none(), "{ended:?} after {printed:?}: {}", self.logged());
            assert!(begun.elapsed() < Duration::from_secs(60), "no {start:?} in {printed:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A command of the binary, with only the tests' basic settings, such as the database and the secret.
pub fn techkraft(database: &TestDatabase) -> Command {
    release(crate::binary(), database)
}

/// The same for another release's binary.
pub fn release(binary: &Path, database: &TestDatabase) -> Command {
    let mut command = Command::new(binary);
    for setting in [
        "PUBLIC_URL",
        "ALLOW_RESEED",
        "DATABASE_POOL_SIZE",
        "DATABASE_READ_URLS",
        "REDIS_URL",
        "TRUSTED_PROXIES",
        "SMTP_URL",
        "MAIL_FROM",
        "MAIL_DIR",
    ] {
        command.env_remove(setting);
    }
    command
        .env("DATABASE_URL", &database.url)
        .env("SECRET_KEY", SECRET)
        .env("RUST_LOG", "warn")
        // All visitors of these tests have the same address, and are quicker than people.
        .env("RATE_LIMITS", "off")
        .current_dir(database.folder.path());
    command
}

/// Runs `set-admin-password` with the binary and the settings of a command, and returns the password.
pub fn set_admin_password(techkraft: &mut Command) -> String {
    const PASSWORD: &str = "kettles-violet-4711-ladders-under";
    let command = techkraft.arg("set-admin-password").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the binary runs");
    writeln!(child.stdin.take().expect("a pipe"), "{PASSWORD}").expect("it reads");
    assert!(child.wait().expect("it ends").success(), "the password was not set");
    PASSWORD.to_owned()
}

/// Gives a command the settings of another one.
pub fn set_as(command: &mut Command, model: &Command) {
    for (name, value) in model.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// `techkraft verify` must find nothing wrong.
pub fn assert_verified(database: &TestDatabase) {
    assert_verified_by(techkraft(database));
}

/// The same with another binary or other settings.
pub fn assert_verified_by(mut techkraft: Command) {
    let Output { status, stdout, stderr } = techkraft.arg("verify").output().expect("it runs");
    let (table, error) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{table}{error}");
    println!("{table}");
}

/// The errors that the servers of a database have logged.
pub fn logged_errors(database: &TestDatabase) -> Vec<String> {
    let folder = std::fs::read_dir(database.folder.path()).expect("a folder");
    let logs =
        folder.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("log".as_ref()));
    let text: String = logs.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    text.lines()
        .filter(|line| line.contains("ERROR") || line.contains("panicked"))
        .map(str::to_owned)
        .collect()
}

/// Keeps the lines that a server prints. What it prints at once is kept at once, so a test that has seen the first line
/// sees the others, too.
fn keep_lines(mut output: impl Read, lines: &Mutex<Vec<String>>) {
    let mut chunk = [0; 4096];
    let mut rest = Vec::<u8>::new();
    while let Ok(length @ 1..) = output.read(&mut chunk) {
        rest.extend_from_slice(&chunk[..length]);
        // The end of the last line may come with the next chunk.
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = rest.drain(..end).collect();
        let text = String::from_utf8_lossy(&whole);
        lines.lock().expect("a lock").extend(text.lines().map(str::to_owned));
    }
}

fn open(log: &Path) -> File {
    File::options().create(true).append(true).open(log).expect("a log")
}

/// A port that belongs to this process until it ends. A lock on a file with the port's number prevents other tests,
/// also in other processes, from taking the port before a program listens on it.
///
/// The port is below the range from which the kernel takes ports for clients. Within that range, a client of a server
/// that is down might take the server's port, or even connect to itself.
pub fn free_port() -> u16 {
    static KEPT: Mutex<Vec<File>> = Mutex::new(Vec::new());
    // One folder for each user, because no user can lock another one's files; and not in `TMPDIR`, which another run of
    // the tests may have set to another folder.
    let user = rustix::process::geteuid().as_raw();
    let folder = PathBuf::from(format!("/tmp/techkraft-test-ports-{user}"));
    std::fs::create_dir_all(&folder).expect("a folder for the locks");
    loop {
        let port = rand::rng().random_range(10_000..30_000_u16);
        let lock = File::create(folder.join(port.to_string())).expect("a file to lock");
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            KEPT.lock().expect("a lock").push(lock);
            return port;
        }
    }
}
