//! `/admin/events/{slug}/bookings.csv`: every booking of a concert, for a spreadsheet.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, web};

use super::{ExportedLine, store};
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::is_slug;
use crate::money::Money;

const HEADINGS: [&str; 12] = [
    "reference",
    "created_at",
    "ticket_type",
    "quantity",
    "returned",
    "unit_price",
    "total",
    "currency",
    "buyer_name",
    "buyer_email",
    "buyer_id",
    "status",
];

/// `GET /admin/events/{slug}/bookings.csv`
pub async fn show(admin: Admin, app: web::Data<App>, slug: web::Path<String>) -> Result<HttpResponse, Error> {
    let slug = slug.into_inner();
    if !is_slug(&slug) {
        return Err(Error::NotFound);
    }
    let filename = format!("attachment; filename=\"bookings-{slug}.csv\"");
    let concert = slug.clone();
    let lines = app.db.read_primary(move |db| store::bookings_of_event(db, &concert)).await?;
    // Recorded in a transaction of its own, so that the desk does not wait while the list is read, and before any
    // of it is sent.
    let (actor, count) = (admin.actor(), lines.len());
    app.db.write(move |db| audit::store::record(db, &actor, Action::BookingsExported, &slug, count)).await?;
    let file = render(&lines).map_err(|e| Error::Internal(format!("csv: {e}")))?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, filename))
        .body(file))
}

/// The file: a line of headings, and a line for each ticket type of each booking.
pub fn render(lines: &[ExportedLine]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADINGS)?;
    for ExportedLine { booking, line, ticket_type } in lines {
        let money = |minor| Money::new(minor, &booking.currency).number();
        csv.write_record([
            booking.reference.as_str(),
            &booking.created_at.and_utc().to_rfc3339(),
            &harmless(ticket_type),
            &line.quantity.to_string(),
            &line.returned.to_string(),
            &money(line.unit_price_minor),
            &money(line.unit_price_minor.saturating_mul(line.quantity.into())),
            &booking.currency,
            &harmless(&booking.buyer_name),
            &harmless(booking.email().unwrap_or_default()),
            &harmless(booking.buyer.external_id().unwrap_or_default()),
            booking.status.as_str(),
        ])?;
    }
    Ok(csv.into_inner()?)
}

/// Characters with which a formula starts, full-width ones included (OWASP, "CSV injection").
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A leading apostrophe keeps a spreadsheet from running a text that starts like a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_formula_stays_text() {
        assert_eq!(harmless("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(harmless("＝1+1"), "'＝1+1", "in full width");
        assert_eq!(harmless("Ada"), "Ada");
    }
}
