//! The types of problems (RFC 9457): what each one is called, and what it means.

use actix_web::http::StatusCode;

/// Machine-readable error types. They are stable: clients may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    MalformedRequest,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    UnknownToken,
    TokenRequired,
    CrossSite,
    ApiBookingsOff,
    InsufficientScope,
    NotFound,
    MethodNotAllowed,
    NotEnoughTickets,
    OverPersonLimit,
    OtherTotal,
    NotOnSaleYet,
    SaleEnded,
    SalePaused,
    EventCanceled,
    WaitingRoom,
    PaidOnline,
    TooLateToCancel,
    AlreadyAdmitted,
    IdempotencyKeyExpired,
    ChangeRefused,
    HoldersAffected,
    ChangedMeanwhile,
    BodyTooLarge,
    AddressTooLong,
    UnsupportedMediaType,
    InvalidRequest,
    IdempotencyKeyReused,
    TooManyRequests,
    HeadersTooLarge,
    ServerError,
    Busy,
    OutcomeUnknown,
}

impl ProblemType {
    /// In order of their status.
    pub const ALL: [Self; 35] = [
        Self::MalformedRequest,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::UnknownToken,
        Self::TokenRequired,
        Self::CrossSite,
        Self::ApiBookingsOff,
        Self::InsufficientScope,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotEnoughTickets,
        Self::OverPersonLimit,
        Self::OtherTotal,
        Self::NotOnSaleYet,
        Self::SaleEnded,
        Self::SalePaused,
        Self::EventCanceled,
        Self::WaitingRoom,
        Self::PaidOnline,
        Self::TooLateToCancel,
        Self::AlreadyAdmitted,
        Self::IdempotencyKeyExpired,
        Self::ChangeRefused,
        Self::HoldersAffected,
        Self::ChangedMeanwhile,
        Self::BodyTooLarge,
        Self::AddressTooLong,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::HeadersTooLarge,
        Self::ServerError,
        Self::Busy,
        Self::OutcomeUnknown,
    ];

    /// Slug, status, title and explanation.
    #[must_use]
    pub const fn facts(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => {
                ("malformed-request", 400, "Malformed request", "The body is not the expected JSON.")
            }
            Self::IdempotencyKeyMissing => (
                "idempotency-key-missing",
                400,
                "Idempotency-Key is missing",
                "A booking needs an Idempotency-Key header, so that you can resend it without booking twice.",
            ),
            Self::IdempotencyKeyInvalid => (
                "idempotency-key-invalid",
                400,
                "Idempotency-Key is invalid",
                "Send one Idempotency-Key header of 16 to 255 printable ASCII characters, ideally a UUID.",
            ),
            Self::UnknownToken => ("unknown-token", 401, "Unauthorized", "Invalid token."),
            Self::TokenRequired => (
                "token-required",
                401,
                "Token required",
                "This needs a token from the organizer. Send it as `Authorization: Bearer TOKEN`.",
            ),
            Self::CrossSite => (
                "cross-site",
                403,
                "Cross-site request refused",
                "The API does not accept cookies from other sites. Send the request without credentials.",
            ),
            Self::ApiBookingsOff => (
                "api-bookings-off",
                403,
                "No bookings through the API",
                "This site takes bookings on its pages only.",
            ),
            Self::InsufficientScope => (
                "insufficient-scope",
                403,
                "Token does not allow this",
                "This token lacks the scope. Ask the organizer for one with the scope in the WWW-Authenticate header.",
            ),
            Self::NotFound => ("not-found", 404, "Not found", "Nothing found at this URL."),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "Method not allowed",
                "This URL accepts only the methods in the Allow header.",
            ),
            Self::NotEnoughTickets => (
                "not-enough-tickets",
                409,
                "Not enough tickets available",
                "Fewer tickets are left than you requested. Nothing was booked; `available` says how many are left of the first ticket type that has too few, `lines` says it for each ticket type.",
            ),
            Self::OverPersonLimit => (
                "over-person-limit",
                409,
                "Per-person limit exceeded",
                "The buyer would have more of these tickets than the limit per person. Nothing was booked.",
            ),
            Self::OtherTotal => (
                "other-total",
                409,
                "The price has changed",
                "The tickets don’t cost `expectedTotal`. Nothing was booked; `detail` says what they cost now.",
            ),
            Self::NotOnSaleYet => (
                "not-on-sale-yet",
                409,
                "Not on sale yet",
                "Sales of this ticket type have not started. Nothing was booked; `salesStartAt` says when they start.",
            ),
            Self::SaleEnded => (
                "sale-ended",
                409,
                "Sales have ended",
                "Sales of this ticket type have ended. Nothing was booked.",
            ),
            Self::SalePaused => (
                "sale-paused",
                409,
                "Sales paused",
                "The organizer has paused sales of this ticket type. Nothing was booked.",
            ),
            Self::EventCanceled => {
                ("event-canceled", 409, "Concert canceled", "The concert was canceled. Nothing was booked.")
            }
            Self::WaitingRoom => ("waiting-room", 409, "Waiting room", "Book on the concert's own page."),
            Self::PaidOnline => ("paid-online", 409, "Paid for online", "Book on the concert's own page."),
            Self::TooLateToCancel => (
                "too-late-to-cancel",
                409,
                "Too late to cancel",
                "The cancellation deadline has passed, or buyers can't cancel bookings for this concert.",
            ),
            Self::AlreadyAdmitted => (
                "already-admitted",
                409,
                "Already admitted",
                "A ticket of this booking has been scanned at the entrance, so it can no longer be canceled.",
            ),
            Self::IdempotencyKeyExpired => (
                "idempotency-key-expired",
                409,
                "Idempotency-Key has expired",
                "This Idempotency-Key booked more than a day ago. Nothing was booked now. Use a new key for a new booking.",
            ),
            Self::ChangeRefused => (
                "change-refused",
                409,
                "Change refused",
                "The tickets sold or the state of the concert do not allow this. Nothing was changed; `detail` and `errors` say why.",
            ),
            Self::HoldersAffected => (
                "holders-affected",
                409,
                "People hold tickets",
                "This changes when or where a concert takes place for which people hold tickets. Nothing was changed. Send it again with `notifyHolders`: true emails them, false does not.",
            ),
            Self::ChangedMeanwhile => (
                "changed-meanwhile",
                412,
                "Changed meanwhile",
                "Someone else has changed this since the state that If-Match names. Nothing was changed. Get it again, then make your change.",
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                413,
                "Content too large",
                "A body may have up to 16 KiB, that of a concert 112 KiB, and a picture 5 MB.",
            ),
            Self::AddressTooLong => {
                ("address-too-long", 414, "URI too long", "A URL may have up to 8,000 characters.")
            }
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "Unsupported media type",
                "The body must be application/json, or of a picture image/jpeg, image/png or image/webp, without a Content-Encoding.",
            ),
            Self::InvalidRequest => (
                "invalid-request",
                422,
                "Invalid request",
                "Part of the request is invalid; `errors` says what and where.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                422,
                "Idempotency-Key already used",
                "This Idempotency-Key was used for another booking. Use a new key for a new booking.",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                429,
                "Too Many Requests",
                "You sent too many requests, or booked too many tickets for now. Wait the number of seconds in the Retry-After header.",
            ),
            Self::HeadersTooLarge => (
                "headers-too-large",
                431,
                "Request header fields too large",
                "The address and all headers together may have up to 16 KiB.",
            ),
            Self::ServerError => (
                "server-error",
                500,
                "Internal server error",
                "Our fault, and it has been logged. It is safe to retry with the same Idempotency-Key.",
            ),
            Self::Busy => (
                "busy",
                503,
                "Busy",
                "Too many bookings at the moment. It is safe to retry with the same Idempotency-Key.",
            ),
            Self::OutcomeUnknown => (
                "outcome-unknown",
                503,
                "Outcome unknown",
                "The connection to the database was lost, so the booking or the change may have been made. Retry a booking with the same Idempotency-Key to find out. Without a key, or for anything else, check before you retry.",
            ),
        }
    }

    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.facts().0
    }

    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.facts().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The general type for a status: the first one in [`Self::ALL`].
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let of_status = Self::ALL.into_iter().find(|kind| kind.status() == status);
        of_status.unwrap_or(if status.is_client_error() { Self::MalformedRequest } else { Self::ServerError })
    }

    /// Its URI, an anchor on the reference page. Relative, with its full path (RFC 9457, section 3.1.1), so that it is
    /// the same on every domain.
    #[must_use]
    pub fn uri(self) -> String {
        format!("/api/docs#problem-{}", self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_unique_and_found_by_status() {
        for (number, kind) in ProblemType::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number, "in the order of the enum");
            assert!(ProblemType::ALL.into_iter().all(|other| other == kind || other.slug() != kind.slug()));
        }
        assert_eq!(ProblemType::of_status(StatusCode::NOT_FOUND), ProblemType::NotFound);
        assert_eq!(ProblemType::of_status(StatusCode::UNPROCESSABLE_ENTITY), ProblemType::InvalidRequest);
        assert_eq!(ProblemType::of_status(StatusCode::IM_A_TEAPOT), ProblemType::MalformedRequest);
        assert_eq!(ProblemType::of_status(StatusCode::BAD_GATEWAY), ProblemType::ServerError);
    }
}
