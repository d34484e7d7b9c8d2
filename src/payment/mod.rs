//! Paying online: a buyer pays for a held booking on a page of the provider's (Stripe's Checkout), and money
//! goes back the same way. Card numbers never reach this site: it learns a card's brand and last four digits.
//!
//! A [`payment`](Payment) is one attempt: one page of the provider's, with a key of its own. Nothing is sent
//! before its row is committed, so if a server dies, another one can go on. Tickets that may still be paid
//! for are never released: `holds.held_until` is moved to the end of that page, and back only when the
//! provider says that the page is closed.
//!
//! What claims tickets and gives them back does not belong here: see `booking::desk` and `booking::release`.

pub mod held_page;
pub mod pages;
mod paid_online;
pub mod receipt;
pub mod settings;
pub mod signature;
pub mod store;
pub mod stripe;
pub mod verdict;
pub mod webhook;
pub mod worker;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

pub use self::paid_online::PaidOnline;
use self::paid_online::refund_minor;
use crate::db::text_enum;
use crate::money::Money;
use crate::schema::{payment_lines, payments, refunds};

/// The name of the only provider so far, in the database.
pub const STRIPE: &str = "stripe";

/// How long a buyer has, from the moment when they can pay.
pub const PAY_TIME: TimeDelta = TimeDelta::minutes(15);
/// What "More time" adds, and how often it may be used.
pub const EXTENSION: TimeDelta = TimeDelta::minutes(3);
pub const EXTENSIONS_MAX: i32 = 5;
/// How long a page of Stripe's lives. Stripe takes no less than 30 minutes from the moment when it reads the
/// request. The rest is for retries, which send the same request again.
pub const SESSION_TIME: TimeDelta = TimeDelta::minutes(35);
/// How long tickets stay held after the end of the page: clocks differ, and a payment may be under way.
pub const GRACE: TimeDelta = TimeDelta::minutes(2);
/// How long tickets stay held while people look into what was paid for them.
pub const REVIEW_TIME: TimeDelta = TimeDelta::days(7);
/// How long a server has for a question to the provider, from the moment when it takes it: enough for two
/// calls and the wait for a turn.
pub const LEASE: TimeDelta = TimeDelta::seconds(90);
/// The most attempts to pay for one booking. No real buyer needs more.
pub const ATTEMPTS_MAX: i64 = 10;

text_enum! {
    /// Where an attempt to pay stands.
    PaymentState {
        /// The provider is to be asked for a page.
        Wanted = "wanted",
        /// There is a page, and it may be paid on it.
        Open = "open",
        /// The money is there.
        Paid = "paid",
        /// The page is closed without a payment, or was not needed any more.
        Expired = "expired",
        /// The provider refuses to make a page.
        Failed = "failed",
        /// What was paid is not what was asked for: people have to look.
        Review = "review",
    }
}

impl PaymentState {
    /// Whether money may still come.
    #[must_use]
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Wanted | Self::Open)
    }
}

text_enum! {
    /// Why money goes back.
    RefundSource {
        Buyer = "buyer",
        Organizer = "organizer",
        /// The tickets were gone when the money came.
        System = "system",
        /// It began at the provider.
        Outside = "outside",
        /// The buyer's bank asks for it.
        Dispute = "dispute",
    }
}

text_enum! {
    /// Where a refund stands.
    RefundState {
        /// The provider is to be asked for it.
        Wanted = "wanted",
        /// The provider has accepted it. Of a dispute: it is not decided.
        Pending = "pending",
        /// The money has gone.
        Done = "done",
        /// It did not work, or the dispute was won: the money is ours.
        Failed = "failed",
    }
}

/// An attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = payments)]
pub struct Payment {
    pub id: i64,
    pub booking_id: i64,
    /// Whether it is real money.
    pub live: bool,
    pub state: PaymentState,
    /// ISO 4217.
    pub currency: String,
    pub amount_minor: i64,
    /// The sum of the refunds and disputes that have not failed, up to the amount of the payment.
    pub refunded_minor: i64,
    /// Kept of each ticket that a buyer gives back. `None`: nothing is refunded.
    pub refund_fee_minor: Option<i64>,
    pub idempotency_key: String,
    /// The body of the request for the page.
    pub request: Option<String>,
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    /// UTC, as all times here.
    pub session_ends_at: Option<NaiveDateTime>,
    pub intent_id: Option<String>,
    /// Why the bank said no the last time.
    pub declined: Option<String>,
    /// "visa 4242"
    pub method: Option<String>,
    pub wanted_at: NaiveDateTime,
    pub paid_at: Option<NaiveDateTime>,
    /// When it is looked at next; during a look, when its lease ends.
    pub due_at: NaiveDateTime,
    pub attempts: i32,
    pub last_error: Option<String>,
}

impl Payment {
    #[must_use]
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, &self.currency)
    }

    /// What is left of the amount after refunds and disputes.
    #[must_use]
    pub fn kept(&self) -> Money {
        Money::new(self.amount_minor - self.refunded_minor, &self.currency)
    }

    /// What a buyer gets back for tickets of these prices: each price less the fee, and never more than is
    /// left.
    #[must_use]
    pub fn refund_of(&self, prices: impl IntoIterator<Item = i64>) -> Money {
        let left = self.amount_minor - self.refunded_minor;
        Money::new(refund_minor(self.refund_fee_minor, left, prices), &self.currency)
    }
}

/// What a payment is for, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_lines)]
pub struct PaymentLine {
    pub payment_id: i64,
    pub ticket_type_id: i64,
    pub name: String,
    pub quantity: i32,
    pub unit_price_minor: i64,
    /// Included in the price, in hundredths of a percent.
    pub tax_rate: Option<i32>,
}

impl PaymentLine {
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        self.unit_price_minor.saturating_mul(self.quantity.into())
    }

    /// The tax that the line's price includes, rounded to the nearest minor unit, halves up.
    #[must_use]
    pub fn tax_minor(&self) -> Option<i64> {
        let rate = i128::from(self.tax_rate?);
        let (total, whole) = (i128::from(self.total_minor()), 10_000 + rate);
        i64::try_from((total * rate * 2 + whole) / (whole * 2)).ok()
    }
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = refunds)]
pub struct Refund {
    pub id: i64,
    pub payment_id: i64,
    pub source: RefundSource,
    pub state: RefundState,
    pub amount_minor: i64,
    /// The seats that it is for; empty: all of the booking, or an amount.
    pub seats: String,
    pub reason: String,
    pub idempotency_key: String,
    /// The provider's.
    pub refund_id: Option<String>,
    pub wanted_at: NaiveDateTime,
    pub due_at: NaiveDateTime,
    pub attempts: i32,
    pub last_error: Option<String>,
    /// The part of the amount that is more than was left of the payment.
    pub beyond_minor: i64,
}

impl Refund {
    /// Whether the same amount was asked for again after this one, and has not failed.
    #[must_use]
    pub fn is_asked_again(&self, refunds: &[Self]) -> bool {
        refunds.iter().any(|it| {
            it.id > self.id
                && it.payment_id == self.payment_id
                && it.amount_minor == self.amount_minor
                && it.state != RefundState::Failed
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Dollars that were paid.
    pub(crate) fn payment(amount_minor: i64, refund_fee_minor: Option<i64>) -> Payment {
        Payment {
            id: 1,
            booking_id: 1,
            live: false,
            state: PaymentState::Paid,
            currency: "USD".into(),
            amount_minor,
            refunded_minor: 0,
            refund_fee_minor,
            idempotency_key: "key".into(),
            request: None,
            session_id: None,
            session_url: None,
            session_ends_at: None,
            intent_id: None,
            declined: None,
            method: None,
            wanted_at: NaiveDateTime::default(),
            paid_at: None,
            due_at: NaiveDateTime::default(),
            attempts: 0,
            last_error: None,
        }
    }

    pub(crate) fn line(quantity: i32, unit_price_minor: i64, tax_rate: Option<i32>) -> PaymentLine {
        PaymentLine {
            payment_id: 1,
            ticket_type_id: 1,
            name: "VIP".into(),
            quantity,
            unit_price_minor,
            tax_rate,
        }
    }

    #[test]
    fn a_buyer_gets_back_what_the_terms_say_and_never_more_than_is_left() {
        let back = |fee, prices: &[i64]| payment(30_000, fee).refund_of(prices.iter().copied()).minor;
        assert_eq!(back(Some(0), &[10_000, 10_000]), 20_000);
        assert_eq!(back(Some(250), &[10_000, 10_000]), 19_500);
        assert_eq!(back(Some(250), &[100]), 0, "the fee is more than the ticket");
        assert_eq!(back(None, &[10_000]), 0);
        let refunded = Payment { refunded_minor: 25_000, ..payment(30_000, Some(0)) };
        assert_eq!(refunded.refund_of([10_000]).minor, 5_000);
        assert_eq!(refunded.kept().minor, 5_000);
    }

    #[test]
    fn tax_is_in_the_price() {
        assert_eq!(line(1, 11_900, Some(1_900)).tax_minor(), Some(1_900));
        assert_eq!(line(3, 1_000, Some(700)).tax_minor(), Some(196), "196.26");
        assert_eq!(line(1, 10_000, Some(0)).tax_minor(), Some(0));
        assert_eq!(line(1, 10_000, None).tax_minor(), None);
    }
}
