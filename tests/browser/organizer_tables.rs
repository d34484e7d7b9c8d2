//! The organizer's lists on a laptop and on a phone: nothing is cut off or outside of the screen.

use crate::open_site;
use crate::support::{Site, Visitor};

const LISTS: [&str; 4] = ["/admin", "/admin/bookings", "/admin/mails", "/admin/audit-log"];

/// Bookings with realistic long names, addresses and answers of mail servers.
fn book_with_long_names(site: &Site) {
    site.run_sql(
        "INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
             buyer_name, buyer_email, created_at, confirmed_at)
         SELECT event_id, 'TK-7F3K-9QXM', 'a token', 'a key', 0, 'confirmed', 'USD', 1299000,
             'Wolfeschlegelsteinhausenbergerdorff Maria-Magdalena Adalberta von und zu Hohenlohe-Langenburg',
             'maria-magdalena.adalberta.von.und.zu.hohenlohe-langenburg@department.of.music.university.example.org',
             CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
         FROM ticket_types WHERE name = 'VIP'",
    );
    site.run_sql(
        "INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, 3, t.price_minor FROM bookings b CROSS JOIN ticket_types t",
    );
    site.run_sql(
        "INSERT INTO mails (kind, booking_id, state, attempts, queued_at, due_at, last_error)
         SELECT 'confirmation', id, 'failed', 4, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP,
             'smtp: 550 5.1.1 <maria-magdalena.adalberta.von.und.zu.hohenlohe@example.org>: Recipient address '
                 || 'rejected: ' || 'User unknown in virtual mailbox table'
         FROM bookings",
    );
    site.run_sql("UPDATE events SET name = 'The Night of the Unpronounceable Schottische, Part One'");
}

/// Finds what is cut off: content that is wider than its cell, cells outside of the screen, tables that scroll
/// sideways.
const CUT: &str = "[...document.querySelectorAll('.table-scroll, main td, main tbody th, .log p')]
    .filter((it) => {
      const box = it.getBoundingClientRect();
      return it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0 || box.right > innerWidth + 1 || box.left < -1;
    })
    .map((it) => `${it.className || it.dataset.label || it.tagName}: ${it.textContent.trim().slice(0, 60)}`)";

async fn open(site: &Site) -> Visitor {
    book_with_long_names(site);
    let organizer = Visitor::new(site).await;
    organizer.sign_in(site).await;
    organizer
}

#[tokio::test]
async fn tables_fit_a_laptop() {
    let site = open_site();
    let organizer = open(&site).await;
    for width in [1280, 1024, 768] {
        organizer.resize(width, 800).await;
        for path in LISTS {
            organizer.visit(path).await;
            let cut: Vec<String> = organizer.ask(CUT).await;
            assert!(cut.is_empty(), "{path} at {width} px: {cut:#?}");
        }
    }
    // The table still shows all column headings.
    organizer.visit("/admin/bookings").await;
    let heads: Vec<String> =
        organizer.ask("[...document.querySelectorAll('thead th')].map((it) => it.innerText)").await;
    assert_eq!(heads, ["Reference", "Booked", "Buyer", "Tickets", "Total", "Status", "Email"]);
}

#[tokio::test]
async fn rows_are_cards_on_a_phone() {
    let site = open_site();
    let organizer = open(&site).await;
    for width in [390, 320] {
        organizer.resize(width, 844).await;
        for path in LISTS {
            organizer.visit(path).await;
            let cut: Vec<String> = organizer.ask(CUT).await;
            assert!(cut.is_empty(), "{path} at {width} px: {cut:#?}");
        }
        if width >= 390 {
            let hidden =
                "[...document.querySelectorAll('.admin-nav')].map((it) => it.scrollWidth - it.clientWidth)";
            assert_eq!(organizer.ask::<Vec<i32>>(hidden).await, [0], "the navigation scrolls at {width} px");
        }
        organizer.visit("/admin/bookings").await;
        let labels: Vec<String> = organizer
            .ask("[...document.querySelectorAll('tbody td')].map((it) => getComputedStyle(it, '::before').content)")
            .await;
        assert_eq!(
            labels,
            ["Booked", "Buyer", "Tickets", "Total", "Status", "Email"].map(|it| format!("\"{it}\""))
        );
        // The cells are one below the other.
        let lefts: Vec<f64> = organizer
            .ask("[...document.querySelectorAll('tbody td')].map((it) => it.getBoundingClientRect().left)")
            .await;
        assert!(lefts.windows(2).all(|pair| pair[0] == pair[1]), "{lefts:?}");
    }
}

#[tokio::test]
async fn the_organizers_header_is_two_rows_at_most() {
    let site = open_site();
    let organizer = Visitor::new(&site).await;
    organizer.sign_in(&site).await;
    organizer.resize(320, 640).await;
    for path in ["/admin", "/admin/account"] {
        organizer.visit(path).await;
        let height: f64 =
            organizer.ask("document.querySelector('.site-header').getBoundingClientRect().height").await;
        assert!(height <= 112.0, "{path}: {height} px");
        let rows: usize = organizer
            .ask(
                "new Set([...document.querySelectorAll('.admin-nav a')]
                   .filter((it) => it.offsetParent).map((it) => it.getBoundingClientRect().top)).size",
            )
            .await;
        assert_eq!(rows, 1, "{path}");
    }
    // Every target is large enough, and the button has an accessible name although its text is hidden.
    let targets: Vec<f64> = organizer
        .ask(
            "[...document.querySelectorAll('.admin-nav a, .sign-out button')].filter((it) => it.offsetParent)
               .map((it) => it.getBoundingClientRect()).map((box) => Math.min(box.height, box.width))",
        )
        .await;
    assert!(targets.iter().all(|size| *size >= 43.9), "{targets:?}");
    assert_eq!(
        organizer.ask::<String>("document.querySelector('.sign-out button').textContent.trim()").await,
        "Sign out"
    );
}
