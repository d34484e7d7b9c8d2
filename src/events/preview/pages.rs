//! `/events/{slug}/preview.png`

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Poster, gallery};
use crate::app::App;
use crate::error::Error;
use crate::events::pages::is_known;

/// No cache shows an old picture for longer than this. Pages never show one: its tag is a part of the address.
const FRESHNESS: &str = "public, max-age=3600";

/// `GET /events/{slug}/preview.png`: the concert's poster, for sites that show a picture beside a link.
pub async fn show(
    request: HttpRequest,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let listing = app.board.find_by_slug(&slug).ok_or(Error::NotFound)?;
    let poster = Poster::of(&listing.event);
    let etag = HeaderValue::try_from(format!("\"{}\"", poster.tag()))
        .map_err(|e| Error::Internal(format!("the tag of a picture: {e}")))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, etag.clone())).insert_header((CACHE_CONTROL, FRESHNESS));
    if is_known(request.headers().get(IF_NONE_MATCH), &etag) {
        return Ok(response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    let picture = gallery::picture(poster).await?;
    // A PNG is compressed already.
    Ok(response.content_type("image/png").insert_header((CONTENT_ENCODING, "identity")).body(picture))
}
