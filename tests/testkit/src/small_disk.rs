//! A disk that is soon full: a small file system in memory where mounting is allowed, and otherwise a limit on the
//! length of files, which causes the same errors with another number (EFBIG instead of ENOSPC).

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub struct SmallDisk {
    folder: TempDir,
    kib: u32,
    is_mounted: bool,
}

impl SmallDisk {
    pub fn of_kib(kib: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = as_root("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            println!("nothing may be mounted here: the length of files is limited instead");
        }
        Self { folder, kib, is_mounted }
    }

    /// The same, but always mounted: for a program that writes no long files, so that a limit on their length would
    /// have no effect.
    pub fn mounted_of_kib(kib: u32) -> Self {
        let disk = Self::of_kib(kib);
        assert!(
            disk.is_mounted,
            "this test mounts a small disk: it must be run by root, or by who may use sudo"
        );
        disk
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command that starts a program with the limit. The caller appends the program and its arguments.
    pub fn starter(&self) -> Command {
        let mut shell = Command::new("sh");
        // The limit is in blocks of 512 bytes. Without the `trap`, the signal would end the process before any call
        // could fail.
        let limit = format!("trap '' XFSZ; ulimit -Sf {}; ", self.kib * 2);
        let limit = if self.is_mounted { "" } else { &limit };
        shell.args(["-c", &format!("{limit}exec \"$0\" \"$@\"")]);
        shell
    }

    /// Fills the rest of the disk.
    pub fn fill(&self) {
        if self.is_mounted {
            let mut rest = File::create(self.path().join("rest")).expect("a file");
            let _ = std::io::copy(&mut std::io::repeat(0), &mut rest);
        }
    }

    /// Frees space again, also for a running process.
    pub fn make_room(&self, process: u32) {
        if self.is_mounted {
            let larger = format!("remount,size={}k", self.kib * 16);
            assert!(
                as_root("mount")
                    .args(["-o", &larger])
                    .arg(self.path())
                    .status()
                    .expect("mount runs")
                    .success()
            );
            let _ = fs::remove_file(self.path().join("rest"));
        } else {
            let process = format!("--pid={process}");
            let limit = Command::new("prlimit").args([&process, "--fsize=unlimited"]).status();
            assert!(limit.expect("prlimit runs").success());
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = as_root("umount").arg("--lazy").arg(self.path()).status();
        }
    }
}

fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", program]);
    sudo
}
