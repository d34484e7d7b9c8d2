//! `/admin/events/{slug}/payments.csv`, `/admin/events/{slug}/payments.xlsx`: every movement of a concert's
//! money, one line each, for bookkeeping. The amounts of a payment add up to what is left of it.

use std::io;
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, RETRY_AFTER};
use actix_web::{HttpResponse, web};

use crate::admin::csv_file::{CsvFile, Separator};
use crate::admin::events::find;
use crate::admin::export_file::{ExportFile, FilePiece, PIECE, broken, is_full, lock_exports, pieces};
use crate::admin::spreadsheet::SheetCell;
use crate::admin::store::ledger::{self as store, Movement};
use crate::admin::workbook::Workbook;
use crate::app::App;
use crate::audit::{self, Action};
use crate::auth::access::Organizer;
use crate::auth::session::Admin;
use crate::error::Error;
use crate::events::Event;
use crate::money::Money;
use crate::payment::store::ledger::EntryKind;

/// `GET /admin/events/{slug}/payments.csv`
pub async fn csv(
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let new = |headings: &[String]| {
        CsvFile::new(Separator::Comma, headings).map(|file| ExportFile::Csv(Box::new(file)))
    };
    send(admin, app, &slug, new).await
}

/// `GET /admin/events/{slug}/payments.xlsx`
pub async fn xlsx(
    Organizer(admin): Organizer,
    app: web::Data<App>,
    slug: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let new = |headings: &[String]| {
        Ok(ExportFile::Workbook(Box::new(Workbook::new("Payments", headings.to_vec()))))
    };
    send(admin, app, &slug, new).await
}

async fn send(
    admin: Admin,
    app: web::Data<App>,
    slug: &str,
    new: fn(&[String]) -> io::Result<ExportFile>,
) -> Result<HttpResponse, Error> {
    let (event, _) = find(&app, slug).await?;
    let Some(lock) = lock_exports(&app).await else {
        return Ok(HttpResponse::ServiceUnavailable()
            .insert_header((RETRY_AFTER, "5"))
            .content_type("text/plain; charset=utf-8")
            .body("Another export is being sent. Please try again in a few seconds."));
    };
    let event_id = event.id;
    let count = app.db.read_primary(move |db| store::movement_count(db, event_id)).await?;
    let file = new(&headings(&event)).map_err(broken)?;
    let (extension, content_type) = (file.extension(), file.content_type());
    // Recorded before any of it is sent.
    let (actor, subject) = (admin.actor(), event.slug.clone());
    let count = usize::try_from(count).unwrap_or_default();
    let record = move |db: &mut crate::db::Db| {
        audit::store::record_change(db, &actor, Action::PaymentsExported, &subject, count, extension)
    };
    app.db.write(record).await?;
    let name = format!("attachment; filename=\"payments-{}.{extension}\"", event.slug);
    let event = Arc::new(event);
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(pieces(file, lock, move |after| piece(app.clone(), Arc::clone(&event), after))))
}

/// The entries after an id, as a piece of the file.
async fn piece(app: web::Data<App>, event: Arc<Event>, after: i64) -> Result<FilePiece, Error> {
    let event_id = event.id;
    let read = app.db.read_primary(move |db| store::movements_after(db, event_id, after, PIECE));
    let movements = read.await?;
    let next = movements.last().map(|it| it.id).filter(|_| is_full(movements.len()));
    let write = move |file: &mut ExportFile| movements.iter().try_for_each(|it| file.push(&row(&event, it)));
    Ok(FilePiece { write: Box::new(write), next })
}

fn headings(event: &Event) -> Vec<String> {
    let at = format!("at ({})", event.clock().0.name());
    let rest = ["kind", "amount", "currency", "reference", "buyer_name", "method", "stripe_id", "mode"];
    std::iter::once(at).chain(rest.map(str::to_owned)).collect()
}

fn row(event: &Event, movement: &Movement) -> Vec<SheetCell> {
    let text = |text: &str| SheetCell::Text(text.to_owned());
    vec![
        SheetCell::Time(event.clock().local(&movement.entered_at).naive_local()),
        text(kind(movement.kind)),
        SheetCell::Money(Money::new(movement.amount_minor, &movement.currency)),
        text(&movement.currency),
        text(&movement.reference),
        text(&movement.buyer_name),
        movement.method.as_deref().map_or(SheetCell::Empty, text),
        text(&movement.provider_id),
        text(if movement.live { "live" } else { "test" }),
    ]
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Payment => "payment",
        EntryKind::Refund => "refund",
        EntryKind::RefundFailed => "refund failed",
        EntryKind::Dispute => "dispute",
        EntryKind::DisputeWon => "dispute won",
        EntryKind::Fee => "Stripe fee",
        EntryKind::FeeReturned => "Stripe fee returned",
    }
}
