//! Takes the pictures of the README and of the organizer's guide. It is no test: only `scripts/screenshots` runs it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::open_site;
use crate::support::{CONFIRM, EMAIL, NAME, Visitor};

const FOLDER: &str = "docs/images";

/// How many tickets of each tier are left, so that the bars and the badge have something to show.
const LEFT: [(&str, i32); 3] = [("VIP", 34), ("Front Row", 117), ("General Admission", 862)];

const PHONE: (u32, u32) = (390, 844);

/// Waits until the fonts are loaded and all short animations have ended.
const WHEN_CALM: &str = "return document.fonts.ready.then(() => Promise.allSettled(document.getAnimations()
    .filter((it) => it.playState === 'running' && it.effect.getComputedTiming().endTime < 2000)
    .map((it) => it.finished))).then(() => true)";

#[tokio::test]
#[ignore = "scripts/screenshots runs it"]
async fn take_all() {
    let site = open_site();
    for (name, left) in LEFT {
        site.set_available(&site.tier(name), left);
    }
    let visitor = Visitor::arrive(&site).await;
    take_landing(&visitor, 1280).await;
    take_landing(&visitor, 390).await;

    visitor.resize(PHONE.0, PHONE.1).await;
    let front_row = site.tier("Front Row");
    visitor.fill(&front_row.quantity(), "2").await;
    visitor.open_checkout(&front_row).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.move_mouse_away().await;
    take(&visitor, "checkout-390").await;
    visitor.click(CONFIRM).await;
    while !visitor.path().await.starts_with("/bookings/") {
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    take(&visitor, "confirmation-390").await;

    let demo = Demo::start();
    take_organizers(&visitor, &demo).await;
}

/// Takes the organizer's pages of a demo, because a demo has something to show on each of them.
async fn take_organizers(visitor: &Visitor, demo: &Demo) {
    visitor.resize(1280, 900).await;
    demo.visit(visitor, "/admin/sign-in").await;
    visitor.fill("#username", "admin").await;
    visitor.fill("#password", &demo.password).await;
    visitor.click("#main button[type=submit]").await;
    visitor.see("#sales").await;
    for (name, path, height) in [
        ("sales", "/admin", 900),
        ("concert", "/admin/events/midnight-parade", 1400),
        ("bookings", "/admin/bookings", 900),
        ("ticket-type", "/admin/events/midnight-parade/ticket-types/new", 1000),
        ("setup", "/admin/setup", 1100),
    ] {
        visitor.resize(1280, height).await;
        demo.visit(visitor, path).await;
        take(visitor, &format!("organizer-{name}")).await;
    }
    visitor.resize(PHONE.0, PHONE.1).await;
    demo.visit(visitor, "/admin/check-in").await;
    take(visitor, "organizer-check-in").await;
}

/// `techkraft demo` on a free port.
struct Demo {
    process: Child,
    origin: String,
    password: String,
}

impl Demo {
    fn start() -> Self {
        let mut command = Command::new(testkit::binary());
        command.arg("demo").env("BIND", "127.0.0.1:0").env("RUST_LOG", "off").stdout(Stdio::piped());
        let mut process = command.spawn().expect("the demo starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut after = |label: &str| loop {
            let line = lines.next().expect("more lines").expect("text");
            if let Some(rest) = line.strip_prefix(label) {
                break rest.trim().to_owned();
            }
        };
        Self { origin: after("TechKraft Tickets"), password: after("Password"), process }
    }

    /// Opens a page, and removes the banner that only a demo's pages have.
    async fn visit(&self, visitor: &Visitor, path: &str) {
        visitor.driver().goto(format!("{}{path}", self.origin)).await.expect("the page opens");
        let _: bool = visitor.run("document.querySelector('.demo-banner')?.remove(); return true").await;
    }
}

impl Drop for Demo {
    /// The process is asked to stop, not killed, so that it deletes its folder.
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if asked.is_ok_and(|status| status.success()) {
            drop(self.process.wait());
        }
    }
}

/// The whole page, not only what the window shows of it.
async fn take_landing(visitor: &Visitor, width: u32) {
    visitor.resize(width, 900).await;
    visitor.visit("/").await;
    let height: u32 = visitor.ask("document.documentElement.scrollHeight").await;
    visitor.resize(width, height).await;
    take(visitor, &format!("landing-{width}")).await;
}

async fn take(visitor: &Visitor, name: &str) {
    let _: bool = visitor.run(WHEN_CALM).await;
    // Let the browser draw another frame after the last animation.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let path = Path::new(FOLDER).join(format!("{name}.png"));
    visitor.driver().screenshot(&path).await.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    println!("{}", path.display());
}
