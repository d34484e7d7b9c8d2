//! When browsers poll: at the pace that the server sets, never in step, and not while the tab is hidden.

use std::time::Duration;

use serde_json::Value;

use crate::support::{EMAIL, NAME, Site, Tier, Visitor};

/// The fastest pace, so that many polls fit into a test, and a clearly slower one.
const PACES: [(&str, &str); 2] = [("POLL_SECONDS", "2"), ("POLL_SECONDS_BUSY", "6")];
/// An eighth of this queue is one order, so two waiting orders mean that the server is under stress.
const SMALL_QUEUE: (&str, &str) = ("DESK_QUEUE_LENGTH", "8");
/// Orders may wait for as long as the test needs.
const LONG_DEADLINE: [(&str, &str); 2] = [("DESK_DEADLINE_MS", "60000"), ("REQUEST_TIMEOUT_SECONDS", "90")];

/// The time of each poll, in milliseconds since the page was opened.
const POLLS: &str = "performance.getEntriesByType('resource')
    .filter((it) => it.name.endsWith('/availability')).map((it) => it.startTime)";

const NOTE_VISIBILITY: &str = "
    window.seen = [];
    const note = () => window.seen.push([document.visibilityState, performance.now()]);
    document.addEventListener('visibilitychange', note, true);";

/// Seen to fail without the check of `document.hidden`: the hidden tab still polled. Seen to fail without `poll` when
/// the tab is shown again: the counts stayed old for the whole interval.
#[tokio::test]
async fn a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_shown_again() {
    let site = site_with(&[PACES[0], ("POLL_SECONDS_BUSY", "2")]);
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive_with_tabs(&site).await;
    let _: () = visitor.run(NOTE_VISIBILITY).await;
    wait_for_polls(&visitor, 1).await;

    let page = visitor.driver().window().await.expect("a tab");
    let other = visitor.driver().new_tab().await.expect("another tab");
    visitor.driver().switch_to_window(other).await.expect("it can be looked at");
    site.set_available(&vip, 42);
    tokio::time::sleep(Duration::from_secs(7)).await;
    visitor.driver().switch_to_window(page).await.expect("the way back");
    visitor.until_left(&vip, 42, Duration::from_secs(60)).await;

    let seen: Vec<(String, f64)> = visitor.ask("window.seen").await;
    let [(hidden, left), (visible, back)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((hidden.as_str(), visible.as_str()), ("hidden", "visible"));
    assert!(back - left > 6000.0, "{seen:?}");
    let polls: Vec<f64> = visitor.ask(POLLS).await;
    assert!(!polls.iter().any(|at| *at > *left && *at < *back), "hidden at {seen:?}, polls at {polls:?}");
    let first = polls.iter().find(|at| **at >= *back).expect("a poll");
    assert!(first - back < 1000.0, "shown at {back}, asked at {first}");
    wait_for_polls(&visitor, 2).await;
}

#[tokio::test]
async fn a_page_that_is_opened_behind_others_waits_until_it_is_looked_at() {
    let site = site_with(&[("POLL_SECONDS", "1"), ("POLL_SECONDS_BUSY", "1")]);
    let visitor = Visitor::arrive_with_tabs(&site).await;
    let front = visitor.driver().window().await.expect("a tab");
    let _: () = visitor.run("window.open('/', '_blank'); window.focus();").await;
    let tabs = visitor.driver().windows().await.expect("tabs");
    let behind = tabs.into_iter().find(|tab| *tab != front).expect("a second tab");
    visitor.driver().switch_to_window(behind.clone()).await.expect("the new tab");
    let _: () = visitor.run(NOTE_VISIBILITY).await;
    visitor.driver().switch_to_window(front).await.expect("the first tab");
    tokio::time::sleep(Duration::from_secs(3)).await;
    visitor.driver().switch_to_window(behind).await.expect("the new tab");
    let seen: Vec<(String, f64)> = visitor.ask("window.seen").await;
    let hidden: Vec<f64> = seen.iter().filter(|(state, _)| state == "hidden").map(|(_, at)| *at).collect();
    assert_eq!(hidden.len(), 1, "{seen:?}");
    wait_for_polls(&visitor, 1).await;
    let polls: Vec<f64> = visitor.ask(POLLS).await;
    let back = seen.last().expect("it is seen again").1;
    assert!(!polls.iter().any(|at| *at > hidden[0] && *at < back), "hidden at {seen:?}, polls at {polls:?}");
}

/// Seen to fail without jitter: the waits differed only by a few milliseconds.
#[tokio::test]
async fn browsers_do_not_ask_in_step() {
    let site = site_with(&[PACES[0], ("POLL_SECONDS_BUSY", "2")]);
    let visitor = Visitor::arrive(&site).await;
    wait_for_polls(&visitor, 9).await;
    let polls: Vec<f64> = visitor.ask(POLLS).await;
    let waits: Vec<f64> = polls.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (least, most) =
        (waits.iter().copied().fold(f64::MAX, f64::min), waits.iter().copied().fold(0.0, f64::max));
    // A busy machine makes waits longer, because the next one begins when a poll is answered, but never shorter.
    assert!((1800.0..=2250.0).contains(&least), "{waits:?}");
    assert!(most - least > 60.0, "in step: {waits:?}");
}

/// Orders wait at the desk, so the server is under stress, and browsers poll less often.
/// Seen to fail with a fixed interval in the page: it polled as often as before.
#[tokio::test]
async fn a_server_under_stress_is_asked_less_often_until_it_is_well_again() {
    let site = site_with(&[PACES[0], PACES[1], SMALL_QUEUE, LONG_DEADLINE[0], LONG_DEADLINE[1]]);
    let tier = site.tier("General Admission");
    let visitor = Visitor::arrive(&site).await;
    visitor.until_within(Duration::from_secs(60), "!document.querySelector('[data-poll-slow]')").await;
    assert_eq!(visitor.text(".connection__live").await, "Live availability");
    visitor.fill(&tier.quantity(), "3").await;
    let places: Value = visitor.ask(PLACES).await;

    let disk = site.slow_disk();
    let orders = send_orders(&site, &tier).await;
    visitor
        .until_within(Duration::from_secs(60), "document.querySelector('[data-poll-seconds=\"6\"]')")
        .await;
    assert_eq!(visitor.text(".connection__live").await, "Every 6 seconds");
    assert_eq!(visitor.ask::<Value>(PLACES).await, places, "something jumped");
    wait_for_polls(&visitor, 2).await;
    let polls: Vec<f64> = visitor.ask(POLLS).await;
    let wait = polls[polls.len() - 1] - polls[polls.len() - 2];
    assert!(wait >= 5400.0, "{polls:?}");

    disk.end();
    for order in orders {
        assert_eq!(order.await.expect("an answer"), 303);
    }
    visitor
        .until_within(Duration::from_secs(60), "document.querySelector('[data-poll-seconds=\"2\"]')")
        .await;
    assert_eq!(visitor.text(".connection__live").await, "Live availability");
    let focused: String = visitor.ask("document.activeElement.id").await;
    assert_eq!(format!("#{focused}"), tier.quantity(), "who is choosing is left in peace");
    // A busy machine slows the polls as well, so the test waits for two that are close together.
    let polled = visitor.ask::<Vec<f64>>(POLLS).await.len();
    let soon_again = format!("{POLLS}.slice({polled}).some((at, i, all) => i > 0 && at - all[i - 1] < 4000)");
    visitor.until_within(Duration::from_secs(60), &soon_again).await;
}

/// The page shows its own booking at once, even if the browser regards the previous poll's answer as fresh.
/// Seen to fail without `no-cache`: the previous poll's answer was shown again.
#[tokio::test]
async fn a_buyers_own_booking_is_counted_at_once() {
    let site = site_with(&[("POLL_SECONDS", "20"), ("POLL_SECONDS_BUSY", "20")]);
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    // The checkout is already filled in when a poll has just been answered.
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    wait_for_polls(&visitor, 1).await;
    visitor.click(crate::support::CONFIRM).await;
    visitor
        // Before the next poll, which comes after 18 seconds or more.
        .until_within(Duration::from_secs(15), "document.querySelector('#availability meter').value === 99")
        .await;
}

const PLACES: &str = "[...document.querySelectorAll('.connection, .sale h2, #availability :is(article, h3, form, input, button, meter)')]
    .map((it) => it.getBoundingClientRect()).map((it) => [it.x, it.y, it.width, it.height].map(Math.round))";

fn site_with(settings: &[(&'static str, &'static str)]) -> Site {
    Site::open_with(testkit::binary(), settings)
}

async fn wait_for_polls(visitor: &Visitor, polls: usize) {
    let before = visitor.ask::<Vec<f64>>(POLLS).await.len();
    let time_limit = Duration::from_secs(60) * polls as u32;
    visitor.until_within(time_limit, &format!("{POLLS}.length >= {}", before + polls)).await;
}

/// Sends orders that wait at the desk: one at its worker, and more than a quarter of its queue.
async fn send_orders(site: &Site, tier: &Tier) -> Vec<tokio::task::JoinHandle<u16>> {
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let mut orders = Vec::new();
    for _ in 0..5 {
        let checkout = site.url(&format!("/bookings/new?ticket_type={}&quantity=1", tier.id));
        let html = client.get(checkout).send().await.expect("a checkout").text().await.expect("a page");
        let key = html.split("name=\"request_key\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = [
            ("ticket_type", tier.id.to_string()),
            ("quantity", "1".to_owned()),
            ("name", NAME.to_owned()),
            ("email", EMAIL.to_owned()),
            ("request_key", key.expect("a key").to_owned()),
        ];
        let order = client.post(site.url("/bookings")).form(&form);
        orders.push(tokio::spawn(async move { order.send().await.expect("an answer").status().as_u16() }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    orders
}
