//! The team: roles that change, accounts that end, and the owner who stays.

use std::sync::Barrier;
use std::thread;

use chrono::Utc;
use reqwest::blocking::Client;
use techkraft::audit::Actor;
use techkraft::auth::store::second_factor;
use techkraft::db::{Database, DatabaseUrl};

use super::audited;
use super::invitations::{accept, change, get, invited, page, post};
use crate::support::orders::retry_while_busy;
use crate::support::{TestApp, between, browser, header};

fn id_of(app: &TestApp, username: &str) -> i64 {
    app.count(&format!(
        "(SELECT * FROM admins WHERE id <= (SELECT id FROM admins WHERE username = '{username}')) a"
    ))
}

#[test]
fn another_role_or_the_end_of_an_account_counts_at_once() {
    let app = TestApp::spawn();
    let (owner, grace) = (app.organizer(), app.member("organizer"));
    assert_eq!(get(&app, &grace, "/admin/events").status(), 200);
    // A change needs the owner's password.
    let html = page(&app, &owner, "/admin/team");
    let row = html.split("team__name").find(|row| row.contains(">organizer</a>")).expect("a row");
    let url = between(row, "href=\"", "\"").to_owned();
    let refused = post(&app, &owner, &url, &[("change", "gate"), ("password", "not the password")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("value=\"gate\" checked"));
    assert_eq!(get(&app, &grace, "/admin/events").status(), 200);

    let changed = change(&app, &owner, "organizer", "gate");
    assert_eq!((changed.status().as_u16(), header(&changed, "location")), (303, "/admin/team"));
    assert_eq!(header(&get(&app, &grace, "/admin/events"), "location"), "/admin/sign-in?next=/admin/events");
    assert_eq!(app.sign_in_as(&grace, "organizer", &app.admin_password).status(), 303);
    assert_eq!(get(&app, &grace, "/admin/events").status(), 403);
    let entry = ("admin".into(), "organizer: organizer to gate".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "role changed"), [entry]);
    // The member becomes an owner, and is then removed. The password stays, and a server of the previous release can
    // read only an owner's.
    assert_eq!(change(&app, &owner, "organizer", "owner").status(), 303);
    assert_eq!(app.count("admins WHERE password_hash LIKE '$argon2%'"), 2);
    assert_eq!(app.sign_in_as(&grace, "organizer", &app.admin_password).status(), 303);
    assert_eq!(get(&app, &grace, "/admin/team").status(), 200);
    assert_eq!(change(&app, &owner, "organizer", "remove").status(), 303);
    assert_eq!(get(&app, &grace, "/admin/team").status(), 303);
    assert_eq!(app.sign_in_as(&browser(), "organizer", &app.admin_password).status(), 422);
    assert_eq!((app.count("admins"), app.count("admin_sessions")), (1, 1));
    let entry = ("admin".into(), "organizer".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "account removed"), [entry]);
    // The name stays reserved for the removed account, so nobody else can act under it.
    app.database.execute(
        "INSERT INTO audit_log (actor, action, subject, affected, created_at)
         VALUES ('organizer', 'account made', 'organizer', 1, CURRENT_TIMESTAMP)",
    );
    let link = invited(&app, &owner, "new@example.org", "organizer");
    let taken = accept(&app, &browser(), &link, "organizer");
    assert_eq!(taken.status(), 422);
    assert!(taken.text().expect("a page").contains("This username is taken"));
    let gone = post(&app, &owner, &url, &[("change", "gate"), ("password", &app.admin_password)]);
    assert_eq!(gone.status(), 303);
}

#[test]
fn an_account_cannot_raise_itself_and_the_last_owner_stays() {
    let app = TestApp::spawn();
    let (owner, grace) = (app.organizer(), app.member("organizer"));
    let grace_url = format!("/admin/team/{}", id_of(&app, "organizer"));
    let raise = [("change", "owner"), ("password", app.admin_password.as_str())];
    assert_eq!(post(&app, &grace, &grace_url, &raise).status(), 403);
    assert_eq!(app.count("admins WHERE role = 'owner'"), 1);
    for end in ["organizer", "box_office", "gate", "remove"] {
        let refused = change(&app, &owner, "admin", end);
        assert_eq!(refused.status(), 409, "{end}");
        assert!(refused.text().expect("a page").contains("This is the only owner"), "{end}");
    }
    assert_eq!(get(&app, &owner, "/admin/team").status(), 200);
    assert_eq!(app.count("admins WHERE role = 'owner'"), 1);
    // When there is another owner, the first one may be removed.
    assert_eq!(change(&app, &owner, "organizer", "owner").status(), 303);
    assert_eq!(change(&app, &owner, "admin", "remove").status(), 303);
    assert_eq!(get(&app, &owner, "/admin/team").status(), 303);
    assert_eq!(app.count("admins WHERE role = 'owner'"), 1);
    // A server that starts now does not create another admin.
    let _another = app.another_server();
    assert_eq!(app.count("admins"), 1);
}

#[test]
fn of_owners_who_remove_each_other_together_one_stays() {
    let app = TestApp::spawn();
    let names = ["one", "two", "three", "four"];
    let owners: Vec<Client> = names
        .iter()
        .map(|name| {
            app.add_account(name, "owner");
            let client = browser();
            assert_eq!(app.sign_in_as(&client, name, &app.admin_password).status(), 303);
            client
        })
        .collect();
    let first = app.organizer();
    assert_eq!(change(&app, &first, "admin", "remove").status(), 303);
    // Each removes the next one.
    thread::scope(|scope| {
        for (index, owner) in owners.iter().enumerate() {
            let (app, next) = (&app, names[(index + 1) % names.len()]);
            scope.spawn(move || {
                let html = page(app, owner, "/admin/team");
                let row = html.split("team__name").find(|row| row.contains(&format!(">{next}</a>")));
                // The next owner was removed already, or this owner was signed out.
                let Some(row) = row else { return };
                let url = between(row, "href=\"", "\"").to_owned();
                post(app, owner, &url, &[("change", "remove"), ("password", &app.admin_password)]);
            });
        }
    });
    let left = app.count("admins WHERE role = 'owner'");
    assert!(left >= 1, "nobody may change anything any more");
}

#[test]
fn owners_who_require_a_second_factor_at_once_require_it_once() {
    let app = TestApp::spawn();
    let url = DatabaseUrl::parse(&app.database.url).expect("a URL");
    let (database, start) = (Database::open(&url, 4).expect("it opens"), Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (owner, now) = (Actor::command_line(), Utc::now().naive_utc());
                start.wait();
                retry_while_busy(|| {
                    database.write_blocking(|db| second_factor::require(db, true, &owner, now))
                });
            });
        }
    });
    assert_eq!((app.count("team_rules"), audited(&app, "second factor required").len()), (1, 1));
}
