//! Links to single tickets, for the friends whom the buyer gives them to.
//!
//! A link names the booking's reference and the seat, and is signed. It shows that ticket and nothing else of the
//! booking: neither its page, nor the buyer's address, nor a way to cancel. Nothing is stored, and the same ticket
//! always has the same link. The signature has 128 bits, because anybody may try links.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::code::Code;
use crate::booking::{is_token, parse_reference};
use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::Signer;

const SEAT_BYTES: usize = 2;
const REFERENCE_BYTES: usize = 8;
const SIGNATURE_BYTES: usize = 16;
const MESSAGE_BYTES: usize = SEAT_BYTES + REFERENCE_BYTES;

/// Makes and opens links with the site's secrets.
#[derive(Clone)]
pub struct TicketLinks {
    signer: Signer,
}

impl TicketLinks {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { signer: Signer::new(secrets, Purpose::TicketLinks) }
    }

    /// The path of a ticket's own page; `None` for an invalid reference or seat.
    #[must_use]
    pub fn path(&self, reference: &str, seat: i32) -> Option<String> {
        let characters = reference.strip_prefix("TK-")?.replace('-', "");
        let seat =
            u16::try_from(seat).ok().filter(|seat| *seat > 0 && characters.len() == REFERENCE_BYTES)?;
        let message = [&seat.to_be_bytes()[..], characters.as_bytes()].concat();
        let signature = self.signer.sign(&message);
        let token = URL_SAFE_NO_PAD.encode([&message[..], &signature[..SIGNATURE_BYTES]].concat());
        Some(format!("/tickets/{token}"))
    }

    /// The ticket of a link that stands somewhere in a text.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Code> {
        text.split("/tickets/").skip(1).find_map(|rest| self.open(leading_token(rest)))
    }

    /// The ticket that a token names; `None` if it was not made here.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<Code> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (message, signature) = bytes.split_at_checked(MESSAGE_BYTES)?;
        if signature.len() != SIGNATURE_BYTES || !self.signer.verify(message, signature) {
            return None;
        }
        let (seat, characters) = message.split_at(SEAT_BYTES);
        let seat = u16::from_be_bytes(seat.try_into().ok()?);
        let reference = parse_reference(str::from_utf8(characters).ok()?)?;
        Some(Code { reference, seat: seat.into() })
    }
}

/// The token of a booking's link that stands somewhere in a text.
#[must_use]
pub fn booking_token(text: &str) -> Option<&str> {
    text.split("/bookings/").skip(1).map(leading_token).find(|token| is_token(token))
}

/// The start of a text, as far as it can be part of a token.
fn leading_token(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_ticket_and_no_other() {
        let links = TicketLinks::new(&"a secret".into());
        let path = links.path("TK-7F3K-9QXM", 3).expect("a path");
        let token = path.strip_prefix("/tickets/").expect("a token");
        assert_eq!(links.path("TK-7F3K-9QXM", 3).as_ref(), Some(&path), "always the same");
        assert_eq!(links.open(token), Some(Code { reference: "TK-7F3K-9QXM".into(), seat: 3 }));
        for text in
            [path.clone(), format!("https://tickets.example.org{path}?a=1"), format!("Ada: <x{path}>")]
        {
            assert_eq!(links.find(&text), links.open(token), "{text}");
        }
        assert_eq!((links.find("/tickets/"), links.find(token)), (None, None));
        for (position, _) in token.char_indices() {
            let mut altered = token.to_owned();
            let other = if token.as_bytes()[position] == b'A' { "B" } else { "A" };
            altered.replace_range(position..=position, other);
            assert_eq!(links.open(&altered), None, "{altered}");
        }
        for bad in ["", "A", &token[1..], &format!("{token}A"), "AZ3xyq0newbookings123_-4"] {
            assert_eq!(links.open(bad), None, "{bad}");
        }
        for (reference, seat) in
            [("TK-7F3K-9QXM", 0), ("TK-7F3K-9QXM", 70_000), ("TK-VIP", 1), ("7F3K-9QXM", 1)]
        {
            assert_eq!(links.path(reference, seat), None, "{reference} {seat}");
        }
    }

    #[test]
    fn a_bookings_link_is_found_in_a_text() {
        let token = "AZn8rL2c0123456789abcd-_";
        for text in [format!("https://x.org/bookings/{token}"), format!("/bookings/{token}/cancellation?a")] {
            assert_eq!(booking_token(&text), Some(token));
        }
        for text in [token, "/bookings/find", "/bookings?link=x", &format!("/bookings/{token}x")] {
            assert_eq!(booking_token(text), None, "{text}");
        }
    }

    #[test]
    fn links_of_the_previous_secret_stay_good() {
        let old = TicketLinks::new(&"the old secret".into()).path("TK-7F3K-9QXM", 1).expect("a path");
        let token = old.strip_prefix("/tickets/").expect("a token");
        let rotated = Secrets::new("the new secret".into(), vec!["the old secret".into()]);
        assert!(TicketLinks::new(&rotated).open(token).is_some());
        assert_eq!(TicketLinks::new(&"the new secret".into()).open(token), None);
    }
}
