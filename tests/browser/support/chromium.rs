//! Chromium and the driver that steers it, started for one visitor and ended with them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

const INSTALL: &str =
    "the browser journeys need Chromium and its driver: `apt-get install chromium chromium-driver`";

const START_ATTEMPTS: u32 = 5;

const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Nothing but the page under test may use the network or the disk, and nothing may ask questions.
const ARGUMENTS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    // A camera of moving colors, which the site's own policy still has to allow.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--window-size=1280,900",
];

pub struct Chromium {
    pub driver: WebDriver,
    // Dropped after the driver, which ends its session while chromedriver still listens.
    _chromedriver: Chromedriver,
    _profile: TempDir,
}

impl Chromium {
    pub async fn start() -> Self {
        let (chromedriver, port) = Chromedriver::start();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut options = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            options.add_arg(argument).expect("an argument");
        }
        options.add_arg(&format!("--user-data-dir={}", profile.path().display())).expect("an argument");
        options.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a log level");
        // The session is ended while its test's runtime stands still: a connection kept in that runtime
        // would never answer.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(COMMAND_TIMEOUT).build();
        let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), options)
            .client(client.expect("an HTTP client"))
            .connect()
            .await
            .unwrap_or_else(|e| panic!("Chromium does not start ({e}); {INSTALL}"));
        Self { driver, _chromedriver: chromedriver, _profile: profile }
    }
}

struct Chromedriver(Child);

impl Chromedriver {
    /// Starts chromedriver on a port that it looks for itself. Somebody may take that port before chromedriver does:
    /// then it ends, and is started again.
    fn start() -> (Self, u16) {
        let mut last_words = String::new();
        for _ in 0..START_ATTEMPTS {
            match Self::start_once() {
                Ok(started) => return started,
                Err(said) => last_words = said,
            }
        }
        panic!(
            "chromedriver ended {START_ATTEMPTS} times without saying its port; {INSTALL}. It said: {last_words}"
        );
    }

    /// The process and its port, or what it said before it ended.
    fn start_once() -> Result<(Self, u16), String> {
        let process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver does not start ({e}); {INSTALL}"));
        let mut chromedriver = Self(process);
        let stdout = chromedriver.0.stdout.take().expect("stdout is piped");
        let mut said = String::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("successfully on port ")
                && let Ok(port) = port.trim_end_matches('.').parse()
            {
                return Ok((chromedriver, port));
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(said)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
