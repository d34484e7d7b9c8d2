//! The picture of a concert in JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::events::Event;

/// The picture of a concert, a JPEG.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
pub struct ImageJson {
    /// From the site's root. It names this picture for ever.
    #[schema(format = "uri-reference", example = "/pictures/0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f-1600.jpg")]
    url: String,
    #[schema(minimum = 1)]
    width: u32,
    #[schema(minimum = 1)]
    height: u32,
    /// Describes what the picture shows.
    alt: String,
}

impl ImageJson {
    pub(super) fn of(event: &Event) -> Option<Self> {
        let picture = event.picture()?;
        let (url, alt) = (picture.url(), event.image_alt.clone());
        Some(Self { url, width: picture.width, height: picture.height, alt })
    }
}
