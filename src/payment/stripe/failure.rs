//! What a failed call to Stripe means: whether the request may have been carried out, and whether the same
//! request can ever get another answer.

use std::fmt;

use serde::Deserialize;

/// An answer that is not a success.
pub(super) struct FailedAnswer<'a> {
    pub status: u16,
    /// It is the answer that the key got before.
    pub is_replayed: bool,
    /// What Stripe says of trying again, where it says something.
    pub should_retry: Option<bool>,
    pub body: &'a [u8],
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StripeFailure {
    /// No answer, or none that can be relied on. It may have been done: the same request with the same key finds out.
    Unknown(String),
    /// It was not done, because too much is asked for at once. The same request may be sent again.
    TooMany,
    /// Stripe has failed, and will answer the same to this key for a day. Only a new key gets another answer.
    Stuck(u16),
    /// The key of the account is wrong. Nothing works until somebody corrects it.
    Account(Box<StripeRefusal>),
    /// The key may not do this, and may do other things. It works when somebody has given the permission.
    Forbidden(Box<StripeRefusal>),
    /// It was not done, and never will be.
    Refused(Box<StripeRefusal>),
}

/// Why Stripe refuses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct StripeRefusal {
    #[serde(skip)]
    pub status: u16,
    /// "card_error", "invalid_request_error"
    #[serde(rename = "type")]
    pub kind: String,
    /// "amount_too_small", "charge_already_refunded"
    pub code: Option<String>,
    pub decline_code: Option<String>,
    /// The field of the request that is wrong.
    pub param: Option<String>,
    /// In words. They may name a person, so they are for the organizer's page and never for the log.
    pub message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RefusalBody {
    error: StripeRefusal,
}

impl StripeFailure {
    pub(super) fn of(answer: &FailedAnswer<'_>) -> Self {
        let &FailedAnswer { status, is_replayed, should_retry, body } = answer;
        let refusal = serde_json::from_slice::<RefusalBody>(body).unwrap_or_default().error;
        let refusal = Box::new(StripeRefusal { status, ..refusal });
        let is_in_use = refusal.code.as_deref() == Some("idempotency_key_in_use");
        match status {
            429 => Self::TooMany,
            // Another request with the key is under way, or an object is locked: not now.
            409 if is_in_use || should_retry != Some(false) => Self::TooMany,
            401 => Self::Account(refusal),
            403 => Self::Forbidden(refusal),
            // Saved under the key: it will be answered so again.
            500..600 if is_replayed => Self::Stuck(status),
            500..600 => Self::Unknown(format!("status {status}")),
            // It did not read the request in time, or not at all.
            408 | 425 => Self::Unknown(format!("status {status}")),
            400..500 if !refusal.kind.is_empty() => Self::Refused(refusal),
            // Not Stripe: a proxy, or a redirect.
            _ => Self::Unknown(format!("status {status}")),
        }
    }

    /// Whether everything else will fail in the same way now.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::Forbidden(_) | Self::Stuck(_))
    }
}

impl StripeRefusal {
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// For the log: no words of Stripe's.
impl fmt::Display for StripeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.kind)?;
        let rest = [&self.code, &self.decline_code, &self.param];
        rest.into_iter().flatten().try_for_each(|word| write!(f, " {word}"))
    }
}

impl fmt::Display for StripeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => write!(f, "no answer to rely on: {why}"),
            Self::TooMany => f.write_str("too many requests"),
            Self::Stuck(status) => write!(f, "failed for good under this key: status {status}"),
            Self::Account(refusal) => write!(f, "the account's key is refused: {refusal}"),
            Self::Forbidden(refusal) => write!(f, "the account's key may not do this: {refusal}"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[u8] = br#"{"error": {"type": "invalid_request_error", "code": "amount_too_small",
        "param": "line_items", "message": "for ada@example.org", "doc_url": "x", "new": {"a": [1]}}}"#;

    fn failure(status: u16, body: &[u8]) -> StripeFailure {
        StripeFailure::of(&FailedAnswer { status, is_replayed: false, should_retry: None, body })
    }

    #[test]
    fn a_refusal_names_the_code_and_its_words_stay_out_of_the_log() {
        let StripeFailure::Refused(refusal) = failure(400, SMALL) else { panic!("refused") };
        assert!(refusal.is("amount_too_small") && refusal.message.contains("ada@"));
        assert_eq!(refusal.to_string(), "400 invalid_request_error amount_too_small line_items");
        assert!(!failure(400, SMALL).to_string().contains("ada@"));
    }

    #[test]
    fn what_may_have_been_done_is_never_called_refused() {
        for (status, body) in [
            (500, &b""[..]),
            (502, b"<html>"),
            (503, b"{}"),
            (302, b""),
            (504, SMALL),
            // From a proxy: Stripe itself says what is wrong.
            (404, b"<html>"),
            (413, b""),
            (421, b"{}"),
            (408, SMALL),
        ] {
            assert!(matches!(failure(status, body), StripeFailure::Unknown(_)), "{status}");
        }
        let replayed = FailedAnswer { status: 500, is_replayed: true, should_retry: None, body: b"" };
        assert_eq!(StripeFailure::of(&replayed), StripeFailure::Stuck(500));
    }

    #[test]
    fn too_much_at_once_may_be_sent_again() {
        assert_eq!(failure(429, b""), StripeFailure::TooMany);
        let in_use = br#"{"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}}"#;
        assert_eq!(failure(409, in_use), StripeFailure::TooMany);
        let other_body = br#"{"error": {"type": "idempotency_error", "message": "another body"}}"#;
        assert!(matches!(failure(400, other_body), StripeFailure::Refused(_)));
        assert!(matches!(failure(401, b"{}"), StripeFailure::Account(_)));
        assert!(matches!(failure(403, b"no JSON"), StripeFailure::Forbidden(_)));
        assert!(failure(401, b"").is_outage() && failure(404, b"").is_outage());
        assert!(!failure(403, b"").is_outage() && !failure(404, SMALL).is_outage(), "the rest works");
    }
}
