//! The server under load: the release binary, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::bench::Result;
use crate::server::set_as;

/// The server and the load generator sign with this secret: each booking needs a form key of its own.
pub const SECRET_KEY: &str = "a secret that only this benchmark uses, for itself";

/// A command of the binary on a database. A `DESK_…` setting of the caller's environment reaches it, so that other
/// values can be tried.
pub fn techkraft(url: &str, folder: &Path) -> Command {
    program(crate::binary(), url, folder)
}

/// The same command, with another program.
fn program(program: &Path, url: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("DATABASE_URL", url)
        .env("BIND", "127.0.0.1:0")
        .env("SECRET_KEY", SECRET_KEY)
        .env("RUST_LOG", "error")
        // All buyers have the same address, and are quicker than people.
        .env("RATE_LIMITS", "off")
        .env_remove("PUBLIC_URL")
        .env_remove("REDIS_URL")
        .env_remove("DATABASE_READ_URLS")
        .env_remove("SMTP_URL")
        .env_remove("MAIL_DIR");
    command
}

/// A running server; stopped when dropped.
pub struct BenchServer {
    pub address: SocketAddr,
    child: Child,
    /// Kept open, because the server would fail when it prints its next line otherwise.
    _output: BufReader<ChildStdout>,
}

impl BenchServer {
    pub fn start(url: &str, folder: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::run(techkraft(url, folder).envs(settings.iter().copied()), url)
    }

    /// The same with a limit of file descriptors, and so of connections.
    pub fn start_small(
        url: &str,
        folder: &Path,
        settings: &[(&str, &str)],
        descriptors: u32,
    ) -> Result<Self> {
        let command = techkraft(url, folder);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\"")]).arg(command.get_program());
        shell.current_dir(folder);
        set_as(&mut shell, &command);
        Self::run(shell.envs(settings.iter().copied()), url)
    }

    /// Starts the benchmark's own program as a server, with this argument.
    pub fn start_own(url: &str, folder: &Path, argument: &str) -> Result<Self> {
        Self::run(program(&std::env::current_exe()?, url, folder).arg(argument), url)
    }

    fn run(command: &mut Command, url: &str) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.trim_end().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        // Created before the check, so that a server that prints something else is stopped, too.
        let server = Self { address: address.unwrap_or(([127, 0, 0, 1], 0).into()), child, _output: output };
        if server.address.port() == 0 {
            return Err(format!("the server on {url} does not say where it listens: {line:?}").into());
        }
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        // Fails if the server has ended already, which is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
