//! The bookings and the tickets of a concert as CSV, for a spreadsheet.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::DeflateDecoder;
use reqwest::blocking::{Client, Response};

use super::{audited, book_as, book_many};
use crate::check_in::{answer, codes, scan};
use crate::support::orders::BoxOffice;
use crate::support::{TestApp, between, header};

const ZOE: &str = "zoe@example.org";
const PATH: &str = "/admin/events/midnight-parade/bookings.csv";

fn export(app: &TestApp, organizer: &Client, query: &str) -> Response {
    let response = organizer.get(app.url(&format!("{PATH}{query}"))).send().expect("an answer");
    assert_eq!(response.status(), 200, "{query}");
    response
}

/// The cells of a file after its byte order mark, the headings first.
fn cells(file: &[u8], separator: u8) -> Vec<Vec<String>> {
    let text = file.strip_prefix(b"\xEF\xBB\xBF").expect("a byte order mark, or Excel garbles the names");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(text);
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// A row's cell under a heading.
fn cell<'a>(rows: &'a [Vec<String>], row: usize, heading: &str) -> &'a str {
    let column = rows[0].iter().position(|it| it == heading);
    &rows[row][column.unwrap_or_else(|| panic!("no {heading} in {:?}", rows[0]))]
}

#[test]
fn the_bookings_open_right_in_a_spreadsheet() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let booking = book_as(&app, ZOE, "VIP", 3, "Zoë Ångström");
    app.database.execute("UPDATE bookings SET created_at = '2026-11-27 23:27:03.778102'");
    // Tickets that are only held are no booking yet, in the list and here.
    BoxOffice::open(&app.database).hold("held", &[(app.database.ticket_type_id("VIP"), 1)]);
    let code = codes(&app, &booking).swap_remove(1);
    app.open_doors();
    assert_eq!(answer(scan(&app, &organizer, "North gate", &code)).0, 201);
    app.database.execute("UPDATE used_tickets SET used_at = '2027-06-20 00:12:45'");

    let response = export(&app, &organizer, "");
    assert_eq!(header(&response, "content-type"), "text/csv; charset=utf-8");
    let disposition = "attachment; filename=\"bookings-midnight-parade.csv\"";
    assert_eq!(header(&response, "content-disposition"), disposition);
    assert!(header(&response, "cache-control").contains("no-store"));
    let file = response.bytes().expect("a file");
    assert!(file.ends_with(b"\r\n"));
    let rows = cells(&file, b',');
    assert_eq!(rows.len(), 2);
    for (heading, expected) in [
        ("created_at (America/Chicago)", "2026-11-27 17:27:03"),
        ("ticket_type", "VIP"),
        ("quantity", "3"),
        ("returned", "0"),
        ("unit_price", "100.00"),
        ("total", "300.00"),
        ("currency", "USD"),
        ("buyer_name", "Zoë Ångström"),
        ("buyer_email", "zoe@example.org"),
        ("status", "confirmed"),
        ("checked_in", "1"),
        ("last_checked_in_at (America/Chicago)", "2027-06-19 19:12:45"),
        ("canceled_at (America/Chicago)", ""),
    ] {
        assert_eq!(cell(&rows, 1, heading), expected, "{heading}");
    }
    let exported = ("admin".into(), "midnight-parade".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "bookings exported"), [exported]);
}

#[test]
fn where_numbers_have_a_decimal_comma_semicolons_separate() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, ZOE, "VIP", 2, "Jürgen; Groß");
    let file = export(&app, &organizer, "?separator=semicolon").bytes().expect("a file");
    let rows = cells(&file, b';');
    assert_eq!((cell(&rows, 1, "unit_price"), cell(&rows, 1, "total")), ("100,00", "200,00"));
    assert_eq!(cell(&rows, 1, "buyer_name"), "Jürgen; Groß");
    for query in ["?separator=tab", "?rows=seats", "?rows=tickets&separator=%00"] {
        let refused = organizer.get(app.url(&format!("{PATH}{query}"))).send().expect("an answer");
        assert_eq!(refused.status(), 404, "{query}");
    }
    assert_eq!(audited(&app, "bookings exported").len(), 1);
}

#[test]
fn each_ticket_has_a_line_with_the_code_that_the_gate_takes() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let booking = book_as(&app, ZOE, "VIP", 3, "Ada Lovelace");
    let codes = codes(&app, &booking);
    let returned = [("choice", "1"), ("seat_3", "on")];
    assert_eq!(app.post(&format!("{booking}/cancellation"), &returned).status(), 303);
    let canceled = book_as(&app, ZOE, "General Admission", 1, "Grace Hopper");
    assert_eq!(app.post(&format!("{canceled}/cancellation"), &[]).status(), 303);
    app.open_doors();
    assert_eq!(answer(scan(&app, &organizer, "North gate", &codes[1])).0, 201);

    let response = export(&app, &organizer, "?rows=tickets");
    let disposition = "attachment; filename=\"tickets-midnight-parade.csv\"";
    assert_eq!(header(&response, "content-disposition"), disposition);
    let rows = cells(&response.bytes().expect("a file"), b',');
    let column = |heading: &str| (1..rows.len()).map(|row| cell(&rows, row, heading)).collect::<Vec<_>>();
    assert_eq!(column("ticket"), ["1", "2", "3", "1"]);
    assert_eq!(column("status"), ["valid", "checked in", "returned", "canceled"]);
    assert_eq!(column("gate"), ["", "North gate", "", ""]);
    assert_eq!(column("ticket_type"), ["VIP", "VIP", "VIP", "General Admission"]);
    assert_eq!(column("code"), [&codes[0], &codes[1], "", ""], "what opens no gate has no code");
    assert!(!cell(&rows, 2, "checked_in_at (America/Chicago)").is_empty());
    for row in [3, 4] {
        assert!(!cell(&rows, row, "canceled_at (America/Chicago)").is_empty(), "{row}");
    }
    assert!(cell(&rows, 2, "canceled_at (America/Chicago)").is_empty());
    assert_eq!(answer(scan(&app, &organizer, "North gate", cell(&rows, 1, "code"))).0, 201);
    let exported = ("admin".into(), "midnight-parade, ticket by ticket".into(), 2, "127.0.0.1".into());
    assert_eq!(audited(&app, "bookings exported"), [exported], "codes left the house");
}

#[test]
fn no_name_becomes_a_formula() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let names = ["=1+1, \"Ada\"", "+Ada", "-Ada", "SUM(Ada)", "＝Ada", "Ada;=Bob", " =Ada"];
    for name in names {
        book_as(&app, ZOE, "General Admission", 1, name);
    }
    // An earlier release accepted this name.
    app.database.execute("UPDATE bookings SET buyer_name = '@SUM(Ada)' WHERE buyer_name = 'SUM(Ada)'");
    for query in ["", "?rows=tickets", "?separator=semicolon"] {
        let file = export(&app, &organizer, query).bytes().expect("a file");
        let rows = cells(&file, if query.contains("semicolon") { b';' } else { b',' });
        let shown = (1..=names.len()).map(|row| cell(&rows, row, "buyer_name")).collect::<Vec<_>>();
        let safe = ["'=1+1, \"Ada\"", "'+Ada", "'-Ada", "'@SUM(Ada)", "'＝Ada", "Ada;'=Bob", "'=Ada"];
        assert_eq!(shown, safe, "{query}");
    }
}

#[test]
fn a_long_file_is_sent_while_it_is_read() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_many(&app, 1_203);
    let response = export(&app, &organizer, "?rows=tickets");
    assert_eq!(response.content_length(), None, "its length is not known before its end");
    let rows = cells(&response.bytes().expect("a file"), b',');
    let references: Vec<&str> = (1..rows.len()).map(|row| cell(&rows, row, "reference")).collect();
    let expected: Vec<String> = (0..1_203).map(|n| format!("TK-{n}")).collect();
    assert_eq!(references, expected, "each once, the oldest first");
}

#[test]
fn a_file_that_breaks_off_is_no_whole_file() {
    let app = TestApp::spawn();
    if app.database.is_postgres() {
        // PostgreSQL does not store an invalid time.
        return;
    }
    let organizer = app.organizer();
    book_many(&app, 501);
    // A booking that cannot be read stands for a database that goes away halfway.
    app.database.execute("UPDATE bookings SET created_at = 'nonsense' WHERE reference = 'TK-500'");
    // The connection may break before anything is sent.
    let broken = organizer.get(app.url(PATH)).timeout(Duration::from_secs(20)).send();
    let broken = broken.and_then(reqwest::blocking::Response::bytes);
    assert!(broken.is_err_and(|e| !e.is_timeout()), "the browser shows a failed download");
}

/// Seen to fail without the limit: the second export got 200.
#[test]
fn one_export_is_sent_at_a_time() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    // More rows than a connection's buffers hold, so that the first export is still being sent.
    book_many(&app, 60_000);
    let first = export(&app, &organizer, "");
    let ask = || organizer.get(app.url(PATH)).send().expect("an answer");
    let busy = ask();
    assert_eq!((busy.status().as_u16(), header(&busy, "retry-after")), (503, "5"));
    assert!(busy.text().expect("a page").contains("Another export is being sent."));
    assert_eq!(audited(&app, "bookings exported").len(), 1, "what was not sent is not recorded");
    // When a browser disconnects, its export ends, and the next one can start.
    drop(first);
    let begun = std::time::Instant::now();
    while ask().status() != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the turn never ends");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file of a ZIP archive, found through the directory at the archive's end, as spreadsheet programs find it.
fn unzipped(archive: &[u8], name: &str) -> String {
    let number = |at: usize, bytes: usize| {
        archive[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = archive.len() - 22;
    assert_eq!(&archive[end..end + 4], b"PK\x05\x06");
    let mut at = number(end + 16, 4);
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let (checksum, compressed, length) = (number(at + 16, 4), number(at + 20, 4), number(at + 24, 4));
        let (name_length, start) = (number(at + 28, 2), number(at + 42, 4));
        if &archive[at + 46..at + 46 + name_length] == name.as_bytes() {
            assert_eq!(&archive[start..start + 4], b"PK\x03\x04");
            let data = start + 30 + number(start + 26, 2) + number(start + 28, 2);
            let mut text = String::new();
            DeflateDecoder::new(&archive[data..data + compressed])
                .read_to_string(&mut text)
                .expect("deflated");
            let mut crc = flate2::Crc::new();
            crc.update(text.as_bytes());
            assert_eq!((text.len(), crc.sum() as usize), (length, checksum), "{name}");
            return text;
        }
        at += 46 + name_length + number(at + 30, 2) + number(at + 32, 2);
    }
    panic!("no {name}");
}

/// The cells of the first sheet: a text as it is, a number with its style before it, "4:200.00".
fn sheet(archive: &[u8]) -> Vec<Vec<String>> {
    let cell = |xml: &str| {
        let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        match (xml.split_once("<t "), xml.split_once("<v>")) {
            (Some((_, rest)), _) => plain(between(rest, ">", "</t>")),
            (_, Some((_, rest))) => {
                let style = xml.split_once(" s=\"").map_or("0", |(_, rest)| &rest[..1]);
                format!("{style}:{}", rest.split('<').next().expect("a number"))
            }
            _ => String::new(),
        }
    };
    let xml = unzipped(archive, "xl/worksheets/sheet1.xml");
    let rows = xml.split("<row>").skip(1);
    rows.map(|row| row.split("<c").skip(1).map(cell).collect()).collect()
}

#[test]
fn a_workbook_reads_back() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let booking = book_as(&app, ZOE, "VIP", 3, "=Zoë & <Ångström>");
    app.database.execute("UPDATE bookings SET created_at = '2026-11-27 18:00:00.778102'");
    let codes = codes(&app, &booking);
    assert_eq!(
        app.post(&format!("{booking}/cancellation"), &[("choice", "1"), ("seat_3", "on")]).status(),
        303
    );
    book_as(&app, "eve@example.org", "Front Row", 1, "Eve");
    let path = PATH.replace(".csv", ".xlsx");
    let get = |query: &str| organizer.get(app.url(&format!("{path}{query}"))).send().expect("an answer");
    let response = get("");
    assert_eq!(response.status(), 200);
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert_eq!(header(&response, "content-type"), kind);
    let disposition = "attachment; filename=\"bookings-midnight-parade.xlsx\"";
    assert_eq!(header(&response, "content-disposition"), disposition);
    let file = response.bytes().expect("a file");
    for part in ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/styles.xml"] {
        assert!(unzipped(&file, part).starts_with("<?xml version=\"1.0\""), "{part}");
    }
    assert!(unzipped(&file, "xl/workbook.xml").contains("<sheet name=\"Bookings\""));
    let rows = sheet(&file);
    assert_eq!(rows.len(), 3);
    for (heading, expected) in [
        ("buyer_name", "=Zoë & <Ångström>"),
        ("returned", "0:1"),
        ("unit_price", "4:100.00"),
        // The total of the tickets that are left.
        ("total", "4:200.00"),
        ("canceled_at (America/Chicago)", ""),
        // A date at noon, as a spreadsheet's serial number.
        ("created_at (America/Chicago)", "2:46353.5"),
    ] {
        assert_eq!(cell(&rows, 1, heading), expected, "{heading}");
    }
    let rows = sheet(&get("?rows=tickets").bytes().expect("a file"));
    let of = |heading: &str| (1..rows.len()).map(|row| cell(&rows, row, heading)).collect::<Vec<_>>();
    assert_eq!(of("status"), ["valid", "valid", "returned", "valid"]);
    assert_eq!(of("code")[..3], [codes[0].as_str(), codes[1].as_str(), ""]);

    // With the filters of the list.
    let front_row = app.database.ticket_type_id("Front Row");
    for (query, count) in [
        (format!("?ticket_type={front_row}"), 1),
        ("?status=canceled".into(), 0),
        ("?q=zoe&rows=tickets".into(), 3),
        ("?q=eve%40example.org".into(), 1),
    ] {
        assert_eq!(sheet(&get(&query).bytes().expect("a file")).len(), 1 + count, "{query}");
        let csv = export(&app, &organizer, &query).bytes().expect("a file");
        assert_eq!(cells(&csv, b',').len(), 1 + count, "{query}");
    }
    let form = organizer.get(app.url("/admin/events/midnight-parade/export?q=zoe&status=confirmed"));
    let form = form.send().expect("an answer").text().expect("a page");
    assert!(form.contains("Only confirmed bookings, “zoe”, as in the list."), "{form}");
    let log = organizer.get(app.url("/admin/audit-log")).send().expect("an answer").text().expect("a page");
    assert!(log.contains("xlsx, what a search has found") && !log.contains("zoe"), "{log}");
    for query in ["?rows=seats", "?status=x", "?ticket_type=x"] {
        assert_eq!(get(query).status(), 404, "{query}");
    }
}
