//! A certificate authority for one test, and the certificates that it signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use testkit::cluster::run;

pub struct Authority {
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("a folder") };
        authority
            .openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=TestCA -keyout ca.key -out ca.crt");
        authority
    }

    /// A key and a certificate for names such as "DNS:localhost", in two files.
    pub fn sign(&self, names: &str) -> [PathBuf; 2] {
        fs::write(self.path("names"), format!("subjectAltName={names}")).expect("a file");
        self.openssl("req -new -newkey rsa:2048 -nodes -subj /CN=test -keyout its.key -out its.csr");
        self.openssl(
            "x509 -req -in its.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out its.crt",
        );
        ["its.key", "its.crt"].map(|name| self.path(name))
    }

    /// Creates a host's certificate folder as operators have it: `ca.crt`, `host.crt` and `host.key`, owned by
    /// PostgreSQL's user.
    pub fn furnish(&self, folder: &Path, like: &Path) {
        let [key, certificate] = self.sign("DNS:localhost,IP:127.0.0.1");
        fs::create_dir(folder).expect("a folder");
        for (from, name) in [(self.path("ca.crt"), "ca.crt"), (certificate, "host.crt"), (key, "host.key")] {
            fs::copy(from, folder.join(name)).expect("a copy");
        }
        run(Command::new("chmod").arg("600").arg(folder.join("host.key")));
        run(Command::new("chown").arg("-R").arg("--reference").arg(like).arg(folder));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        run(Command::new("openssl").args(arguments.split(' ')).current_dir(self.folder.path()));
    }
}
