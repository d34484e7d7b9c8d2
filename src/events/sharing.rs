//! What other sites and search engines show of our pages: title, description, absolute address, picture.

use super::Event;
use super::preview::Poster;

/// The name of the site, as other sites show it.
pub const SITE_NAME: &str = "TechKraft Tickets";

/// A public page, as it is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPage {
    /// Absolute, and the same however the page was reached.
    pub url: String,
    pub title: String,
    pub description: String,
    pub picture: Option<SharedPicture>,
}

/// The picture beside a link. All have one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPicture {
    /// Absolute.
    pub url: String,
    /// Describes what the picture shows.
    pub alt: String,
}

impl SharedPage {
    /// A page without a picture. `site`: its address as visitors know it.
    #[must_use]
    pub fn new(site: &str, path: &str, title: &str, description: &str) -> Self {
        let (title, description) = (title.to_owned(), description.to_owned());
        Self { url: format!("{site}{path}"), title, description, picture: None }
    }

    /// A concert's page.
    #[must_use]
    pub fn of_concert(site: &str, event: &Event) -> Self {
        let place = format!("{}, {}", event.venue, event.city);
        let description = format!("{} at {place}, {}. {}", event.name, event.date(), event.tagline);
        let page = Self::new(site, &format!("/events/{}", event.slug), &event.name, description.trim_end());
        Self { picture: Some(SharedPicture::of_concert(site, event)), ..page }
    }
}

impl SharedPicture {
    /// A concert's picture, or its poster. Its address changes with its content, so that no site shows an old
    /// one.
    #[must_use]
    pub fn of_concert(site: &str, event: &Event) -> Self {
        if let Some(picture) = event.picture() {
            let alt = if event.image_alt.is_empty() { &event.name } else { &event.image_alt };
            return Self { url: format!("{site}{}", picture.social_url()), alt: alt.clone() };
        }
        let tag = Poster::of(event).tag();
        Self {
            url: format!("{site}/events/{}/preview.png?v={tag}", event.slug),
            alt: format!("Poster: {}, {}, {}", event.name, event.date(), event.city),
        }
    }
}
