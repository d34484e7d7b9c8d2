//! Chromium and chromedriver, which controls it. Chromium serves one visitor after the other, and forgets each.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;
use tokio::runtime::Builder;

const INSTALL: &str = "the browser journeys need Chromium, its driver and its build without windows: \
                       `apt-get install chromium chromium-driver chromium-headless-shell`";

/// Chromium as visitors use it.
const WHOLE: &str = "/usr/bin/chromium";
/// The same engine without tabs and windows, which needs a third less time for each page.
const SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";

const START_ATTEMPTS: u32 = 5;

const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Only the page under test may use the network and the disk, and no dialog may appear.
const ARGUMENTS: [&str; 15] = [
    // Glyphs are exactly where the page puts them, also in print.
    "--font-render-hinting=none",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Animations take a fifth of the time, and no test sees one half-finished.
    "--force-prefers-reduced-motion",
    "--disable-quic",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    // A fake camera with moving colors; the site's own policy must still allow it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--window-size=1280,900",
];

/// Browsers that no visitor uses now. They are reused, since starting one takes longer than most journeys.
static IDLE: Mutex<Vec<Browser>> = Mutex::new(Vec::new());
const IDLE_MAX: usize = 4;

/// A browser without any history or stored data.
pub struct Chromium {
    /// `None` when it is dropped.
    browser: Option<Browser>,
    origin: String,
    serves_again: bool,
}

impl Chromium {
    /// Opens a browser for a visitor of the site at this origin.
    pub async fn open(origin: String) -> Self {
        let idle = IDLE.lock().expect("a lock").pop();
        let browser = match idle {
            Some(browser) => browser,
            None => Browser::start(SHELL, "--headless").await,
        };
        Self { browser: Some(browser), origin, serves_again: true }
    }

    /// Opens a browser with real tabs, of which only one is visible.
    pub async fn open_with_tabs(origin: String) -> Self {
        let browser = Browser::start(WHOLE, "--headless=new").await;
        Self { browser: Some(browser), origin, serves_again: false }
    }

    pub fn driver(&self) -> &WebDriver {
        &self.browser.as_ref().expect("it is open").driver
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let Some(browser) = self.browser.take() else { return };
        // A failed journey may leave the browser in a bad state.
        if !self.serves_again || thread::panicking() || IDLE.lock().is_ok_and(|idle| idle.len() >= IDLE_MAX) {
            return;
        }
        let forget = || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(browser.forget(&self.origin))
        };
        // The test's own runtime is blocked here.
        let forgotten = thread::scope(|scope| scope.spawn(forget).join());
        if forgotten.is_ok_and(|done| done.is_ok())
            && let Ok(mut idle) = IDLE.lock()
        {
            idle.push(browser);
        }
    }
}

struct Browser {
    driver: WebDriver,
    // Dropped after the driver, which ends its session while chromedriver still listens.
    _chromedriver: Chromedriver,
}

impl Browser {
    async fn start(program: &str, headless: &str) -> Self {
        let (chromedriver, port) = Chromedriver::start();
        let mut options = DesiredCapabilities::chrome();
        options.set_binary(program).expect("a path");
        for argument in ARGUMENTS.into_iter().chain([headless]) {
            options.add_arg(argument).expect("an argument");
        }
        options.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a log level");
        // Tests with different runtimes use this client one after the other. A connection that belongs to a former
        // runtime would never answer, so none is kept.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(COMMAND_TIMEOUT).build();
        let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), options)
            .client(client.expect("an HTTP client"))
            .connect()
            .await
            .unwrap_or_else(|e| panic!("Chromium does not start ({e}); {INSTALL}"));
        Self { driver, _chromedriver: chromedriver }
    }

    /// Leaves one new tab with default settings, and removes what the site has stored. Only cookies are shared by all
    /// ports of a host, so nothing else of another test's site can interfere.
    async fn forget(&self, origin: &str) -> WebDriverResult<()> {
        let tabs = self.driver.windows().await?;
        let fresh = self.driver.new_tab().await?;
        for tab in tabs {
            self.driver.switch_to_window(tab).await?;
            self.driver.close_window().await?;
        }
        self.driver.switch_to_window(fresh).await?;
        let commands = self.driver.cdp();
        let all = json!({ "origin": origin, "storageTypes": "all" });
        commands.send_raw("Storage.clearDataForOrigin", all).await?;
        commands.send_raw("Network.clearBrowserCookies", json!({})).await?;
        commands.send_raw("Network.clearBrowserCache", json!({})).await?;
        self.driver.browser_log().await.map(drop)
    }
}

/// Runs chromedriver, and ends it with its browser when its standard input is closed, by us or because the test
/// program has ended (idle browsers are never dropped). Then it removes the browser's profile.
const CHROMEDRIVER: &str = "trap : TERM
chromedriver --port=0 </dev/null &
exec >/dev/null
while read -r line; do :; done
kill -TERM 0
wait
rm -rf \"$0\"";

/// The shell that runs [`CHROMEDRIVER`].
struct Chromedriver {
    shell: Child,
    _profile: TempDir,
}

impl Chromedriver {
    /// Starts chromedriver on a port that it chooses itself. If another program takes that port first, chromedriver
    /// ends, and is started again.
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

    /// The process and its port, or what it printed before it ended.
    fn start_once() -> Result<(Self, u16), String> {
        // Chromedriver keeps the profile here; the build without windows does not start with any other. Each attempt
        // has its own, because the shell of a failed attempt removes it.
        let profile = tempfile::tempdir().expect("a temporary folder");
        let shell = Command::new("sh")
            .args(["-c", CHROMEDRIVER])
            .arg(profile.path())
            .env("TMPDIR", profile.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver does not start ({e}); {INSTALL}"));
        let mut chromedriver = Self { shell, _profile: profile };
        let stdout = chromedriver.shell.stdout.take().expect("stdout is piped");
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
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
