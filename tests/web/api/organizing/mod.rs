//! An organizer's program can do the same with concerts and ticket types as the forms, under the same rules.

mod changes;
mod guards;

use reqwest::blocking::RequestBuilder;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::admin::tokens::make_token;
use crate::support::audit::audited;
use crate::support::{TestApp, browser, header};

/// A program with a token.
struct Program<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Program<'a> {
    fn new(app: &'a TestApp, scopes: &[&str]) -> Self {
        Self { app, token: make_token(app, &app.organizer(), "Tour planner", scopes) }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        browser().request(method, self.app.url(&format!("/api/v1/events{path}"))).bearer_auth(&self.token)
    }

    fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(method, path).json(body))
    }

    fn act(&self, method: Method, path: &str) -> (StatusCode, Value) {
        answer(self.request(method, path))
    }

    fn get(&self, path: &str) -> Value {
        self.act(Method::GET, path).1
    }

    /// Creates a draft that is ready to be published. Returns its slug.
    fn draft(&self, name: &str) -> String {
        let (status, event) = self.send(Method::POST, "", &night(name));
        assert_eq!(status, 201, "{event}");
        let slug = event["slug"].as_str().expect("a slug").to_owned();
        let (status, added) = self.send(Method::POST, &format!("/{slug}/ticket-types"), &balcony());
        assert_eq!(status, 201, "{added}");
        slug
    }
}

fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().expect("an answer");
    (response.status(), response.json().expect("JSON"))
}

fn night(name: &str) -> Value {
    json!({ "name": name, "venue": "The Cellar", "city": "Chicago", "startsAt": "2027-06-19T20:00",
        "timeZone": "America/Chicago", "currency": "USD" })
}

fn balcony() -> Value {
    json!({ "name": "Balcony", "price": { "cents": 4_550 }, "capacity": 80 })
}

/// The pointers to the wrong fields, sorted.
fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors");
    let mut all: Vec<&str> = errors.iter().filter_map(|it| it["pointer"].as_str()).collect();
    all.sort_unstable();
    all
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().and_then(|it| it.strip_prefix("/api/docs#problem-")).expect("a problem")
}

#[test]
fn a_concert_is_created_completed_published_and_sold() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let created = program.request(Method::POST, "").json(&night("Zoë & the Café")).send().expect("an answer");
    assert_eq!(header(&created, "location"), "/api/v1/events/zoe-the-cafe");
    assert_eq!(header(&created, "cache-control"), "private, no-store");
    let event: Value = created.json().expect("JSON");
    assert_eq!((&event["state"], &event["startsAt"]), (&json!("draft"), &json!("2027-06-20T01:00:00.000Z")));
    assert_eq!((&event["endsAt"], &event["listed"]), (&json!("2027-06-20T04:00:00.000Z"), &json!(true)));

    // Nobody else sees it.
    assert_eq!(app.get("/api/v1/events/zoe-the-cafe").status(), 404);
    assert!(!app.get("/api/v1/events").text().expect("JSON").contains("zoe-the-cafe"));
    assert!(program.get("").to_string().contains("zoe-the-cafe"));
    assert_eq!(program.get("/zoe-the-cafe")["name"], "Zoë & the Café");

    // Publishing is refused, and the answer lists what is missing.
    let (status, problem) = program.act(Method::POST, "/zoe-the-cafe/publication");
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/ticketTypes"]));
    let (status, added) = program.send(Method::POST, "/zoe-the-cafe/ticket-types", &balcony());
    assert_eq!((status.as_u16(), &added["price"]["cents"]), (201, &json!(4_550)));
    assert_eq!((&added["state"], &added["sale"]), (&json!("on-sale"), &json!("not-published")));
    let (status, published) = program.act(Method::POST, "/zoe-the-cafe/publication");
    assert_eq!((status.as_u16(), &published["state"]), (200, &json!("published")));
    assert_eq!(program.act(Method::POST, "/zoe-the-cafe/publication").0, 200, "again");

    let shown: Value = app.get("/api/v1/events/zoe-the-cafe").json().expect("JSON");
    assert_eq!((&shown["ticketTypes"][0]["sale"], &shown["version"]), (&json!("on-sale"), &Value::Null));
    assert!(app.get("/events/zoe-the-cafe").text().expect("a page").contains("$45.50"));
    let booking =
        json!({ "ticketTypeId": added["id"], "quantity": 2, "name": "Ada", "email": "ada@example.org" });
    assert_eq!(app.post_booking("8e03978e-40d5-43dd-bc93-6894a57f9324", &booking).status(), 201);

    // Tickets are booked, so the concert cannot be withdrawn; pausing stops the sale.
    let (status, problem) = program.act(Method::DELETE, "/zoe-the-cafe/publication");
    assert_eq!((status.as_u16(), kind(&problem)), (409, "change-refused"));
    for (method, paused, sale) in [
        (Method::POST, true, "sale-paused"),
        (Method::DELETE, false, "on-sale"),
        (Method::POST, true, "sale-paused"),
    ] {
        let (status, event) = program.act(method, "/zoe-the-cafe/pause");
        assert_eq!((status.as_u16(), &event["paused"]), (200, &json!(paused)));
        let shown: Value = app.get("/api/v1/events/zoe-the-cafe").json().expect("JSON");
        assert_eq!(shown["ticketTypes"][0]["sale"], sale);
    }
    assert_eq!(app.post_booking("9e03978e-40d5-43dd-bc93-6894a57f9324", &booking).status(), 409);
    let who = audited(&app, "event published");
    assert!(who.iter().all(|entry| format!("{entry:?}").contains("API token Tour planner")), "{who:?}");
    app.database.assert_books_balance();
}

#[test]
fn what_is_wrong_is_said_by_the_forms_rules_for_each_field() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let wrong = json!({ "name": "", "slug": "A B", "startsAt": "2027-03-14T02:30", "doorsAt": "2027-11-07T01:30",
        "timeZone": "America/Chicago", "ageLimit": 0, "tagline": 5, "listed": "yes", "starts_at": "x", "nonsense": 1 });
    let (status, problem) = program.send(Method::POST, "", &wrong);
    assert_eq!((status.as_u16(), kind(&problem)), (422, "invalid-request"));
    assert_eq!(pointers(&problem), ["#/listed", "#/nonsense", "#/starts_at", "#/tagline"]);
    assert!(problem.to_string().contains("There is no such field. Use startsAt."), "{problem}");
    let wrong = json!({ "name": "", "slug": "A B", "startsAt": "2027-03-14T02:30", "doorsAt": "2027-11-07T01:30",
        "timeZone": "America/Chicago", "ageLimit": 0 });
    let (status, problem) = program.send(Method::POST, "", &wrong);
    assert_eq!(status, 422);
    assert_eq!(pointers(&problem), ["#/ageLimit", "#/doorsAt", "#/name", "#/slug", "#/startsAt"]);
    for words in ["Enter the concert’s name.", "doesn’t exist on March 14, 2027", "happens twice"] {
        assert!(problem.to_string().contains(words), "{words}: {problem}");
    }
    assert_eq!(app.count("events"), 1);

    let taken =
        json!({ "name": "X", "slug": "midnight-parade", "startsAt": "2027-06-19T20:00", "timeZone": "UTC" });
    let (status, problem) = program.send(Method::POST, "", &taken);
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/slug"]));
    let bad_type = json!({ "name": "VIP", "price": { "cents": 100, "currency": "EUR" }, "capacity": 0, "icon": "bomb",
        "state": "on_sale", "position": 0 });
    let (status, problem) = program.send(Method::POST, "/midnight-parade/ticket-types", &bad_type);
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/position", "#/state"]));
    let bad_type = json!({ "name": "VIP", "price": "1.500", "capacity": 0, "icon": "bomb" });
    let (status, problem) = program.send(Method::POST, "/midnight-parade/ticket-types", &bad_type);
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/capacity", "#/icon", "#/price"]));
    let same_name = json!({ "name": "VIP", "price": "1.50", "capacity": 5 });
    let (status, problem) = program.send(Method::POST, "/midnight-parade/ticket-types", &same_name);
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/name"]));
}
