//! `GET /bookings/{token}/receipt`: what was paid, to whom, for what, with the tax in it, and what went back.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::store::{self, refunds};
use super::{Payment, PaymentLine, PaymentState, Refund, RefundSource, RefundState};
use crate::app::App;
use crate::booking::PlacedBooking;
use crate::booking::pages::find_placed_booking;
use crate::error::Error;
use crate::money::Money;
use crate::page::Page;

/// A payment with what it was for, and what went back of it.
#[derive(Debug, Clone)]
struct PaidPart {
    payment: Payment,
    lines: Vec<PaymentLine>,
    refunds: Vec<Refund>,
}

impl PaidPart {
    fn money(&self, minor: i64) -> Money {
        Money::new(minor, &self.payment.currency)
    }

    /// The tax in it: each rate with the sum of its lines.
    fn taxes(&self) -> Vec<(String, Money)> {
        taxes(&self.lines).into_iter().map(|(rate, minor)| (percent(rate), self.money(minor))).collect()
    }

    /// The tax rate of a line, where somebody has said it.
    fn rate_of(&self, line: &PaymentLine) -> String {
        line.tax_rate.map_or_else(|| "–".to_owned(), percent)
    }

    /// The refunds and disputes that the receipt lists, failed refunds included. A dispute that was won is
    /// left out.
    fn returned(&self) -> impl Iterator<Item = &Refund> {
        let is_won = |it: &Refund| it.source == RefundSource::Dispute && it.state == RefundState::Failed;
        self.refunds.iter().filter(move |it| !is_won(it))
    }
}

#[derive(Template)]
#[template(path = "bookings/receipt.html")]
struct ReceiptPage {
    page: Page,
    placed: PlacedBooking,
    /// The oldest first. Nearly always one.
    parts: Vec<PaidPart>,
}

/// `GET /bookings/{token}/receipt`
pub async fn show(page: Page, app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, Error> {
    let placed = find_placed_booking(&app, token.into_inner()).await?;
    let id = placed.booking.id;
    let parts = app.db.read_primary(move |db| {
        let mut paid = store::of_booking(db, id)?;
        paid.retain(|payment| payment.state == PaymentState::Paid);
        paid.reverse();
        let part = |payment: Payment| {
            let (lines, refunds) = (store::lines(db, payment.id)?, refunds::of_payment(db, payment.id)?);
            Ok(PaidPart { payment, lines, refunds })
        };
        paid.into_iter().map(part).collect::<diesel::QueryResult<Vec<_>>>()
    });
    let parts = parts.await?;
    if parts.is_empty() {
        return Err(Error::NotFound);
    }
    page.clone().respond_unlisted(StatusCode::OK, &ReceiptPage { page, placed, parts })
}

/// The tax of each rate, the lowest rate first. Lines without a tax rate are left out.
fn taxes(lines: &[PaymentLine]) -> Vec<(i32, i64)> {
    let mut sums: Vec<(i32, i64)> = Vec::new();
    for line in lines {
        let Some((rate, minor)) = line.tax_rate.zip(line.tax_minor()) else { continue };
        match sums.iter_mut().find(|(known, _)| *known == rate) {
            Some((_, sum)) => *sum += minor,
            None => sums.push((rate, minor)),
        }
    }
    sums.sort_unstable();
    sums
}

/// "8.25%", "19%"
fn percent(rate: i32) -> String {
    let number = format!("{}.{:02}", rate / 100, rate % 100);
    format!("{}%", number.trim_end_matches('0').trim_end_matches('.'))
}

/// "visa 4242" as people say it: "Visa ending in 4242".
#[must_use]
pub fn method_words(method: &str) -> String {
    let (brand, last) = method.split_once(' ').unwrap_or((method, ""));
    let brand = match brand {
        "amex" => "American Express".to_owned(),
        "unionpay" => "UnionPay".to_owned(),
        "jcb" => "JCB".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    };
    if last.is_empty() { brand } else { format!("{brand} ending in {last}") }
}

/// What has become of a refund, for its buyer.
#[must_use]
pub fn refund_words(state: RefundState) -> &'static str {
    match state {
        RefundState::Wanted | RefundState::Pending => "on its way",
        RefundState::Done => "refunded",
        RefundState::Failed => "failed: please ask the organizer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::tests::line;

    #[test]
    fn a_receipt_adds_up_the_tax_of_each_rate() {
        let lines = [line(2, 11_900, Some(1_900)), line(1, 10_700, Some(700)), line(1, 11_900, Some(1_900))];
        assert_eq!(taxes(&lines), [(700, 700), (1_900, 5_700)]);
        assert_eq!(taxes(&[line(1, 100, None)]), []);
        assert_eq!(
            (percent(825), percent(1_900), percent(0), percent(705)),
            ("8.25%".into(), "19%".into(), "0%".into(), "7.05%".into())
        );
    }

    #[test]
    fn a_card_is_named_as_its_owner_knows_it() {
        assert_eq!(method_words("visa 4242"), "Visa ending in 4242");
        assert_eq!(method_words("amex 0005"), "American Express ending in 0005");
        assert_eq!(method_words("link"), "Link");
    }
}
