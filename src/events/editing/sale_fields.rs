//! The fields that say when tickets are sold, and how they are paid for.

use chrono::NaiveDateTime;

use super::typed::{FieldFaults, price, price_field};
use crate::events::PaymentChoice;

/// Checks the sales window of a concert or of a ticket type. Without an end, sales end at the start of the
/// show.
pub(super) fn check_sales(
    sales_start_at: Option<NaiveDateTime>,
    sales_end_at: Option<NaiveDateTime>,
    starts_at: NaiveDateTime,
    ends_at: NaiveDateTime,
    faults: &mut FieldFaults,
) {
    if sales_end_at.is_some_and(|ends| ends > ends_at) {
        faults.add("sales_end_at", "Sales end when the concert ends, or before.");
    }
    match (sales_start_at, sales_end_at) {
        (Some(opens), Some(closes)) if closes <= opens => {
            faults.add("sales_end_at", "Sales end after they start.");
        }
        (Some(opens), None) if opens >= starts_at => {
            faults
                .add("sales_start_at", "Sales must start before the concert, unless you set when they end.");
        }
        _ => {}
    }
}

/// Reads where tickets are paid for. `None`: nothing is chosen.
pub(super) fn payment(typed: &str) -> Result<Option<PaymentChoice>, String> {
    let found = PaymentChoice::ALL.iter().copied().find(|choice| choice.as_str() == typed);
    // Empty is no fault: the API sends it for null, and the concert then keeps its choice.
    if found.is_none() && !typed.is_empty() {
        return Err("Choose one from the list.".to_owned());
    }
    Ok(found)
}

/// Typed in place of a fee: nothing is refunded. An empty field must not mean that.
pub const NO_REFUND: &str = "none";

/// Reads the fee that is kept of a refund; "none": the whole price is kept.
pub(super) fn refund_fee(typed: &str, currency: &str) -> Result<Option<i64>, String> {
    if typed.is_empty() {
        return Err("Enter an amount: 0 refunds everything, “none” refunds nothing.".to_owned());
    }
    if typed.eq_ignore_ascii_case(NO_REFUND) { Ok(None) } else { price(typed, currency).map(Some) }
}

/// The refund fee as a form field shows it.
pub(super) fn refund_fee_field(fee_minor: Option<i64>, currency: &str) -> String {
    fee_minor.map_or_else(|| NO_REFUND.to_owned(), |fee| price_field(fee, currency))
}

/// "8.25": in percent, with two decimals at most.
pub(super) fn tax_rate(typed: &str) -> Result<Option<i32>, String> {
    let wrong = || "Enter a percentage from 0 to 100, like 8.25.".to_owned();
    let typed = typed.trim_end_matches('%').trim_end();
    if typed.is_empty() {
        return Ok(None);
    }
    // Hundredths of a percent are read like the cents of a dollar.
    let rate = price(typed, "USD").map_err(|_| wrong())?;
    i32::try_from(rate).ok().filter(|rate| *rate <= 10_000).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taxes_and_fees_are_read_as_people_type_them() {
        assert_eq!(tax_rate("8.25"), Ok(Some(825)));
        assert_eq!(tax_rate("19 %"), Ok(Some(1_900)));
        assert_eq!((tax_rate(""), tax_rate("100")), (Ok(None), Ok(Some(10_000))));
        for bad in ["100.01", "-1", "1.234", "x"] {
            assert!(tax_rate(bad).is_err(), "{bad}");
        }
        assert_eq!((refund_fee("None", "USD"), refund_fee("2.50", "USD")), (Ok(None), Ok(Some(250))));
        assert!(refund_fee("", "USD").is_err(), "an emptied field takes nobody's refund away");
        assert_eq!(payment("both"), Ok(Some(PaymentChoice::Both)));
        assert!(payment("cash").is_err());
    }
}
