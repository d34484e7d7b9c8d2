//! A booking as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Amount, time};
use crate::app::App;
use crate::booking::{BookingStatus, PlacedBooking, PlacedLine};
use crate::payment::PaidOnline;
use crate::tickets;

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Booking)]
pub struct BookingJson {
    /// The booking token: anyone with it can view and cancel the booking.
    #[schema(example = "AZ3xyq0newbookings123_-4")]
    token: String,
    /// Human-readable reference.
    #[schema(example = "TK-7F3K-9QXM")]
    reference: String,
    status: BookingStatusJson,
    /// Event slug.
    #[schema(example = "midnight-parade")]
    event: String,
    /// The ticket type, when there is only one; null if there are several.
    #[schema(example = "1", required = true)]
    ticket_type_id: Option<String>,
    /// Tickets in total.
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    /// What one ticket costs, when there is only one ticket type; null if there are several.
    #[schema(required = true)]
    unit_price: Option<Amount>,
    /// By ticket type.
    lines: Vec<LineJson>,
    /// Due at the venue, unless it is paid for online.
    total: Amount,
    /// Where the buyer pays online for the held tickets; null: nothing is to be paid online now.
    #[schema(format = "uri", required = true)]
    payment_page: Option<String>,
    /// What was paid online; null: nothing was.
    #[schema(required = true)]
    payment: Option<PaymentJson>,
    buyer: BuyerJson,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required = true)]
    canceled_at: Option<String>,
    /// Cancellation deadline; null if the booking can't be canceled.
    #[schema(format = DateTime, required = true)]
    cancellable_until: Option<String>,
    /// One per seat; empty unless the booking is confirmed.
    tickets: Vec<TicketJson>,
    /// The booking's web page, with the tickets as QR codes.
    #[schema(format = "uri")]
    page: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BookingStatus, example = "confirmed")]
pub enum BookingStatusJson {
    /// Its tickets are kept for a while.
    Held,
    Confirmed,
    /// The hold was not confirmed in time.
    Expired,
    Canceled,
}

impl From<BookingStatus> for BookingStatusJson {
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Held => Self::Held,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::Expired => Self::Expired,
            BookingStatus::Canceled => Self::Canceled,
        }
    }
}

/// What was paid online for a booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub struct PaymentJson {
    status: PaymentStatusJson,
    amount: Amount,
    /// What was or is being refunded.
    refunded: Amount,
    /// The receipt's web page.
    #[schema(format = "uri")]
    receipt: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PaymentStatus, example = "paid")]
pub enum PaymentStatusJson {
    Paid,
    PartlyRefunded,
    Refunded,
    /// The buyer's bank has asked for the money back.
    Disputed,
}

impl PaymentJson {
    fn of(online: &PaidOnline, receipt: String) -> Self {
        let status = match (online.refunded.minor, online.amount.minor) {
            _ if online.is_disputed => PaymentStatusJson::Disputed,
            (0, _) => PaymentStatusJson::Paid,
            (refunded, amount) if refunded >= amount => PaymentStatusJson::Refunded,
            _ => PaymentStatusJson::PartlyRefunded,
        };
        Self {
            status,
            amount: online.amount.clone().into(),
            refunded: online.refunded.clone().into(),
            receipt,
        }
    }
}

/// Tickets of one ticket type in a booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Line)]
pub struct LineJson {
    #[schema(example = "1")]
    ticket_type_id: String,
    /// What was ordered.
    #[schema(minimum = 1, example = 2)]
    quantity: i32,
    /// How many of them were given back.
    #[schema(minimum = 0, example = 0)]
    returned: i32,
    unit_price: Amount,
}

/// Who booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buyer)]
pub struct BuyerJson {
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Null for bookings made with the compat API, whose buyer is a `userId`.
    #[schema(required = true, example = "ada@example.org")]
    email: Option<String>,
}

/// A ticket. It admits one person, once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ticket)]
pub struct TicketJson {
    /// From 1 to the booking's quantity.
    #[schema(minimum = 1, example = 1)]
    seat: i32,
    /// The name of its ticket type.
    #[schema(example = "VIP")]
    ticket_type: String,
    /// The content of the QR code.
    #[schema(example = "7F3K-9QXM-222R-KD84-TQ2H")]
    code: String,
}

impl BookingJson {
    pub(super) fn of(app: &App, placed: &PlacedBooking) -> Self {
        let PlacedBooking { booking, event, lines, .. } = placed;
        let tickets =
            if booking.is_confirmed() { tickets::of_booking(&app.ticket_codes, placed) } else { Vec::new() };
        let ticket =
            |it: tickets::Ticket| TicketJson { seat: it.seat, ticket_type: it.ticket_type, code: it.code };
        let only = match lines.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let line = |it: &PlacedLine| LineJson {
            ticket_type_id: it.ticket_type.id.to_string(),
            quantity: it.line.quantity,
            returned: it.line.returned,
            unit_price: it.unit_price().into(),
        };
        Self {
            token: booking.token.clone(),
            reference: booking.reference.clone(),
            status: booking.status.into(),
            event: event.slug.clone(),
            ticket_type_id: only.map(|it| it.ticket_type.id.to_string()),
            quantity: booking.quantity(),
            unit_price: only.map(|it| it.unit_price().into()),
            lines: lines.iter().map(line).collect(),
            total: placed.due().into(),
            payment_page: (booking.is_held() && event.is_paid_online() && app.payments.is_some())
                .then(|| format!("{}/bookings/{}/payment", &app.public_url, booking.token)),
            payment: placed.online.as_ref().map(|online| {
                PaymentJson::of(online, format!("{}/bookings/{}/receipt", &app.public_url, booking.token))
            }),
            buyer: BuyerJson { name: booking.buyer_name.clone(), email: booking.buyer.shown_email() },
            created_at: time(booking.created_at),
            canceled_at: booking.canceled_at.map(time),
            cancellable_until: event.cancellable_until().map(time),
            tickets: tickets.into_iter().map(ticket).collect(),
            page: format!("{}/bookings/{}", &app.public_url, booking.token),
        }
    }
}
