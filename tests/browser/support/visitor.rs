//! A visitor: what a person at a browser does and sees. Every action waits until it is possible; if it never is, the
//! error shows the text on the screen.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::chromium::Chromium;
use super::{Site, Tier};

/// How long a visitor waits for anything that should happen soon. A page that polls every five seconds needs up to
/// that long, and a busy machine several times as long.
const SEEN_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(40);

#[derive(Debug, Clone, Copy)]
pub enum Scheme {
    Light,
    Dark,
}

pub struct Visitor {
    chromium: Chromium,
    origin: String,
}

impl Visitor {
    /// Opens a browser that has never visited the site.
    pub async fn new(site: &Site) -> Self {
        let origin = site.url("");
        Self { chromium: Chromium::open(origin.clone()).await, origin }
    }

    /// Opens the concert in a browser with real tabs, of which only one is visible.
    pub async fn arrive_with_tabs(site: &Site) -> Self {
        let origin = site.url("");
        let visitor = Self { chromium: Chromium::open_with_tabs(origin.clone()).await, origin };
        visitor.visit("/").await;
        visitor
    }

    /// Allows animations, which [`Visitor::new`] turns off.
    pub async fn allow_motion(&self) {
        let features =
            json!({ "features": [{ "name": "prefers-reduced-motion", "value": "no-preference" }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
        assert!(self.ask::<bool>("matchMedia('(prefers-reduced-motion: no-preference)').matches").await);
    }

    /// Opens the concert in a new browser.
    pub async fn arrive(site: &Site) -> Self {
        let visitor = Self::new(site).await;
        visitor.visit("/").await;
        visitor
    }

    pub async fn without_javascript(site: &Site) -> Self {
        let visitor = Self::new(site).await;
        visitor.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        visitor.visit("/").await;
        visitor
    }

    pub fn driver(&self) -> &WebDriver {
        self.chromium.driver()
    }

    pub async fn visit(&self, path: &str) {
        let url = format!("{}{path}", self.origin);
        self.driver().goto(&url).await.unwrap_or_else(|e| panic!("{url} does not open: {e}"));
    }

    /// Path and query of the address bar.
    pub async fn path(&self) -> String {
        let url = self.driver().current_url().await.expect("an address");
        url.as_str().strip_prefix(&self.origin).unwrap_or(url.as_str()).to_owned()
    }

    /// Waits until an element is visible, and returns it.
    pub async fn see(&self, css: &str) -> WebElement {
        let started = Instant::now();
        loop {
            if let Ok(element) = self.driver().find(By::Css(css)).await
                && element.is_displayed().await.unwrap_or(false)
            {
                return element;
            }
            if started.elapsed() > SEEN_WITHIN {
                self.give_up(&format!("{css} was never seen")).await;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Clicks as a mouse does: at the element's position, and only if nothing covers it.
    pub async fn click(&self, css: &str) {
        let started = Instant::now();
        loop {
            let Err(error) = self.see(css).await.click().await else { return };
            if started.elapsed() > SEEN_WITHIN {
                self.give_up(&format!("{css} could not be clicked: {error}")).await;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub async fn double_click(&self, css: &str) {
        let element = self.see(css).await;
        self.driver().action_chain().double_click_element(&element).perform().await.expect("a double click");
    }

    /// Moves the mouse onto the element.
    pub async fn hover(&self, css: &str) {
        let element = self.see(css).await;
        self.driver()
            .action_chain()
            .move_to_element_center(&element)
            .perform()
            .await
            .expect("the mouse moves");
    }

    /// Moves the mouse to where nothing reacts to it.
    pub async fn move_mouse_away(&self) {
        self.driver().action_chain().move_to(1, 1).perform().await.expect("the mouse moves");
    }

    /// Replaces the text in a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.expect("the field can be emptied");
        field.send_keys(text).await.expect("the field can be typed into");
    }

    /// Presses keys; the element with the focus gets them.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        self.driver().action_chain().send_keys(keys).perform().await.expect("keys can be pressed");
    }

    /// Presses Shift+Tab.
    pub async fn tab_back(&self) {
        let keys = self.driver().action_chain().key_down(Key::Shift).send_keys(Key::Tab).key_up(Key::Shift);
        keys.perform().await.expect("keys can be pressed");
    }

    /// The visible text of an element, with line breaks as spaces.
    pub async fn text(&self, css: &str) -> String {
        let started = Instant::now();
        loop {
            match self.see(css).await.text().await {
                Ok(text) => return text.split_whitespace().collect::<Vec<_>>().join(" "),
                // Meanwhile the next page has replaced this one.
                Err(_) if started.elapsed() < SEEN_WITHIN => {}
                Err(error) => self.give_up(&format!("{css} could not be read: {error}")).await,
            }
        }
    }

    pub async fn is_seen(&self, css: &str) -> bool {
        match self.driver().find(By::Css(css)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// The value of a JavaScript expression.
    pub async fn ask<T: DeserializeOwned>(&self, expression: &str) -> T {
        self.run(&format!("return ({expression});")).await
    }

    /// Runs JavaScript and returns its result.
    pub async fn run<T: DeserializeOwned>(&self, script: &str) -> T {
        let answer = self.driver().execute(script, Vec::new()).await;
        let answer = answer.unwrap_or_else(|e| panic!("{script}\n{e}"));
        answer.convert().unwrap_or_else(|e| panic!("{script}\n{:?}: {e}", answer.json()))
    }

    /// Waits until a JavaScript condition holds.
    pub async fn until(&self, condition: &str) {
        self.until_within(SEEN_WITHIN, condition).await;
    }

    pub async fn until_within(&self, wait: Duration, condition: &str) {
        let started = Instant::now();
        // While the next page loads, the condition may fail to evaluate.
        while !self.holds(condition).await {
            if started.elapsed() > wait {
                self.give_up(&format!("after {wait:?} it was still not so: {condition}")).await;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn holds(&self, condition: &str) -> bool {
        let script = format!("return Boolean({condition});");
        let answer = self.driver().execute(script, Vec::new()).await;
        answer.is_ok_and(|answer| answer.json() == &Value::Bool(true))
    }

    /// Waits until the ticket type's card shows this number of tickets left.
    pub async fn until_left(&self, tier: &Tier, available: i32, wait: Duration) {
        let card = format!("document.getElementById('tier-{}')", tier.id);
        self.until_within(wait, &format!("/(^|\\s){available} of [\\d,]+ left/.test({card}?.innerText)"))
            .await;
    }

    pub async fn cdp(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver().cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    pub async fn set_offline(&self, is_offline: bool) {
        self.cdp("Network.enable", json!({})).await;
        let network =
            json!({ "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.cdp("Network.emulateNetworkConditions", network).await;
    }

    pub async fn prefer(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Sets the size of the window, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// The console's messages since the last call: warnings, errors, violations of the site's policy.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver().browser_log().await.expect("the browser's log");
        let serious = log.into_iter().filter(|entry| entry.level == "SEVERE" || entry.level == "WARNING");
        serious.map(|entry| entry.message).collect()
    }

    /// Fails the test with the reason and the text on the screen.
    async fn give_up(&self, reason: &str) -> ! {
        let path = self.path().await;
        let body = self.driver().find(By::Css("body")).await;
        let text = match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(e) => e.to_string(),
        };
        panic!("{reason}\nat {path}, where one reads:\n{text}");
    }
}
