//! Text that only this site can read or make: encrypted and authenticated (AES-256-GCM) with the site's secret.

use actix_web::cookie::{Cookie, CookieJar, Key};

use super::secret::{Purpose, Secrets};

/// Longest sealed text in a URL, in bytes. The longest address takes less than half of it.
const URL_LENGTH_MAX: usize = 1024;

/// Seals and opens text for one purpose.
#[derive(Clone)]
pub struct Sealer {
    /// The first one seals, each of them opens: sealed text stays readable when the secret is replaced.
    keys: Vec<Key>,
}

impl Sealer {
    #[must_use]
    pub fn new(secrets: &Secrets, purpose: Purpose) -> Self {
        Self { keys: secrets.keys(purpose).iter().map(|key| Key::derive_from(key)).collect() }
    }

    /// The sealed text, in Base64. It opens only under the same name.
    #[must_use]
    pub fn seal(&self, name: &str, text: &str) -> String {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.keys[0]).add(Cookie::new(name.to_owned(), text.to_owned()));
        jar.get(name).map(|cookie| cookie.value().to_owned()).unwrap_or_default()
    }

    /// Like [`Sealer::seal`], in characters that may stand in a query or a path.
    #[must_use]
    pub fn seal_for_url(&self, name: &str, text: &str) -> String {
        self.seal(name, text).replace('+', "-").replace('/', "_").replace('=', "")
    }

    /// The text of what was sealed for a URL.
    #[must_use]
    pub fn open_from_url(&self, name: &str, sealed: &str) -> Option<String> {
        if sealed.len() > URL_LENGTH_MAX || !sealed.is_ascii() {
            return None;
        }
        let padding = "=".repeat((4 - sealed.len() % 4) % 4);
        self.open(name, &(sealed.replace('-', "+").replace('_', "/") + padding.as_str()))
    }

    /// The text; `None` if it was not sealed here under this name.
    #[must_use]
    pub fn open(&self, name: &str, sealed: &str) -> Option<String> {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(name.to_owned(), sealed.to_owned()));
        self.keys.iter().find_map(|key| Some(jar.private(key).get(name)?.value().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_under_its_name_and_the_secrets_that_are_known() {
        let sealer = Sealer::new(&"before".into(), Purpose::Cookies);
        let sealed = sealer.seal("buyer", "Ada");
        assert!(!sealed.contains("Ada") && sealed != sealer.seal("buyer", "Ada"));
        assert_eq!(sealer.open("buyer", &sealed).as_deref(), Some("Ada"));
        assert_eq!(sealer.open("toast", &sealed), None, "another name");
        assert_eq!(Sealer::new(&"before".into(), Purpose::BookingLinks).open("buyer", &sealed), None);
        let rotated = Secrets::new("after".into(), vec!["before".into()]);
        assert_eq!(Sealer::new(&rotated, Purpose::Cookies).open("buyer", &sealed).as_deref(), Some("Ada"));
        assert_eq!(Sealer::new(&"after".into(), Purpose::Cookies).open("buyer", &sealed), None);
    }
}
