//! What the site shows to other sites and search engines: titles, pictures, structured data, addresses.

use std::io::Cursor;

use serde_json::Value;
use testkit::wait::eventually;

use crate::support::{TestApp, between, header};

const SITE: &str = "https://tickets.example.org";
const PREVIEW: &str = "/events/midnight-parade/preview.png";

fn site() -> TestApp {
    TestApp::spawn_with(|config| config.public_url = Some(SITE.into()))
}

fn page(app: &TestApp, path: &str) -> String {
    let response = app.get(path);
    assert_eq!(response.status(), 200, "{path}");
    response.text().expect("a page")
}

/// The content of the `<meta>` with that name or property.
fn meta<'a>(html: &'a str, name: &str) -> &'a str {
    between(html, &format!("\"{name}\" content=\""), "\"")
}

/// Waits for the board, which reads changes in the database a moment later.
fn wait_until_served(app: &TestApp, path: &str, text: &str) {
    eventually(text, || app.get(path).text().expect("a text").contains(text));
}

fn structured_data(html: &str) -> Value {
    let text = between(html, "<script type=\"application/ld+json\">", "</script>");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_link_to_a_concert_shows_its_poster_and_facts() {
    let app = site();
    for path in ["/", "/events/midnight-parade", "/events/midnight-parade?from=poster"] {
        let html = page(&app, path);
        assert_eq!(
            between(&html, "rel=\"canonical\" href=\"", "\""),
            format!("{SITE}/events/midnight-parade")
        );
        assert_eq!(meta(&html, "og:url"), format!("{SITE}/events/midnight-parade"));
        assert_eq!(meta(&html, "og:title"), "Midnight Parade");
        assert_eq!(meta(&html, "og:site_name"), "TechKraft Tickets");
        assert_eq!(meta(&html, "twitter:card"), "summary_large_image");
        assert!(html.contains("<meta name=\"description\" property=\"og:description\""));
        assert!(
            meta(&html, "og:description")
                .starts_with("Midnight Parade at The Foundry Hall, Chicago, Saturday, June 19, 2027.")
        );
        let picture = meta(&html, "og:image");
        assert!(picture.starts_with(&format!("{SITE}{PREVIEW}?v=")), "{picture}");
        assert_eq!((meta(&html, "og:image:width"), meta(&html, "og:image:height")), ("1200", "630"));
        assert!(!html.contains("noindex"), "{path}");
    }
}

#[test]
fn the_list_and_the_api_reference_are_public_pages_too() {
    let app = site();
    for number in 1..=30 {
        app.database.execute(&format!(
            "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
             SELECT 'later-{number}', 'Later {number}', tagline, venue, city, '2028-01-01 01:00:00',
                    '2028-01-01 04:00:00', time_zone, currency, state FROM events WHERE slug = 'midnight-parade'"
        ));
    }
    wait_until_served(&app, "/sitemap.xml", "later-30");
    let html = page(&app, "/?page=2");
    assert_eq!(between(&html, "rel=\"canonical\" href=\"", "\""), format!("{SITE}/?page=2"));
    assert_eq!(meta(&page(&app, "/"), "og:url"), format!("{SITE}/"));
    assert!(meta(&html, "og:image").contains("/preview.png?v=") && !html.contains("noindex"));
    let html = page(&app, "/api/docs");
    assert_eq!(between(&html, "rel=\"canonical\" href=\"", "\""), format!("{SITE}/api/docs"));
    assert!(!meta(&html, "og:description").is_empty() && !html.contains("noindex"));
    for private in ["/bookings/find", "/admin/sign-in"] {
        let html = page(&app, private);
        assert!(
            html.contains("noindex") && !html.contains("og:") && !html.contains("canonical"),
            "{private}"
        );
    }
}

#[test]
fn search_engines_read_the_concert_as_a_music_event() {
    let app = site();
    app.database.execute(
        "UPDATE events SET address = '1 Main St', organizer_name = 'Parade & Sons', age_limit = 16,
         organizer_contact = 'hello@parade.example, https://parade.example, +1 512 555 0100',
         doors_at = '2027-06-20 00:00:00', facts_version = facts_version + 1",
    );
    app.set_available("VIP", 0);
    app.set_available("Front Row", 20);
    app.wait_until_shown("Parade \\u0026 Sons");
    let data = structured_data(&page(&app, "/events/midnight-parade"));
    for (pointer, value) in [
        ("/@type", "MusicEvent"),
        ("/name", "Midnight Parade"),
        ("/startDate", "2027-06-19T20:00:00-05:00"),
        ("/endDate", "2027-06-19T23:00:00-05:00"),
        ("/doorTime", "2027-06-19T19:00:00-05:00"),
        ("/eventStatus", "https://schema.org/EventScheduled"),
        ("/typicalAgeRange", "16-"),
        ("/location/name", "The Foundry Hall"),
        ("/location/address/streetAddress", "1 Main St"),
        ("/location/address/addressLocality", "Chicago"),
        ("/organizer/name", "Parade & Sons"),
        ("/organizer/email", "hello@parade.example"),
        ("/organizer/url", "https://parade.example"),
        ("/offers/0/name", "VIP"),
        ("/offers/0/price", "100.00"),
        ("/offers/0/priceCurrency", "USD"),
        ("/offers/0/availability", "https://schema.org/SoldOut"),
        ("/offers/0/url", "https://tickets.example.org/events/midnight-parade"),
        ("/offers/1/availability", "https://schema.org/LimitedAvailability"),
        ("/offers/2/availability", "https://schema.org/InStock"),
    ] {
        assert_eq!(data.pointer(pointer), Some(&Value::from(value)), "{pointer}");
    }
    let picture = data.pointer("/image/0").and_then(Value::as_str).expect("a picture");
    assert!(picture.starts_with(&format!("{SITE}{PREVIEW}?v=")), "{picture}");
    app.database.execute(
        "UPDATE events SET state = 'canceled', sales_start_at = '2027-01-01 16:00:00', facts_version = facts_version + 1",
    );
    app.wait_until_shown("EventCancelled");
    let data = structured_data(&page(&app, "/events/midnight-parade"));
    assert_eq!(data["offers"][2]["availability"], "https://schema.org/OutOfStock");
    assert_eq!(data["offers"][2]["validFrom"], "2027-01-01T10:00:00-06:00");
}

#[test]
fn no_name_ends_the_structured_data_or_a_tag() {
    let app = site();
    let name = "</script><script>alert(1)</script> \"R&B\" <!-- ' -->";
    app.database.execute(&format!(
        "UPDATE events SET name = '{}', facts_version = facts_version + 1",
        name.replace('\'', "''")
    ));
    app.wait_until_shown("\\u003c/script\\u003e");
    let html = page(&app, "/events/midnight-parade");
    assert_eq!(structured_data(&html)["name"], name);
    assert!(!html.contains("<script>alert") && !html.contains("content=\"</script>"), "{html}");
    assert_eq!(app.get(PREVIEW).status(), 200);
}

#[test]
fn the_poster_is_a_picture_that_changes_with_its_facts() {
    let app = site();
    let response = app.get(PREVIEW);
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "image/png"));
    assert_eq!(header(&response, "cache-control"), "public, max-age=3600");
    let tag = header(&response, "etag").to_owned();
    let first = response.bytes().expect("a picture");
    // Some messengers show no picture that is larger than 600 kB.
    assert!(first.len() < 600_000, "{} bytes", first.len());
    let info = png::Decoder::new(Cursor::new(first.clone())).read_info().expect("a PNG").info().clone();
    assert_eq!((info.width, info.height), (1200, 630));
    assert!(page(&app, "/").contains(&format!("preview.png?v={}", tag.trim_matches('"'))));

    let again = || app.client.get(app.url(PREVIEW)).header("if-none-match", &tag).send().expect("an answer");
    let unchanged = again();
    assert_eq!((unchanged.status().as_u16(), header(&unchanged, "etag")), (304, tag.as_str()));
    app.database.execute("UPDATE events SET name = 'Midnight Charade', facts_version = facts_version + 1");
    app.wait_until_shown("Midnight Charade");
    let changed = again();
    assert_eq!(changed.status(), 200);
    assert_ne!(header(&changed, "etag"), tag);
    assert_ne!(changed.bytes().expect("a picture"), first);
    for path in ["/events/nothing/preview.png", "/events/%00/preview.png"] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
}

#[test]
fn every_name_has_a_poster() {
    let app = site();
    for name in
        ["Żółć i Nguyễn", "東京の夜", "حفلة", "🎉", "Donaudampfschifffahrtsgesellschaftskapitänsmützen", "W"]
    {
        app.database
            .execute(&format!("UPDATE events SET name = '{name}', facts_version = facts_version + 1"));
        app.wait_until_shown(name);
        assert_eq!(app.get(PREVIEW).status(), 200, "{name}");
    }
}

#[test]
fn the_sitemap_names_what_may_be_found() {
    let app = site();
    app.database.execute(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state, listed)
         SELECT 'secret', name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state, FALSE FROM events",
    );
    app.database.execute("UPDATE events SET facts_version = 1790000000000 WHERE slug = 'midnight-parade'");
    wait_until_served(&app, "/sitemap.xml", "2026-09-21T");
    let response = app.get("/sitemap.xml");
    assert_eq!(header(&response, "content-type"), "application/xml; charset=utf-8");
    let xml = response.text().expect("XML");
    for path in ["/", "/api/docs", "/events/midnight-parade"] {
        assert!(xml.contains(&format!("<loc>{SITE}{path}</loc>")), "{path}: {xml}");
    }
    assert!(xml.contains("<lastmod>2026-09-21T14:13:20Z</lastmod>"), "{xml}");
    for hidden in ["secret", "bookings", "admin", "tickets/"] {
        assert!(!xml.contains(hidden), "{hidden}: {xml}");
    }
    // A search engine that was given the link of an unlisted concert may not list it either.
    eventually("the board has it", || app.get("/events/secret").status() == 200);
    assert_eq!(meta(&page(&app, "/events/secret"), "robots"), "noindex");
    let robots = app.get("/robots.txt").text().expect("a file");
    assert!(robots.contains(&format!("Sitemap: {SITE}/sitemap.xml")), "{robots}");
    for private in ["/bookings", "/tickets/", "/admin"] {
        assert!(robots.contains(&format!("Disallow: {private}\n")), "{robots}");
    }
}

#[test]
fn browsers_find_icons_and_the_manifest() {
    let app = site();
    let html = page(&app, "/");
    assert!(html.contains("<meta name=\"theme-color\" content=\"#12082b\">"));
    let touch = between(&html, "rel=\"apple-touch-icon\" href=\"", "\"");
    let response = app.get(between(&html, "rel=\"manifest\" href=\"", "\""));
    assert_eq!(header(&response, "content-type"), "application/manifest+json");
    let manifest: Value = response.json().expect("JSON");
    assert_eq!(manifest["name"], "TechKraft Tickets");
    let mut icons = vec![(touch.to_owned(), 180)];
    for icon in manifest["icons"].as_array().expect("icons") {
        let size = icon["sizes"].as_str().and_then(|it| it.split('x').next()).expect("a size");
        icons.push((icon["src"].as_str().expect("a path").to_owned(), size.parse().expect("a number")));
    }
    assert_eq!(icons.iter().map(|(_, size)| *size).collect::<Vec<u32>>(), [180, 192, 512, 512]);
    assert!(manifest["icons"].as_array().expect("icons").iter().any(|icon| icon["purpose"] == "maskable"));
    for (path, size) in icons {
        let response = app.get(&path);
        assert_eq!(header(&response, "content-type"), "image/png", "{path}");
        let bytes = response.bytes().expect("a picture");
        let info = png::Decoder::new(Cursor::new(bytes)).read_info().expect("a PNG").info().clone();
        assert_eq!((info.width, info.height), (size, size), "{path}");
    }
}

#[test]
fn a_concert_goes_into_a_calendar_before_anything_is_booked() {
    let app = site();
    assert!(page(&app, "/").contains("href=\"/events/midnight-parade/calendar.ics\""));
    let response = app.get("/events/midnight-parade/calendar.ics");
    assert_eq!(header(&response, "content-type"), "text/calendar; charset=utf-8");
    assert_eq!(header(&response, "content-disposition"), "attachment; filename=\"midnight-parade.ics\"");
    let file = response.text().expect("a file").replace("\r\n ", "");
    for line in [
        "SUMMARY:Midnight Parade",
        "DTSTART:20270620T010000Z",
        "DTEND:20270620T040000Z",
        "LOCATION:The Foundry Hall\\, Chicago",
        "UID:midnight-parade@techkraft-tickets",
        "URL:https://tickets.example.org/events/midnight-parade",
    ] {
        assert!(file.contains(line), "{line}: {file}");
    }
    assert_eq!(app.get("/events/nothing/calendar.ics").status(), 404);
}
