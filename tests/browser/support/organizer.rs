//! The steps with which a visitor becomes the organizer.

use super::{Site, Visitor};

impl Visitor {
    /// Signs in as the admin, which leads to the admin's page.
    pub async fn sign_in(&self, site: &Site) {
        self.visit("/admin/sign-in").await;
        self.fill("#username", "admin").await;
        self.fill("#password", &site.password).await;
        self.click("#main button[type=submit]").await;
        self.see("#sales").await;
    }

    /// Fills in the page that changes the password, and sends it.
    pub async fn change_password(&self, current: &str, new: &str, repeated: &str) {
        self.visit("/admin/password").await;
        self.fill("#current-password", current).await;
        self.fill("#new-password", new).await;
        self.fill("#repeated-password", repeated).await;
        self.click("#main button[type=submit]").await;
    }
}
