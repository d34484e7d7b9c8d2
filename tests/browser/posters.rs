//! The layout of concerts: on the first screen, with long names, in forced colors, and while they sell.

use serde_json::{Value, json};

use crate::open_site;
use crate::support::{Scheme, Site, Visitor};

/// Screen sizes of laptops, in CSS pixels.
const LAPTOPS: [(u32, u32); 4] = [(1280, 720), (1366, 768), (1440, 900), (1536, 864)];
const ODD: [&str; 7] = ["twelve", "tokyo", "sao-paulo", "colombo", "gone", "paused", "canceled"];

async fn open_odd(site: &Site) -> Visitor {
    site.add_odd_concerts();
    let visitor = Visitor::arrive(site).await;
    // The server reads the list of concerts once a second: it has all of the new ones, or none yet.
    visitor.until("document.querySelector('.concert') || (location.reload(), false)").await;
    visitor
}

#[tokio::test]
async fn every_book_button_is_on_the_first_screen_of_a_laptop() {
    let site = open_site();
    let visitor = open_odd(&site).await;
    for (width, height) in LAPTOPS {
        visitor.resize(width, height).await;
        for path in ["midnight-parade", "tokyo", "sao-paulo"] {
            visitor.visit(&format!("/events/{path}")).await;
            let bottom: f64 = visitor
                .run(
                    "const buttons = [...document.querySelectorAll('.button--checkout')];
                     return Math.max(...buttons.map((it) => it.getBoundingClientRect().bottom));",
                )
                .await;
            assert!(bottom < f64::from(height), "{path}: {bottom} of {height} px at {width} px");
        }
    }
}

#[tokio::test]
async fn no_word_of_a_poster_is_broken_and_no_card_touches_another() {
    let site = open_site();
    let visitor = open_odd(&site).await;
    let mut wrong: Vec<String> = Vec::new();
    for width in [320, 390, 768, 1280, 2560] {
        visitor.resize(width, 800).await;
        for slug in ODD {
            visitor.visit(&format!("/events/{slug}")).await;
            let found: Vec<String> = visitor
                .run(
                    "const wrong = [];
                     const cards = [...document.querySelectorAll('.tier')].map((it) => it.getBoundingClientRect());
                     cards.forEach((a, i) => cards.slice(i + 1).forEach((b) => {
                       const apart = Math.max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom);
                       if (apart < 12) wrong.push(`two cards are ${apart} px apart`);
                     }));
                     const aside = cards[0] ? Math.abs(cards[0].left + cards[0].right - innerWidth) : 0;
                     if (cards.length === 1 && aside > 2) wrong.push('not in the middle');
                     const title = document.querySelector('h1').firstChild;
                     for (const { 0: word, index } of title.data.matchAll(/(?<!\\S)\\S{1,14}(?!\\S)/g)) {
                       const range = document.createRange();
                       range.setStart(title, index);
                       range.setEnd(title, index + word.length);
                       const lines = new Set([...range.getClientRects()].map((it) => Math.round(it.top)));
                       if (lines.size > 1) wrong.push(`${word} is broken`);
                     }
                     const { fontSize, lineHeight } = getComputedStyle(title.parentElement);
                     if (parseFloat(lineHeight) < 0.9 * parseFloat(fontSize)) wrong.push('lines melt together');
                     if (document.documentElement.scrollWidth > innerWidth) wrong.push('too wide');
                     return wrong;",
                )
                .await;
            wrong.extend(found.into_iter().map(|it| format!("{slug} at {width} px: {it}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same spelling on the page, on the button, in the checkout, and in the total that a script writes.
#[tokio::test]
async fn money_and_times_have_one_spelling_everywhere() {
    let site = open_site();
    let visitor = open_odd(&site).await;
    for (slug, price, double, time) in [
        ("tokyo", "¥12,000", "¥24,000", "10:00 PM JST"),
        ("colombo", "LKR 2,500.00", "LKR 5,000.00", "6:30 PM Colombo time"),
        ("twelve", "KWD 1,234.500", "KWD 2,469.000", "4:00 PM Kuwait time"),
    ] {
        visitor.visit(&format!("/events/{slug}")).await;
        assert!(visitor.text(".hero").await.contains(time), "{}", visitor.text(".hero").await);
        assert_eq!(visitor.text(".tier__price strong").await, price);
        let button = visitor.text(".button--checkout").await;
        assert!(button.starts_with("Book") && button.ends_with(&format!("· {price}")), "{button}");
        visitor.click(".tier [data-step='1']").await;
        let button = visitor.text(".button--checkout").await;
        assert!(button.ends_with(&format!("· {double}")), "as the script writes it: {button}");
        visitor.click(".button--checkout").await;
        assert!(visitor.text(".summary").await.contains(&format!("{price} per ticket")));
        assert_eq!(visitor.text(".summary__total output").await, double);
    }
    visitor.visit("/events/sao-paulo").await;
    assert_eq!(visitor.text(".tier__price").await, "Free");
    let button = visitor.text(".button--checkout").await;
    assert!(button.starts_with("Book") && !button.contains('·'), "{button}");
    assert!(visitor.text(".stock__count").await.contains("5,000 of 5,000 left"));
    let about = visitor.text(".about").await;
    for part in [
        "10:00 AM to 1:30 PM São Paulo time",
        "Doors open at 9:00 AM",
        "18 and over",
        "1 Long Embankment Road",
    ] {
        assert!(about.contains(part), "{part} is missing: {about}");
    }
    let map: String = visitor.ask("document.querySelector('.about a').href").await;
    assert!(map.contains("&query=Parque%20Ibirapuera%2C%201%20Long%20Embankment%20Road%2C"), "{map}");
    assert!(map.ends_with("%2C%20S%C3%A3o%20Paulo"), "{map}");
}

/// Checks links, placeholders, meters and edges. axe cannot check the links, because they are on pictures.
#[tokio::test]
async fn what_axe_cannot_judge_has_contrast_too() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    let contrast = "const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const light = (color) => { const it = document.createElement('canvas').getContext('2d');
          it.fillStyle = color; it.fillRect(0, 0, 1, 1); const [r, g, b] = it.getImageData(0, 0, 1, 1).data;
          return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
        const contrast = (a, b) => {
          const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
          return (x + 0.05) / (y + 0.05); };
        const color = (css, property, pseudo) => getComputedStyle(document.querySelector(css), pseudo)[property];
        const token = (name, css) => { const it = document.createElement('i'); it.style.color = `var(${name})`;
          document.querySelector(css).append(it);
          const found = getComputedStyle(it).color;
          it.remove();
          return found; };";
    for scheme in [Scheme::Light, Scheme::Dark] {
        visitor.prefer(scheme).await;
        visitor.visit("/nowhere").await;
        let ratio: f64 = visitor
            .run(&format!(
                "{contrast} return contrast(color('.notice-page p:last-child a', 'color'), '#3b1a8f');"
            ))
            .await;
        assert!(ratio > 4.5, "the link of a page that is not there: {ratio}, {scheme:?}");
        visitor.visit("/").await;
        let ratios: Vec<f64> = visitor
            .run(&format!(
                "{contrast} return [...document.querySelectorAll('.tier')].map((it) =>
                   contrast(token('--accent-bar', `#${{it.id}}`), token('--sunken', 'body')))
                   .concat(contrast(token('--line-strong', 'body'), token('--paper', 'body')));"
            ))
            .await;
        assert!(ratios.iter().all(|it| *it >= 3.0), "meters and edges: {ratios:?}, {scheme:?}");
    }
}

#[tokio::test]
async fn with_forced_colors_everything_keeps_its_edges_and_marks() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor
        .cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "forced-colors", "value": "active" }] }),
        )
        .await;
    let edges = |css: &'static str| {
        format!(
            "(() => {{ const style = getComputedStyle(document.querySelector('{css}'));
               return parseFloat(style.borderTopWidth) >= 1 && parseFloat(style.borderBottomWidth) >= 1; }})()"
        )
    };
    for css in [".tier", ".stock__bar", ".button", ".hero__date"] {
        assert!(visitor.ask::<bool>(&edges(css)).await, "{css} has no edge");
    }
    visitor.open_checkout(&site.tier("VIP")).await;
    assert!(visitor.ask::<bool>(&edges(".dialog")).await, "the dialog has no edge");
    visitor.sign_in(&site).await;
    let marked: f64 = visitor
        .ask("parseFloat(getComputedStyle(document.querySelector('nav [aria-current]')).borderBottomWidth)")
        .await;
    assert!(marked >= 3.0, "the page that is shown is not marked");
}

/// The positions and sizes of all parts of the page, apart from the content of numbers and bars.
const PLACES: &str = "[...document.querySelectorAll('.tier, .tier__name, .stock__bar, .tier__form, .about')]
    .map((it) => {
      const { x, y, width, height } = it.getBoundingClientRect();
      return [it.className.split(' ')[0], x, y, width, height]; })";

#[tokio::test]
async fn nothing_jumps_when_tickets_run_low_sell_out_and_come_back() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    for width in [390, 1280] {
        site.set_available(&vip, 100);
        let visitor = Visitor::new(&site).await;
        visitor.allow_motion().await;
        visitor.resize(width, 844).await;
        visitor.visit("/").await;
        let wait = std::time::Duration::from_secs(60);
        visitor.until_left(&vip, 100, wait).await;
        let places: Value = visitor.ask(PLACES).await;
        for left in [39, 9, 0, 60] {
            site.set_available(&vip, left);
            site.set_available(&front_row, left * 2);
            visitor.until_left(&vip, left, wait).await;
            visitor.until_left(&front_row, left * 2, wait).await;
            assert_eq!(visitor.ask::<Value>(PLACES).await, places, "with {left} left at {width} px");
        }
    }
}

#[tokio::test]
async fn tickets_are_found_from_every_page_and_the_foot_is_one_line() {
    let site = open_site();
    let visitor = Visitor::new(&site).await;
    visitor.resize(390, 844).await;
    for path in ["/", "/bookings/find", "/nowhere"] {
        visitor.visit(path).await;
        let height: f64 =
            visitor.ask("document.querySelector('.site-footer').getBoundingClientRect().height").await;
        assert!(height < 90.0, "{path}: the foot is {height} px high");
        visitor.click(".site-header a[href='/bookings/find']").await;
        visitor.see("#lookup-email").await;
    }
}
