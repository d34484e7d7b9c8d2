//! The buyer or the organizer corrects the name and the address of a booking.

use std::sync::Barrier;
use std::thread;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use reqwest::blocking::Response;

use crate::mail::contents::{mails, parse};
use crate::mail::wait_for_states;
use crate::support::audit::audited;
use crate::support::{TestApp, browser, header};

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    buyer_name: String,
    #[diesel(sql_type = Text)]
    buyer_email: String,
    #[diesel(sql_type = Text)]
    token: String,
}

fn bookings(app: &TestApp) -> Vec<Row> {
    app.database.rows("SELECT reference, buyer_name, buyer_email, token FROM bookings ORDER BY id")
}

fn entries(app: &TestApp) -> Vec<(String, String)> {
    let entries = audited(app, "buyer corrected");
    assert!(entries.iter().all(|(_, _, affected, _)| *affected == 1));
    entries.into_iter().map(|(actor, subject, ..)| (actor, subject)).collect()
}

fn book_for(app: &TestApp, tier: &str, quantity: u32, email: &str) -> String {
    let checkout = app.open_checkout(tier, quantity);
    let response = app.confirm_for(email, &browser(), &checkout, quantity);
    assert_eq!(response.status(), 303, "{email}");
    header(&response, "location").to_owned()
}

fn correct(app: &TestApp, location: &str, name: &str, email: &str) -> Response {
    app.post(&format!("{location}/buyer"), &[("name", name), ("email", email)])
}

fn recipients(app: &TestApp, count: usize) -> Vec<(String, String)> {
    let mails = mails(app, count);
    let read = |bytes: &Vec<u8>| {
        let mail = parse(bytes);
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("an address");
        (to.to_owned(), mail.subject().expect("a subject").to_owned())
    };
    mails.iter().map(read).collect()
}

#[test]
fn a_mistyped_address_books_is_noticed_and_corrected_with_one_click() {
    let app = TestApp::spawn();
    let location = book_for(&app, "VIP", 2, "ada@gmial.con");
    let page = app.get(&location).text().expect("a page");
    assert!(page.contains("We’ve emailed your tickets to <strong>ada@gmial.con</strong>."), "{page}");
    let link = format!("Did you mean <a href=\"{location}/buyer?suggested=1\">ada@gmail.com</a>?");
    assert!(
        page.contains(&link) && page.contains(&format!("<a href=\"{location}/buyer\">Change it</a>")),
        "{page}"
    );
    assert!(page.contains("data-copy=\"booking-link\""), "{page}");
    wait_for_states(&app, &[("sent", 1)]);

    let form = app.get(&format!("{location}/buyer?suggested=1")).text().expect("a page");
    assert!(form.contains("value=\"ada@gmail.com\"") && form.contains("value=\"Ada Lovelace\""), "{form}");
    let response = correct(&app, &location, "Ada King", "ada@gmail.com");
    assert_eq!(response.status(), 303);
    let new = header(&response, "location").to_owned();
    assert_ne!(new, location, "the old link is in a mail to a stranger");
    for path in [location.clone(), format!("{location}/cancellation"), format!("{location}/buyer")] {
        assert_eq!(app.get(&path).status(), 404, "{path}");
    }
    let page = app.get(&new).text().expect("a page");
    assert!(page.contains("<dd>Ada King</dd>") && page.contains("<dd>ada@gmail.com</dd>"), "{page}");
    assert!(
        page.contains("We’re emailing the tickets to ada@gmail.com.") && !page.contains("Did you mean"),
        "{page}"
    );
    let Row { reference, buyer_name, buyer_email, token } = &bookings(&app)[0];
    assert_eq!((buyer_name.as_str(), buyer_email.as_str()), ("Ada King", "ada@gmail.com"));
    assert_eq!(new, format!("/bookings/{token}"));
    assert_eq!(entries(&app), [("buyer".into(), format!("{reference} (name and email)"))]);

    let sent = recipients(&app, 3);
    assert!(
        sent.iter().any(|(to, subject)| to == "ada@gmail.com" && subject.contains(reference)),
        "{sent:?}"
    );
    let all = mails(&app, 3);
    let mail = all.iter().map(|bytes| parse(bytes)).find(|mail| {
        mail.to().and_then(|to| to.first()).and_then(|to| to.address()) == Some("ada@gmail.com")
    });
    let mail = mail.expect("a mail to the new address");
    for text in [mail.body_text(0).expect("text"), mail.body_html(0).expect("HTML")] {
        assert!(text.contains("Your booking was updated") && text.contains(&app.url(&new)), "{text}");
        assert!(text.contains("ticket 2 of 2") || text.contains("2 of 2  VIP"), "with its tickets: {text}");
    }
    // The list of mails says where the first one went.
    let organizer = app.organizer();
    let list = organizer.get(app.url("/admin/mails")).send().expect("an answer").text().expect("a page");
    assert!(
        list.contains("ada@gmial.con") && list.contains("ada@gmail.com") && list.contains("New address"),
        "{list}"
    );
}

#[test]
fn the_old_address_hears_of_the_new_one_and_whom_to_ask() {
    let app = TestApp::spawn();
    app.database
        .execute("UPDATE events SET organizer_name = 'The Foundry', organizer_contact = 'box@example.org'");
    let location = book_for(&app, "VIP", 2, "ada@example.org");
    mails(&app, 1);
    let response = correct(&app, &location, "Eve Stranger", "eve@evil.example");
    let new = header(&response, "location").to_owned();
    let all = mails(&app, 3);
    let is_to = |bytes: &&Vec<u8>, address: &str| {
        parse(bytes).to().and_then(|to| to.first()).and_then(|to| to.address()) == Some(address)
    };
    let to_old: Vec<&Vec<u8>> = all.iter().filter(|mail| is_to(mail, "ada@example.org")).collect();
    assert_eq!(to_old.len(), 2, "the confirmation and the notice");
    let notice = to_old
        .iter()
        .map(|bytes| parse(bytes))
        .find(|mail| mail.subject().is_some_and(|subject| subject.starts_with("New email address for TK-")));
    let notice = notice.expect("a notice to the old address");
    let reply_to = notice.reply_to().and_then(|to| to.first()).and_then(|to| to.address());
    assert_eq!(reply_to, Some("box@example.org"));
    let reference = bookings(&app)[0].reference.clone();
    for text in [notice.body_text(0).expect("text"), notice.body_html(0).expect("HTML")] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for says in [
            "Your booking has a new email address",
            reference.as_str(),
            "e•••@evil.example",
            "The ticket codes stay the same",
            "contact the organizer",
            "can change the address back",
            &app.url("/events/midnight-parade"),
            "Reply to this email to reach The Foundry.",
        ] {
            assert!(text.contains(says), "{says}: {text}");
        }
        for hidden in ["eve@evil.example", "Eve Stranger", new.as_str()] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
    // When the mail is resent, it goes to the old address again.
    let organizer = app.organizer();
    wait_for_states(&app, &[("sent", 3)]);
    app.database.execute("UPDATE mails SET state = 'failed' WHERE kind = 'address change'");
    assert_eq!(organizer.post(app.url("/admin/mails/attempts")).send().expect("an answer").status(), 303);
    mails(&app, 4);
    assert_eq!(app.count("mails WHERE kind = 'address change' AND recipient = 'ada@example.org'"), 1);
    // If the new address is the same mailbox, only the mail with the tickets is sent.
    assert_eq!(correct(&app, &new, "Eve", "EVE@evil.example").status(), 303);
    mails(&app, 5);
    assert_eq!(app.count("mails"), 4);
}

#[test]
fn find_and_the_limit_for_each_person_follow_the_address() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE ticket_types SET max_per_person = 3, facts_version = facts_version + 1");
    let first = book_for(&app, "VIP", 2, "ada@example.org");
    let second = book_for(&app, "VIP", 2, "eve@example.org");
    // Two and two tickets exceed the limit of three.
    let refused = correct(&app, &second, "Eve", "ADA@example.org");
    assert_eq!(refused.status(), 409);
    let refused = refused.text().expect("a page");
    assert!(
        refused.contains("Limit: 3 VIP tickets per person") && refused.contains("value=\"ADA@example.org\""),
        "{refused}"
    );
    assert!(
        refused.contains("aria-describedby=\"buyer-email-error\"") && entries(&app).is_empty(),
        "{refused}"
    );
    // The new address has reached its limit, and the old address may book again.
    assert_eq!(correct(&app, &first, "Ada", "ada.king@example.org").status(), 303);
    let checkout = app.open_checkout("VIP", 2);
    assert_eq!(app.confirm_for("ada.king@example.org", &browser(), &checkout, 2).status(), 409);
    assert_eq!(app.confirm_for("ada@example.org", &browser(), &app.open_checkout("VIP", 2), 2).status(), 303);
    // The booking is found under the new address, and not under the old one.
    mails(&app, 5);
    assert_eq!(app.post("/bookings/find", &[("email", "ada.king@example.org")]).status(), 303);
    let link = mails(&app, 6).iter().find_map(|bytes| {
        let text = parse(bytes).body_text(0)?.into_owned();
        text.lines().find(|line| line.contains("/bookings?link=")).map(str::to_owned)
    });
    let opened = app.client.get(link.expect("a link")).send().expect("an answer");
    assert_eq!(opened.status(), 303);
    let list = app.get("/bookings").text().expect("a page");
    assert!(
        list.contains(&bookings(&app)[0].reference) && !list.contains(&bookings(&app)[1].reference),
        "{list}"
    );
    app.database.assert_books_balance();
}

#[test]
fn two_corrections_at_once_do_not_walk_around_the_limit() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE ticket_types SET max_per_person = 3, facts_version = facts_version + 1");
    let locations: Vec<String> =
        (0..4).map(|number| book_for(&app, "VIP", 2, &format!("ada{number}@example.org"))).collect();
    let start = Barrier::new(locations.len());
    let moved = thread::scope(|scope| {
        let tries: Vec<_> = locations
            .iter()
            .map(|location| {
                scope.spawn(|| {
                    start.wait();
                    correct(&app, location, "Ada", "ada@example.org").status().as_u16()
                })
            })
            .collect();
        tries.into_iter().map(|it| it.join().expect("an answer")).filter(|status| *status == 303).count()
    });
    assert_eq!(moved, 1, "two and two are more than three");
    let held = "bookings WHERE buyer_email = 'ada@example.org'";
    assert_eq!(app.count(held), 1);
}

#[test]
fn the_buyer_corrects_until_the_first_admission_and_the_organizer_always() {
    let app = TestApp::spawn();
    let location = book_for(&app, "VIP", 2, "ada@example.org");
    app.database.execute(
        "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
         SELECT l.booking_id, 1, l.ticket_type_id, 'admitted', CURRENT_TIMESTAMP FROM booking_lines l",
    );
    let path = format!("{location}/buyer");
    for response in [app.get(&path), correct(&app, &location, "Eve", "eve@example.org")] {
        assert_eq!(response.status(), 409);
        assert!(response.text().expect("a page").contains("A ticket has been scanned."));
    }
    let organizer = app.organizer();
    let reference = bookings(&app)[0].reference.clone();
    let page = app.url(&format!("/admin/bookings/{reference}"));
    let shown = organizer.get(&page).send().expect("an answer").text().expect("a page");
    assert!(shown.contains(&format!("href=\"/admin/bookings/{reference}/buyer\"")), "{shown}");
    let form = organizer.get(format!("{page}/buyer")).send().expect("an answer").text().expect("a page");
    assert!(form.contains("value=\"ada@example.org\""), "{form}");
    let fields = [("name", "Ada Lovelace"), ("email", "ada@müller.example")];
    let response = organizer.post(format!("{page}/buyer")).form(&fields).send().expect("an answer");
    assert_eq!(response.status(), 303);
    let shown = organizer.get(&page).send().expect("an answer").text().expect("a page");
    assert!(shown.contains("<dd>ada<wbr>@müller.example</dd>"), "{shown}");
    assert_eq!(entries(&app), [("admin".into(), format!("{reference} (email)"))]);
    let log = organizer.get(app.url("/admin/audit-log")).send().expect("an answer").text().expect("a page");
    assert!(log.contains("Name or email changed"), "{log}");
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_nothing_is_changed() {
    let app = TestApp::spawn();
    let location = book_for(&app, "VIP", 1, "ada@example.org");
    for (name, email, field, says) in [
        ("", "ada@example.org", "buyer-name", "Enter your name."),
        ("Ada", "ada example.org", "buyer-email", "valid email address"),
        ("Ada", "", "buyer-email", "Enter the email address"),
    ] {
        let response = correct(&app, &location, name, email);
        assert_eq!(response.status(), 422);
        let page = response.text().expect("a page");
        assert!(page.contains(&format!("id=\"{field}-error\"")) && page.contains(says), "{page}");
        assert!(page.contains(&format!("value=\"{email}\"")), "{page}");
    }
    let same = correct(&app, &location, " Ada  Lovelace ", "<ada@example.org>");
    assert_eq!(header(&same, "location"), location, "the same as it was");
    let name = correct(&app, &location, "Ada King", "ada@example.org");
    assert_eq!(header(&name, "location"), location, "another name needs no other link");
    assert_eq!(entries(&app).len(), 1);
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
    assert_eq!(header(&app.get(&format!("{location}/buyer")), "location"), location);
    assert_eq!(correct(&app, &location, "Eve", "eve@example.org").status(), 409);
    for path in ["/bookings/AAAAAAAAAAAAAAAAAAAAAAAA/buyer", "/bookings/%00/buyer"] {
        assert_eq!(
            (
                app.get(path).status().as_u16(),
                correct(&app, &path.replace("/buyer", ""), "A", "a@b.org").status().as_u16()
            ),
            (404, 404)
        );
    }
}

/// Each change sends a mail to an address that nobody has verified.
#[test]
fn a_buyer_changes_the_address_five_times_at_most() {
    let app = TestApp::spawn();
    book_for(&app, "VIP", 1, "ada@example.org");
    // The organizer's change is none of the five.
    let path = app.url(&format!("/admin/bookings/{}/buyer", bookings(&app)[0].reference));
    let fields = [("name", "Ada"), ("email", "ada.king@example.org")];
    assert_eq!(app.organizer().post(path).form(&fields).send().expect("an answer").status(), 303);
    let mut location = format!("/bookings/{}", bookings(&app)[0].token);
    for number in 0..5 {
        let response = correct(&app, &location, "Ada", &format!("ada{number}@example.org"));
        assert_eq!(response.status(), 303, "{number}");
        location = header(&response, "location").to_owned();
    }
    let refused = correct(&app, &location, "Ada", "ada6@example.org");
    assert_eq!(refused.status(), 409);
    assert!(refused.text().expect("a page").contains("can be changed 5 times"));
}
