//! The steps with which a visitor becomes a buyer.

use super::{Tier, Visitor};

pub const NAME: &str = "Ada Lovelace";
pub const EMAIL: &str = "ada@example.org";

/// The button that sends the checkout's form.
pub const CONFIRM: &str = "#checkout-content button[type=submit]";
/// The part that shows a booking, in the dialog or on its page.
pub const CONFIRMATION: &str = "[data-booked]";

impl Tier {
    /// A selector for an element of the ticket type's form.
    pub fn form(&self, rest: &str) -> String {
        format!("#tier-{} form {rest}", self.id)
    }

    pub fn card(&self) -> String {
        format!("#tier-{}", self.id)
    }

    pub fn quantity(&self) -> String {
        format!("#tier-{}-quantity", self.id)
    }

    /// The checkout's quantity field for this ticket type.
    pub fn checkout_quantity(&self) -> String {
        format!("#checkout-quantity-{}", self.id)
    }

    pub fn book_button(&self) -> String {
        self.form(".button--checkout")
    }

    pub fn book_now_button(&self) -> String {
        self.form("button[formaction]")
    }
}

impl Visitor {
    pub async fn open_checkout(&self, tier: &Tier) {
        self.click(&tier.book_button()).await;
        self.see(CONFIRM).await;
    }

    /// Opens the checkout as a separate page, with the list of other ticket types open.
    pub async fn open_more(&self, tier: &Tier) {
        self.visit(&format!("/bookings/new?ticket_type={}&quantity=2", tier.id)).await;
        self.click("#checkout-content summary").await;
    }

    pub async fn fill_in(&self, name: &str, email: &str) {
        self.fill("#checkout-name", name).await;
        self.fill("#checkout-email", email).await;
    }

    /// Asks to be remembered, for one-click booking.
    pub async fn ask_to_be_remembered(&self) {
        self.click(".checkout__remember").await;
    }

    /// Books one ticket as [`Visitor::book`] does, and asks to be remembered.
    pub async fn book_and_be_remembered(&self, tier: &Tier) {
        self.open_checkout(tier).await;
        self.fill_in(NAME, EMAIL).await;
        self.ask_to_be_remembered().await;
        self.click(CONFIRM).await;
        self.see(CONFIRMATION).await;
    }

    /// Goes from the concert to a booking of `quantity` tickets, and leaves the confirmation open.
    pub async fn book(&self, tier: &Tier, quantity: u32) {
        self.fill(&tier.quantity(), &quantity.to_string()).await;
        self.open_checkout(tier).await;
        self.fill_in(NAME, EMAIL).await;
        self.click(CONFIRM).await;
        self.see(CONFIRMATION).await;
    }

    pub async fn close_dialog(&self) {
        self.click("#checkout .actions [data-dialog-close]").await;
        self.until("!document.querySelector('dialog[open]')").await;
    }
}
