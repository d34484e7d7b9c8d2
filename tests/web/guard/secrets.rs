//! Secrets that are replaced.

use techkraft::guard::secret::SecretConfig;
use techkraft::guard::secret::Secrets;
use techkraft::tickets::code::TicketCodes;

use crate::check_in;
use crate::support::{TestApp, browser, header};

const OLD: &str = "6f1ed002ab5595859014ebf0951522d9";
const NEW: &str = "q3Jt0Zr9pXw1mVbK7yUeA5sLdHf2GcN8";

fn with_secrets(current: &str, previous: &[&str]) -> TestApp {
    let previous = previous.iter().map(ToString::to_string).collect();
    TestApp::spawn_with(|config| {
        config.secrets = SecretConfig { current: Some(current.into()), previous };
    })
}

#[test]
fn a_secret_is_replaced_and_nobody_loses_a_form_or_a_cookie() {
    let before = with_secrets(OLD, &[]);
    let rotated = with_secrets(NEW, &[OLD]);
    let after = with_secrets(NEW, &[]);

    let buyer = header(&before.book_and_be_remembered("VIP"), "set-cookie")
        .split(';')
        .next()
        .expect("a pair")
        .to_owned();
    let greets = |app: &TestApp| {
        let page = browser().get(app.url("/")).header("cookie", &buyer).send().expect("an answer");
        page.text().expect("a page").contains("Welcome back, Ada")
    };
    assert!(greets(&before) && greets(&rotated), "what the old one sealed is read");
    assert!(!greets(&after), "as long as it is named");

    let opened_before = before.open_checkout("VIP", 1);
    assert_eq!(rotated.confirm(&opened_before, 1).status(), 303);
    assert_eq!(after.confirm(&opened_before, 1).status(), 422);

    let opened_since = rotated.open_checkout("VIP", 1);
    assert_eq!(after.confirm(&opened_since, 1).status(), 303, "new things are made with the new one");
    assert_eq!(before.confirm(&opened_since, 1).status(), 422);
}

#[test]
fn tickets_of_the_secret_before_still_open_the_gate() {
    let app = with_secrets(NEW, &[OLD]);
    let organizer = app.organizer();
    let codes = check_in::codes(&app, &app.book_well("VIP", 1));
    let reference = format!("TK-{}", &codes[0][..9]);
    let signed = |secret: &str| {
        let codes = TicketCodes::new(&Secrets::new(secret.into(), Vec::new()));
        codes.sign(&reference, 1).expect("a code")
    };
    assert_eq!(signed(NEW), codes[0], "new tickets are signed with the new one");
    app.open_doors();
    let third = signed("a third secret that nobody has ever set");
    assert_eq!(check_in::scan(&app, &organizer, "North gate", &third).status(), 404);
    assert_eq!(check_in::scan(&app, &organizer, "North gate", &signed(OLD)).status(), 201);
    assert_eq!(check_in::scan(&app, &organizer, "South gate", &codes[0]).status(), 409, "it is one ticket");
}
