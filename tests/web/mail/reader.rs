//! How a mail looks to its reader: which booking it is about, who gets the reply, and how it spells the reader's
//! address.

use super::calendar::{calendar_of, unfolded};
use super::contents::{Row, book_as, mails, parse, single, with_subject};
use crate::bookings::lookup::follow;
use crate::support::TestApp;

/// Gmail shows mails with one subject as one conversation.
#[test]
fn each_booking_has_a_subject_and_a_payment_line_of_its_own() {
    let app = TestApp::spawn();
    book_as(&app, "Ada", "ada@example.org");
    book_as(&app, "Ada", "ada@example.org");
    let references: Vec<Row> = app.database.rows("SELECT reference FROM bookings ORDER BY id");
    let mails = mails(&app, 2);
    for Row { reference } in &references {
        let own =
            mails.iter().filter(|bytes| parse(bytes).subject().is_some_and(|it| it.contains(reference)));
        assert_eq!(own.count(), 1, "{reference}");
    }
    let mail = parse(&mails[0]);
    for text in [mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML")] {
        assert!(text.contains("Due at the venue: $300.00. Nothing was charged online."), "{text}");
        assert!(text.contains("come? You can cancel until"), "{text}");
        assert!(text.contains("Replies to this email aren’t read."), "{text}");
    }
    assert!(mail.reply_to().is_none());
}

#[test]
fn replies_go_to_the_organizer() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let form = [
        ("cancellation_deadline_hours", "24"),
        ("organizer_name", "Müller Concerts"),
        ("organizer_contact", "box@müller.example, +1 512 555 0100"),
    ];
    let terms = app.url("/admin/events/midnight-parade/terms");
    assert_eq!(organizer.post(&terms).form(&form).send().expect("an answer").status(), 303);
    let contact = "<a href=\"mailto:box@müller.example\" rel=\"noopener\">box@müller.example</a>";
    let id = app.tier_id("VIP");
    for path in ["/events/midnight-parade", &format!("/bookings/new?ticket_type={id}&quantity=1")] {
        let page = app.get(path).text().expect("a page");
        let phone = "href=\"tel:+15125550100\"";
        assert!(["Müller Concerts", contact, phone].iter().all(|it| page.contains(it)), "{path}: {page}");
    }
    let url = book_as(&app, "Ada", "ada@example.org");
    let page = app.client.get(&url).send().expect("an answer").text().expect("a page");
    assert!(page.contains("<dt>Organizer</dt><dd>Müller Concerts</dd><dd><a href=\"mailto:"), "{page}");
    let bytes = &mails(&app, 1)[0];
    let mail = parse(bytes);
    assert_eq!(single(mail.reply_to()), ("Müller Concerts".into(), "box@xn--mller-kva.example".into()));
    for text in [mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML")] {
        assert!(text.contains("Questions? Reply to this email to reach Müller Concerts."), "{text}");
        assert!(!text.contains("aren’t read"), "{text}");
    }
    let file = unfolded(&calendar_of(bytes).1);
    assert!(file.contains("ORGANIZER;CN=Müller Concerts:mailto:box@müller.example"), "{file}");
    app.database.execute("UPDATE events SET cancellation_deadline_minutes = NULL");
    let refusal =
        app.client.get(format!("{url}/cancellation")).send().expect("an answer").text().expect("a page");
    assert!(refusal.contains("contact the organizer: Müller Concerts, box@müller.example"), "{refusal}");
}

#[test]
fn an_international_domain_is_shown_as_it_was_typed() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let url = book_as(&app, "Ada", "ada@müller.example");
    let bytes = &mails(&app, 1)[0];
    let mail = parse(bytes);
    assert_eq!(single(mail.to()).1, "ada@xn--mller-kva.example", "mail servers read the DNS's spelling");
    let path = url.strip_prefix(&app.url("")).expect("a path").to_owned();
    let reference: Vec<Row> = app.database.rows("SELECT reference FROM bookings");
    let api = app.url(&format!("/api/v1{path}"));
    let mut shown = vec![
        mail.body_text(0).expect("text").into_owned(),
        mail.body_html(0).expect("HTML").into_owned(),
        app.get(&path).text().expect("a page"),
        app.client.get(api).send().expect("an answer").text().expect("JSON"),
    ];
    let admin_booking = format!("/admin/bookings/{}", reference[0].reference);
    for path in ["/admin", "/admin/mails", &admin_booking, "/admin/events/midnight-parade/bookings.csv"] {
        shown.push(organizer.get(app.url(path)).send().expect("an answer").text().expect("a page"));
    }
    assert_eq!(app.post("/bookings/find", &[("email", "ada@xn--mller-kva.example")]).status(), 303);
    let (text, html, _) = with_subject(&app, "link to your bookings", 2);
    let link = text.lines().find(|line| line.contains("/bookings?link=")).expect("a link").to_owned();
    let list = follow(&app, link.strip_prefix(&app.url("")).expect("a path"));
    shown.extend([text, html, list.text().expect("a page")]);
    for text in shown {
        // A long address may break before its @ sign.
        assert!(text.replace("<wbr>", "").contains("ada@müller.example") && !text.contains("xn--"), "{text}");
    }
}
