//! The terms of a concert: until when buyers may cancel, and what one person may hold.

use std::sync::Barrier;
use std::thread;

use reqwest::blocking::{Client, Response};

use super::concerts::{page, post as post_form};
use super::{assert_stale, audited, hidden_field};
use crate::support::{TestApp, header};

const PATH: &str = "/admin/events/midnight-parade/terms";

fn field(app: &TestApp, tier: &str) -> String {
    format!("max_per_person_{}", app.tier_id(tier))
}

/// Posts a deadline, and limits for VIP and Front Row.
fn post(app: &TestApp, organizer: &Client, deadline: &str, vip: &str, front_row: &str) -> Response {
    let (vip_field, front_row_field) = (field(app, "VIP"), field(app, "Front Row"));
    let form = [("cancellation_deadline_hours", deadline), (&vip_field, vip), (&front_row_field, front_row)];
    organizer.post(app.url(PATH)).form(&form).send().expect("an answer")
}

#[test]
fn the_organizer_changes_the_terms_and_they_hold_at_once() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let shown = organizer.get(app.url(PATH)).send().expect("an answer").text().expect("a page");
    let vip = format!("name=\"{}\" value=\"10\"", field(&app, "VIP"));
    for text in ["name=\"cancellation_deadline_hours\" value=\"24\"", &vip, "June 19, 2027"] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    let location = app.book_well("VIP", 3);

    let changed = post(&app, &organizer, " 1.5 ", "3", "2");
    assert_eq!(
        (changed.status().as_u16(), header(&changed, "location")),
        (303, "/admin/events/midnight-parade")
    );
    let shown = organizer.get(app.url(PATH)).send().expect("an answer").text().expect("a page");
    let front_row = format!("name=\"{}\" value=\"2\"", field(&app, "Front Row"));
    for text in ["name=\"cancellation_deadline_hours\" value=\"1.5\"", &front_row] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    // The earlier booking already uses up the limit for VIP, and the other tier has a limit now.
    assert_eq!(app.book("VIP", 1).status(), 409);
    app.book_well("Front Row", 2);
    assert_eq!(app.book("Front Row", 1).status(), 409);
    assert!(app.get(&location).text().expect("a page").contains("6:30\u{a0}PM\u{a0}CDT"), "the new deadline");

    // Empty fields: buyers may not cancel at all, and there are no limits.
    assert_eq!(post(&app, &organizer, "", "", "").status(), 303);
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 409);
    app.book_well("VIP", 8);
    let details = |which: &str| {
        app.database.text(&format!(
            "SELECT details AS text FROM audit_log WHERE id =
             (SELECT {which}(id) FROM audit_log WHERE action = 'terms changed')"
        ))
    };
    assert_eq!(
        details("MIN"),
        "cancellation deadline: 24 h before the start → 90 min before the start\n\
         VIP: limit per person: 10 → 3\nFront Row: limit per person: none → 2"
    );
    assert!(details("MAX").starts_with("cancellation deadline: 90 min before the start → none\nVIP: "));
    let entry = ("admin".to_owned(), "Midnight Parade".to_owned());
    let written = audited(&app, "terms changed").into_iter().map(|(actor, subject, ..)| (actor, subject));
    assert_eq!(written.collect::<Vec<_>>(), [entry.clone(), entry]);
    app.database.assert_books_balance();
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_nothing_is_lost() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let refused = post(&app, &organizer, "a day <b>", "101", "0");
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    for text in [
        "value=\"a day &#60;b&#62;\"",
        "Enter hours, like 24, 1.5 or 1:30.",
        "value=\"101\"",
        "Enter 1 to 100, or leave empty.",
        "Enter 1 to 200, or leave empty.",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 3);
    let shown = organizer.get(app.url(PATH)).send().expect("an answer").text().expect("a page");
    assert!(shown.contains("name=\"cancellation_deadline_hours\" value=\"24\""), "{shown}");
    assert_eq!(audited(&app, "terms changed"), []);
}

#[test]
fn numbers_are_read_as_people_type_them() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for (typed, shown) in [
        ("1,5", "1.5"),
        ("1.5", "1.5"),
        ("\u{661}\u{66b}\u{665}", "1.5"),
        ("\u{6f1}\u{6f2}", "12"),
        ("１．５", "1.5"),
        ("１２", "12"),
        ("1\u{a0}200", "1200"),
        ("1\u{202f}200,5", "1200.5"),
        ("1.200,5", "1200.5"),
        ("1,200.5", "1200.5"),
        ("1'200", "1200"),
        ("\u{200f}24", "24"),
        ("0,5 ", "0.5"),
        ("10 min", "0:10"),
        ("1½", "1.5"),
        ("1:30", "1.5"),
        ("1.5 h", "1.5"),
        ("90 min", "1.5"),
        ("1·5", "1.5"),
        ("0:10", "0:10"),
    ] {
        assert_eq!(post(&app, &organizer, typed, "", "").status(), 303, "{typed:?}");
        let page = organizer.get(app.url(PATH)).send().expect("an answer").text().expect("a page");
        let field = format!("name=\"cancellation_deadline_hours\" value=\"{shown}\"");
        assert!(page.contains(&field), "{typed:?}: {page}");
    }
    for (typed, limit) in
        [("\u{663}", "3"), ("７", "7"), ("2.0", "2"), ("2,0", "2"), ("\u{a0}10 ", "10"), ("१२", "12")]
    {
        assert_eq!(post(&app, &organizer, "", typed, "").status(), 303, "{typed:?}");
        let page = organizer.get(app.url(PATH)).send().expect("an answer").text().expect("a page");
        let field = format!("name=\"{}\" value=\"{limit}\"", field(&app, "VIP"));
        assert!(page.contains(&field), "{typed:?}: {page}");
    }
    let saved = audited(&app, "terms changed").len();
    // An input that is not a valid number of hours or tickets gets an error beside its field, and stays as it was
    // typed.
    for typed in
        ["-1", "\u{2212}1,5", "1.5.5", "1:5", "1e2", "½½", "NaN", "inf", "1,500", "99999999999999999999"]
    {
        let refused = post(&app, &organizer, typed, "1.5", "2,0");
        let (status, page) = (refused.status(), refused.text().expect("a page"));
        assert_eq!(status, 422, "{typed:?}");
        assert_eq!(page.matches("aria-invalid=\"true\"").count(), 2, "{typed:?}: {page}");
        assert!(
            page.contains(&format!("name=\"cancellation_deadline_hours\" value=\"{typed}\"")),
            "{typed:?}"
        );
        assert!(page.contains("cancellation-deadline-error"), "{typed:?}");
    }
    assert_eq!(audited(&app, "terms changed").len(), saved);
}

#[test]
fn they_are_the_organizers_alone_and_of_a_concert_that_there_is() {
    let app = TestApp::spawn();
    let stranger = post(&app, &app.client, "0", "1", "1");
    assert_eq!(header(&stranger, "location").split('?').next(), Some("/admin/sign-in"));
    let organizer = app.organizer();
    for slug in ["elsewhere", "No%20Slug"] {
        let path = format!("/admin/events/{slug}/terms");
        assert_eq!(organizer.get(app.url(&path)).send().expect("an answer").status(), 404, "{slug}");
    }
}

/// The form as it is shown now, with another deadline and no limits.
fn kept_form(app: &TestApp, organizer: &Client) -> Vec<(String, String)> {
    let shown = page(app, organizer, PATH);
    let mut form = vec![
        ("cancellation_deadline_hours".to_owned(), "48".to_owned()),
        ("organizer_name".into(), "The Old Guard".into()),
    ];
    form.extend(["VIP", "Front Row"].map(|tier| (field(app, tier), String::new())));
    form.extend(hidden_field(&shown, "facts_version").map(|(name, value)| (name.to_owned(), value)));
    form
}

fn send(app: &TestApp, organizer: &Client, form: &[(String, String)]) -> Response {
    organizer.post(app.url(PATH)).form(form).send().expect("an answer")
}

fn limit(app: &TestApp, tier: &str) -> u64 {
    app.database.count(&format!("ticket_types WHERE name = '{tier}' AND max_per_person IS NOT NULL"))
}

#[test]
fn a_form_that_was_opened_before_a_change_undoes_nothing() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let balcony = [("name", "Balcony"), ("price", "80"), ("capacity", "50"), ("max_per_person", "2")];
    // After the form is opened, somebody else adds a ticket type and changes a limit, the deadline and the organizer.
    let before = kept_form(&app, &organizer);
    let types = "/admin/events/midnight-parade/ticket-types/new";
    assert_eq!(post_form(&app, &organizer, types, &balcony).status(), 303);
    let refused = assert_stale(send(&app, &organizer, &before));
    for typed in ["name=\"cancellation_deadline_hours\" value=\"48\"", "value=\"The Old Guard\""] {
        assert!(refused.contains(typed), "what was typed is kept: {refused}");
    }
    assert_eq!(hidden_field(&refused, "facts_version").map(|it| it.1), before.last().map(|it| it.1.clone()));
    let between = kept_form(&app, &organizer);
    let vip = super::concerts::type_path(&app, &organizer, "/admin/events/midnight-parade", "VIP");
    assert_eq!(post_form(&app, &organizer, &vip, &[("max_per_person", "4")]).status(), 303);
    assert_stale(send(&app, &organizer, &between));
    let after = kept_form(&app, &organizer);
    let rules = [("cancellation_deadline_hours", "12"), ("organizer_name", "The New Guard")];
    assert_eq!(post_form(&app, &organizer, PATH, &rules).status(), 303, "a script sends what it changes");
    assert_stale(send(&app, &organizer, &after));
    assert_eq!((limit(&app, "Balcony"), limit(&app, "VIP")), (1, 1));
    let is_new = "organizer_name = 'The New Guard' AND cancellation_deadline_minutes = 720";
    assert_eq!(app.database.count(&format!("events WHERE {is_new}")), 1);
    assert_eq!(audited(&app, "terms changed").len(), 1);

    // A form that is opened again is saved, and a setting whose field is missing stays as it is.
    assert_eq!(send(&app, &organizer, &kept_form(&app, &organizer)).status(), 303);
    assert_eq!((limit(&app, "Balcony"), limit(&app, "VIP")), (1, 0));
}

#[test]
fn a_form_that_was_opened_at_a_former_address_is_not_lost() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let form = kept_form(&app, &organizer);
    let edit = "/admin/events/midnight-parade/edit";
    assert_eq!(post_form(&app, &organizer, edit, &[("slug", "parade")]).status(), 303);
    assert_eq!(organizer.get(app.url(PATH)).send().expect("an answer").status(), 200);
    let refused = assert_stale(send(&app, &organizer, &form));
    assert!(refused.contains("name=\"cancellation_deadline_hours\" value=\"48\""), "{refused}");
    let saved = post_form(&app, &organizer, PATH, &[("cancellation_deadline_hours", "48")]);
    assert_eq!((saved.status().as_u16(), header(&saved, "location")), (303, "/admin/events/parade"));
}

#[test]
fn of_forms_that_are_sent_at_once_one_is_saved() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let form = kept_form(&app, &organizer);
    let start = Barrier::new(4);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let send_one = || {
            start.wait();
            send(&app, &organizer, &form).status().as_u16()
        };
        let sent: Vec<_> = (0..4).map(|_| scope.spawn(send_one)).collect();
        sent.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(303), count(409)), (1, 3), "{statuses:?}");
    assert_eq!(audited(&app, "terms changed").len(), 1);
}
