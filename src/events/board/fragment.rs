//! A concert on the board, and its availability fragment: the part of the concert's page that browsers poll.

use std::io::Write as _;
use std::sync::OnceLock;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use askama::Template;

use crate::assets::Encoding;
use crate::error::Error;
use crate::events::pace::Pace;
use crate::events::{Event, TicketType};
use crate::{assets, page};

/// Compression quality: a request waits for it, so most of the gain for little work.
const BROTLI_QUALITY: i32 = 4;
const GZIP_LEVEL: u32 = 5;

/// A concert on the board.
pub struct Listing {
    pub event: Event,
    /// In the order in which they are shown.
    pub ticket_types: Vec<TicketType>,
    /// One for each pace, so that a change of pace renders nothing that was rendered before.
    fragments: [OnceLock<Fragment>; 2],
}

impl Listing {
    pub(super) fn new(event: Event, ticket_types: Vec<TicketType>) -> Self {
        Self { event, ticket_types, fragments: Default::default() }
    }

    /// The ticket type of that id.
    #[must_use]
    pub fn ticket_type(&self, id: i64) -> Option<&TicketType> {
        self.ticket_types.iter().find(|ticket_type| ticket_type.id == id)
    }

    /// The availability fragment of this state, which asks for that pace.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn fragment(&self, pace: Pace) -> Result<&Fragment, Error> {
        let cell = &self.fragments[usize::from(pace.is_slow)];
        if let Some(fragment) = cell.get() {
            return Ok(fragment);
        }
        let fragment = Fragment::render(&self.event, &self.ticket_types, pace)?;
        Ok(cell.get_or_init(|| fragment))
    }
}

/// The availability fragment of one state: rendered once, and compressed once for each encoding that
/// somebody asks for.
pub struct Fragment {
    pub etag: HeaderValue,
    identity: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

#[derive(Template)]
#[template(path = "events/show.html", block = "availability")]
struct Availability<'a> {
    event: &'a Event,
    ticket_types: &'a [TicketType],
    pace: Pace,
}

impl Fragment {
    pub(super) fn render(event: &Event, ticket_types: &[TicketType], pace: Pace) -> Result<Self, Error> {
        let html = page::html(&Availability { event, ticket_types, pace })?;
        Ok(Self {
            etag: etag(ticket_types, pace)?,
            identity: html.into(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        })
    }

    /// What is sent in that encoding.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn body(&self, encoding: Encoding) -> Result<&Bytes, Error> {
        match encoding {
            Encoding::Identity => Ok(&self.identity),
            Encoding::Gzip => once(&self.gzip, || gzip(&self.identity)),
            Encoding::Brotli => once(&self.brotli, || brotli(&self.identity)),
        }
    }
}

/// Several threads may do the same work at once; none waits for another.
fn once(made: &OnceLock<Bytes>, make: impl Fn() -> std::io::Result<Vec<u8>>) -> Result<&Bytes, Error> {
    if let Some(bytes) = made.get() {
        return Ok(bytes);
    }
    let bytes = make().map_err(|e| Error::Internal(format!("compression: {e}")))?;
    Ok(made.get_or_init(|| bytes.into()))
}

/// Made of the ticket types' versions and the pace, so that every server gives the same state the same tag, and
/// of the stylesheet's hash, which changes with a release that may draw it differently. Weak, because
/// the encodings of one state share it.
fn etag(ticket_types: &[TicketType], pace: Pace) -> Result<HeaderValue, Error> {
    let versions =
        ticket_types.iter().map(|ticket_type| format!("{}.{}", ticket_type.id, ticket_type.version));
    let release = assets::url("css/app.css");
    let release = release.rsplit('.').nth(1).unwrap_or_default();
    let tag = format!("W/\"{}-{}s-{release}\"", versions.collect::<Vec<_>>().join("-"), pace.seconds);
    HeaderValue::try_from(tag).map_err(|e| Error::Internal(format!("the tag of a fragment: {e}")))
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(mut content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
    brotli::BrotliCompress(&mut content, &mut compressed, &params)?;
    Ok(compressed)
}
