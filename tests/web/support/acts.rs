//! What buyers and organizers do.

use chrono::{TimeDelta, Utc};
use diesel::QueryableByName;
use reqwest::blocking::{Client, Response};
use techkraft::money::grouped;

use super::{TestApp, between, browser};
use testkit::database::TestDatabase;
use testkit::wait::eventually;

/// A form that has only a button.
pub const NO_FIELDS: [(&str, &str); 0] = [];

/// A checkout's form, as it was rendered.
pub struct Checkout {
    pub ticket_type: String,
    pub request_key: String,
}

impl Checkout {
    /// What a browser sends for one ticket.
    pub fn fields<'a>(&'a self, name: &'a str, email: &'a str) -> [(&'static str, &'a str); 5] {
        self.fields_of("1", name, email)
    }

    /// The same for this many tickets.
    pub fn fields_of<'a>(
        &'a self,
        quantity: &'a str,
        name: &'a str,
        email: &'a str,
    ) -> [(&'static str, &'a str); 5] {
        [
            ("ticket_type", &self.ticket_type),
            ("quantity", quantity),
            ("name", name),
            ("email", email),
            ("request_key", &self.request_key),
        ]
    }
}

/// Makes all concerts take place tonight.
pub fn open_doors(database: &TestDatabase) {
    let (starts, ends) = (Utc::now() + TimeDelta::hours(1), Utc::now() + TimeDelta::hours(4));
    let (starts, ends) = (starts.format("%F %T"), ends.format("%F %T"));
    database.execute(&format!(
        "UPDATE events SET starts_at = '{starts}', ends_at = '{ends}', cancellation_deadline_minutes = 0"
    ));
}

impl TestApp {
    /// The id of a tier, as the page's form names it.
    pub fn tier_id(&self, tier: &str) -> String {
        let html = self.get("/").text().expect("a page");
        let card = html.split("<article").find(|card| card.contains(&format!(">{tier}</h3>"))).expect(tier);
        between(card, "name=\"ticket_type\" value=\"", "\"").to_owned()
    }

    /// Marks all but `available` tickets of a tier as sold, directly in the database, and waits until the app's board
    /// shows this.
    pub fn set_available(&self, tier: &str, available: u32) {
        self.database.set_available(tier, available);
        let capacity = self.database.tier(tier).capacity;
        self.wait_until_shown(&format!(
            "<strong>{}</strong> of {} left",
            grouped(available),
            grouped(capacity)
        ));
    }

    /// Waits until the board shows what was changed directly in the database.
    pub fn wait_until_shown(&self, text: &str) {
        eventually(&format!("the board shows {text:?}"), || {
            self.get("/").text().expect("a page").contains(text)
        });
    }

    /// Makes all concerts take place tonight, as the gates require.
    pub fn open_doors(&self) {
        open_doors(&self.database);
    }

    /// Opens the checkout of a tier.
    pub fn open_checkout(&self, tier: &str, quantity: u32) -> Checkout {
        let ticket_type = self.tier_id(tier);
        let html = self.get(&format!("/bookings/new?ticket_type={ticket_type}&quantity={quantity}"));
        let html = html.text().expect("a page");
        let request_key = between(&html, "name=\"request_key\" value=\"", "\"").to_owned();
        Checkout { ticket_type, request_key }
    }

    /// Sends a checkout's form.
    pub fn confirm(&self, checkout: &Checkout, quantity: u32) -> Response {
        self.confirm_as(&self.client, checkout, quantity)
    }

    /// The same from another browser.
    pub fn confirm_as(&self, client: &Client, checkout: &Checkout, quantity: u32) -> Response {
        self.confirm_for("ada@example.org", client, checkout, quantity)
    }

    /// The same for another person.
    pub fn confirm_for(&self, email: &str, client: &Client, checkout: &Checkout, quantity: u32) -> Response {
        let quantity = quantity.to_string();
        let form = checkout.fields_of(&quantity, "Ada Lovelace", email);
        client.post(self.url("/bookings")).form(&form).send().expect("an answer")
    }

    /// Makes the last booking so many seconds older.
    pub fn age_the_last_booking(&self, seconds: u32) {
        self.age(seconds, "id = (SELECT max(id) FROM bookings)");
    }

    /// The same for all bookings.
    pub fn age_bookings(&self, seconds: u32) {
        self.age(seconds, "true");
    }

    fn age(&self, seconds: u32, which: &str) {
        let earlier = if self.database.is_postgres() {
            format!("created_at - interval '{seconds} seconds'")
        } else {
            format!("strftime('%Y-%m-%d %H:%M:%f', created_at, '-{seconds} seconds')")
        };
        self.database.execute(&format!("UPDATE bookings SET created_at = {earlier} WHERE {which}"));
    }

    /// Books as a buyer who ticks the box to be remembered.
    pub fn book_and_be_remembered(&self, tier: &str) -> Response {
        let checkout = self.open_checkout(tier, 1);
        self.send(&[
            ("ticket_type", &checkout.ticket_type),
            ("quantity", "1"),
            ("name", "Ada Lovelace"),
            ("email", "ada@example.org"),
            ("request_key", &checkout.request_key),
            ("remember", "1"),
        ])
    }

    /// Books with one click, as a buyer who is remembered.
    pub fn book_with_one_click(&self, tier: &str) -> Response {
        let page = self.get("/").text().expect("a page");
        let express = between(&page, "id=\"express\"", "id=\"availability\"");
        self.send(&[
            ("ticket_type", &self.tier_id(tier)),
            ("quantity", "1"),
            ("one_click", "1"),
            ("request_key", between(express, "name=\"request_key\" value=\"", "\"")),
        ])
    }

    /// Sends the checkout's form with these fields.
    pub fn send(&self, form: &[(&str, &str)]) -> Response {
        self.post("/bookings", form)
    }

    /// Gives back the first ticket of a booking with several tickets.
    pub fn give_one_back(&self, location: &str) -> Response {
        self.post(&format!("{location}/cancellation"), &[("choice", "1"), ("seat_1", "on")])
    }

    /// Books, from the checkout to the answer.
    pub fn book(&self, tier: &str, quantity: u32) -> Response {
        let checkout = self.open_checkout(tier, quantity);
        self.confirm(&checkout, quantity)
    }

    /// Books, and returns the path of the confirmation.
    pub fn book_well(&self, tier: &str, quantity: u32) -> String {
        let response = self.book(tier, quantity);
        assert_eq!(response.status(), 303, "{}", response.text().unwrap_or_default());
        super::header(&response, "location").to_owned()
    }

    /// Cancels a booking, as its page's form does it, from another browser and at any server.
    pub fn cancel_at(&self, client: &Client, server: std::net::SocketAddr, location: &str) -> Response {
        let post = client.post(format!("http://{server}{location}/cancellation"));
        post.form(&NO_FIELDS).send().expect("an answer")
    }

    /// A browser in which the organizer is signed in.
    pub fn organizer(&self) -> Client {
        let client = browser();
        let response = self.sign_in(&client, &self.admin_password);
        assert_eq!((response.status().as_u16(), super::header(&response, "location")), (303, "/admin"));
        client
    }

    /// A browser in which somebody of that role is signed in, as `role`, with the organizer's password.
    pub fn member(&self, role: &str) -> Client {
        self.add_account(role, role);
        let client = browser();
        let response = self.sign_in_as(&client, role, &self.admin_password);
        assert_eq!((response.status().as_u16(), super::header(&response, "location")), (303, "/admin"));
        client
    }

    /// Adds an account with the organizer's password.
    pub fn add_account(&self, username: &str, role: &str) {
        let prefix = if role == "owner" { "" } else { "restricted:" };
        self.database.execute(&format!(
            "INSERT INTO admins (username, password_hash, created_at, role)
             SELECT '{username}', '{prefix}' || password_hash, created_at, '{role}' FROM admins WHERE username = 'admin'"
        ));
    }

    pub fn sign_in_as(&self, client: &Client, username: &str, password: &str) -> Response {
        let form = [("username", username), ("password", password)];
        client.post(self.url("/admin/sign-in")).form(&form).send().expect("an answer")
    }

    pub fn sign_in(&self, client: &Client, password: &str) -> Response {
        self.sign_in_as(client, "admin", password)
    }

    /// How many rows a table has; a WHERE may follow its name.
    pub fn count(&self, table: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        self.database.rows::<Count>(&format!("SELECT COUNT(*) AS count FROM {table}"))[0].count
    }
}
