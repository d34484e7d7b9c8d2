//! A program that runs beside a test, and does not outlive it.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Program {
    child: Child,
}

impl Program {
    /// Starts a program, as PostgreSQL's user if `as_postgres`. The kernel kills it when the thread that started it
    /// ends, even if that thread is killed.
    pub fn start(name: &str, as_postgres: bool, log: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new("setpriv");
        if as_postgres {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        }
        command.args(["--pdeathsig", "KILL", name]);
        prepare(&mut command);
        let log = File::options().create(true).append(true).open(log).expect("a log");
        let errors = log.try_clone().expect("a second handle");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("setpriv runs");
        Self { child }
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        // Fails if the program has already ended by itself.
        let _ = self.child.kill();
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
