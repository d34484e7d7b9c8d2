//! The kinds of problems.

use actix_web::http::StatusCode;

/// The kinds of problems. Their types are stable: clients may go by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    MalformedRequest,
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    UnknownToken,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    NotEnoughTickets,
    OverPersonLimit,
    TooLateToCancel,
    AlreadyAdmitted,
    BodyTooLarge,
    AddressTooLong,
    UnsupportedMediaType,
    InvalidRequest,
    IdempotencyKeyReused,
    TooManyRequests,
    ServerError,
    Busy,
}

impl ProblemType {
    /// By status.
    pub const ALL: [Self; 19] = [
        Self::MalformedRequest,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::UnknownToken,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotEnoughTickets,
        Self::OverPersonLimit,
        Self::TooLateToCancel,
        Self::AlreadyAdmitted,
        Self::BodyTooLarge,
        Self::AddressTooLong,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::ServerError,
        Self::Busy,
    ];

    /// Its name in the type, its status, its title, and what it means in a sentence.
    #[must_use]
    pub const fn facts(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => {
                ("malformed-request", 400, "Malformed request", "The body is not the JSON that is asked for.")
            }
            Self::IdempotencyKeyMissing => (
                "idempotency-key-missing",
                400,
                "Idempotency-Key is missing",
                "A booking needs the header Idempotency-Key, so that it can be sent again without booking twice.",
            ),
            Self::IdempotencyKeyInvalid => (
                "idempotency-key-invalid",
                400,
                "Idempotency-Key is invalid",
                "The header Idempotency-Key must hold 16 to 255 printable ASCII characters, once; a UUID is best.",
            ),
            Self::UnknownToken => ("unknown-token", 401, "Unauthorized", "This token is not known here."),
            Self::CrossSite => (
                "cross-site",
                403,
                "Cross-site request refused",
                "The API takes no cookies from other sites' pages. Send the request without credentials.",
            ),
            Self::NotFound => ("not-found", 404, "Not found", "There is nothing at this address."),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "Method not allowed",
                "This address takes only the methods that the header Allow names.",
            ),
            Self::NotEnoughTickets => (
                "not-enough-tickets",
                409,
                "Not enough tickets available",
                "Fewer tickets are left than were asked for. Nothing was booked; `available` says how many are.",
            ),
            Self::OverPersonLimit => (
                "over-person-limit",
                409,
                "Over the limit for one person",
                "The buyer would hold more tickets of this type than one person may. Nothing was booked.",
            ),
            Self::TooLateToCancel => (
                "too-late-to-cancel",
                409,
                "Too late to cancel",
                "The deadline for canceling is over, or this concert has none.",
            ),
            Self::AlreadyAdmitted => (
                "already-admitted",
                409,
                "Already admitted",
                "A ticket of this booking has been used at the entrance, so it can no longer be canceled.",
            ),
            Self::BodyTooLarge => {
                ("body-too-large", 413, "Content too large", "A body may hold 16 KiB at most.")
            }
            Self::AddressTooLong => {
                ("address-too-long", 414, "URI too long", "An address may have 8,000 characters at most.")
            }
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "Unsupported media type",
                "The body must be application/json, without a Content-Encoding.",
            ),
            Self::InvalidRequest => (
                "invalid-request",
                422,
                "Invalid request",
                "What was sent can be read, and something in it is wrong; `errors` says what and where.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                422,
                "Idempotency-Key is used already",
                "This Idempotency-Key has booked something else before. A new booking needs a new key.",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                429,
                "Too Many Requests",
                "More than one client may ask for. The header Retry-After says how many seconds to wait.",
            ),
            Self::ServerError => (
                "server-error",
                500,
                "Internal server error",
                "It is our fault, and it has been written down. Trying again with the same Idempotency-Key is safe.",
            ),
            Self::Busy => (
                "busy",
                503,
                "Busy",
                "Too many want to book at this moment. Trying again with the same Idempotency-Key is safe.",
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

    /// What an error is of which only the status is known: the first of its status, which is the general one.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let of_status = Self::ALL.into_iter().find(|kind| kind.status() == status);
        of_status.unwrap_or(if status.is_client_error() { Self::MalformedRequest } else { Self::ServerError })
    }

    /// Its URI, a part of the reference page. Relative, with its full path (RFC 9457, section 3.1.1), so that it
    /// is the same whatever the site is called.
    #[must_use]
    pub fn uri(self) -> String {
        format!("/api/docs#problem-{}", self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_found_by_status() {
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
