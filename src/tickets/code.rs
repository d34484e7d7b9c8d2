//! Ticket codes: the booking's reference, the seat, and a signature over both, in the reference's alphabet.
//!
//! `7F3K-9QXM-222R-KD84-TQ2H` is the reference `TK-7F3K-9QXM`, three characters for the seat, and nine
//! characters of HMAC-SHA256, truncated to 30⁹ values (44 bits). RFC 2104 (section 5) recommends 80 bits, for
//! attackers who can guess offline. Here each guess is a request from a signed-in session or with a gate's
//! link; it is rate limited, and refusals are stored. The code must be short enough to type. The signature
//! also catches typing errors, so the code needs no check digit.
//!
//! The key is derived from the site's secret for this purpose only. An offline gate could be given the key: it
//! could then verify and forge ticket codes, but nothing else that the secret signs.

use super::keyboards::{plain, readings};
use crate::booking::{REFERENCE_ALPHABET, digits, number};
use crate::guard::secret::{Purpose, Secrets};
use crate::guard::signing::{Signature, Signer};

const REFERENCE_LENGTH: usize = 8;
const SEAT_LENGTH: usize = 3;
const TAG_LENGTH: usize = 9;
/// Twenty characters, five groups of four.
const LENGTH: usize = REFERENCE_LENGTH + SEAT_LENGTH + TAG_LENGTH;
const GROUP: usize = 4;

const BASE: u64 = REFERENCE_ALPHABET.len() as u64;
const SEATS_MAX: u64 = BASE.pow(SEAT_LENGTH as u32) - 1;
const TAGS: u64 = BASE.pow(TAG_LENGTH as u32);

/// A verified code: a booking's reference and a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// As in `bookings.reference`: `TK-7F3K-9QXM`.
    pub reference: String,
    pub seat: i32,
}

/// Why a text is not a ticket code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeError {
    Empty,
    /// The wrong length, or characters outside the alphabet.
    Malformed,
    /// A booking's reference, which does not admit anybody.
    Reference,
    /// The signature is wrong: mistyped or forged.
    Foreign,
    /// Different tickets in one text.
    Several,
}

/// Signs and verifies ticket codes.
#[derive(Clone)]
pub struct TicketCodes {
    signer: Signer,
}

impl TicketCodes {
    /// Signs with the site's secret; also verifies codes of its previous secrets.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { signer: Signer::new(secrets, Purpose::TicketCodes) }
    }

    /// The code of a seat; `None` for an invalid reference or seat.
    #[must_use]
    pub fn sign(&self, reference: &str, seat: i32) -> Option<String> {
        let characters = reference.strip_prefix("TK-")?.replace('-', "");
        let is_ours = characters.len() == REFERENCE_LENGTH && number(&characters).is_some();
        let seat = u64::try_from(seat).ok().filter(|seat| is_ours && (1..=SEATS_MAX).contains(seat))?;
        let tag = tag(&self.signer.sign(&message(&characters, seat)));
        let code = format!("{characters}{}{}", digits(seat, SEAT_LENGTH), digits(tag, TAG_LENGTH));
        Some(grouped(&code))
    }

    /// Verifies a typed or scanned code. Case, spaces, hyphens, and text around the code do not matter. A code that a
    /// scanner typed through another keyboard layout is read through it: the signature tells where the code is and
    /// which layout fits.
    ///
    /// # Errors
    /// [`CodeError`] says why it is not valid.
    pub fn verify(&self, text: &str) -> Result<Code, CodeError> {
        let whole = text.trim_start();
        let text = without_prefix(whole);
        let plain = plain(text);
        // What looks like a prefix may be what a layout has made of a code's first characters.
        let of_whole = (text.len() < whole.len()).then(|| readings(whole)).into_iter().flatten();
        let found = std::iter::once(plain.clone()).chain(readings(text)).chain(of_whole);
        if let Some(found) = found.filter_map(|reading| self.find(&reading)).next() {
            return found;
        }
        match self.verify_reading(&plain) {
            // Something was typed, but in characters that ticket codes do not have.
            Err(CodeError::Empty) if text.chars().any(char::is_alphanumeric) => Err(CodeError::Malformed),
            result => result,
        }
    }

    /// The code that stands somewhere in a text of capitals, once or several times. `None`: there is none.
    fn find(&self, typed: &str) -> Option<Result<Code, CodeError>> {
        let windows = typed.as_bytes().windows(LENGTH).filter_map(|window| str::from_utf8(window).ok());
        let mut codes = windows.filter_map(|window| self.verify_reading(window).ok());
        let code = codes.next()?;
        Some(if codes.all(|other| other == code) { Ok(code) } else { Err(CodeError::Several) })
    }

    /// Verifies a text in capitals that has nothing but the code.
    fn verify_reading(&self, typed: &str) -> Result<Code, CodeError> {
        let (reference, rest) = match typed.len() {
            LENGTH => typed.split_at(REFERENCE_LENGTH),
            0 => return Err(CodeError::Empty),
            length if length == "TK".len() + REFERENCE_LENGTH && typed.starts_with("TK") => {
                return Err(CodeError::Reference);
            }
            _ => return Err(CodeError::Malformed),
        };
        let (seat, signed) = rest.split_at(SEAT_LENGTH);
        let numbers = number(seat).zip(number(signed)).filter(|_| number(reference).is_some());
        let (seat, signed) = numbers.ok_or(CodeError::Malformed)?;
        // Comparing two integers takes constant time. Every key is tried.
        let message = message(reference, seat);
        let matches = self.signer.signatures(&message).filter(|signature| tag(signature) == signed).count();
        let seat = i32::try_from(seat).ok().filter(|seat| *seat > 0 && matches > 0);
        let (first, second) = reference.split_at(GROUP);
        Ok(Code { reference: format!("TK-{first}-{second}"), seat: seat.ok_or(CodeError::Foreign)? })
    }
}

/// Some scanners say first what kind of code they have read: "]Q1" is a QR code, "]C1" a Code 128 (ISO/IEC 15424), and
/// "\\000026" says that its text is UTF-8.
fn without_prefix(text: &str) -> &str {
    let kind = |text: &str| text.starts_with(']') && text.chars().nth(2).is_some_and(|c| c.is_ascii_digit());
    let rest = if kind(text) { text.char_indices().nth(3).map_or("", |(at, _)| &text[at..]) } else { text };
    let without_encoding = rest.strip_prefix('\\').and_then(|rest| rest.split_at_checked(6));
    match without_encoding {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => rest,
    }
}

fn message(reference: &str, seat: u64) -> Vec<u8> {
    [reference.as_bytes(), &seat.to_be_bytes()].concat()
}

/// Reduces 128 bits, so that the bias between tags is below 2⁻⁸⁰.
fn tag(signature: &Signature) -> u64 {
    let number = signature[..16].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    // Less than TAGS, so it fits.
    (number % u128::from(TAGS)) as u64
}

fn grouped(code: &str) -> String {
    let characters: Vec<char> = code.chars().collect();
    characters.chunks(GROUP).map(String::from_iter).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::new_reference;

    #[test]
    fn a_code_says_its_seat_however_it_is_typed() {
        let codes = TicketCodes::new(&"a secret".into());
        let reference = new_reference();
        for seat in [1, 2, 29, 30, 899, 26_999] {
            let code = codes.sign(&reference, seat).expect("a code");
            assert_eq!(code.len(), "7F3K-9QXM-222R-KD84-TQ2H".len());
            let expected = Code { reference: reference.clone(), seat };
            for typed in [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('-', "")] {
                assert_eq!(codes.verify(&format!(" {typed}\r\n")), Ok(expected.clone()), "{typed}");
                for around in [
                    "]Q1@",
                    "]d2@",
                    "]Q3\\000026@",
                    "Code: @.",
                    "{\"code\":\"@\"}",
                    "@2",
                    "@ @",
                    "https://x.org/?c=@",
                ] {
                    let typed = around.replace('@', &typed);
                    assert_eq!(codes.verify(&typed), Ok(expected.clone()), "{typed}");
                }
            }
        }
        for (reference, seat) in [(&*reference, 0), (&reference, -1), (&reference, 27_000), ("TK-VIP", 1)] {
            assert_eq!(codes.sign(reference, seat), None, "{reference} {seat}");
        }
    }

    #[test]
    fn what_looks_like_a_prefix_may_be_a_code_through_another_layout() {
        let codes = TicketCodes::new(&"a secret".into());
        let code = codes.sign("TK-ZW3V-XJ63", 1).expect("a code");
        let syriac = |c: char| {
            let at = "ABCDEFGHJKMNPQRSTVWXYZ".find(c)?;
            "ܫܧܤܝܖܒܠܐܬܢ.܀ܚܔܩܣܦܪܨ[ܜ]".chars().nth(at)
        };
        let typed: String = code.chars().map(|c| syriac(c).unwrap_or(c)).collect();
        assert!(typed.starts_with("]ܨ3"), "{typed}");
        assert_eq!(codes.verify(&typed), Ok(Code { reference: "TK-ZW3V-XJ63".into(), seat: 1 }));
    }

    #[test]
    fn a_code_with_any_character_changed_is_not_ours() {
        let codes = TicketCodes::new(&"a secret".into());
        let code = codes.sign("TK-7F3K-9QXM", 3).expect("a code");
        for (position, _) in code.char_indices().filter(|(_, character)| *character != '-') {
            for other in REFERENCE_ALPHABET.iter().map(|it| char::from(*it)) {
                let mut altered = code.clone();
                altered.replace_range(position..=position, &other.to_string());
                if altered != code {
                    assert_eq!(codes.verify(&altered), Err(CodeError::Foreign), "{altered}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        let codes = TicketCodes::new(&"a secret".into());
        let code = codes.sign("TK-7F3K-9QXM", 3).expect("a code");
        let foreign = TicketCodes::new(&"another secret".into()).sign("TK-7F3K-9QXM", 3).expect("a code");
        let mut mistyped = code.clone();
        mistyped.replace_range(..1, "0");
        for (text, error) in [
            (" - ", CodeError::Empty),
            ("TK-7F3K-9QXM", CodeError::Reference),
            (&code[1..], CodeError::Malformed),
            (&mistyped, CodeError::Malformed),
            (&format!("{foreign}2"), CodeError::Malformed),
            (&foreign, CodeError::Foreign),
            (&format!("]C1{foreign}"), CodeError::Foreign),
            (&format!("{code} {}", codes.sign("TK-7F3K-9QXM", 4).expect("a code")), CodeError::Several),
        ] {
            assert_eq!(codes.verify(text), Err(error), "{text}");
        }
    }

    #[test]
    fn codes_of_the_previous_secret_stay_good() {
        let old = TicketCodes::new(&"the old secret".into()).sign("TK-7F3K-9QXM", 1).expect("a code");
        let rotated = TicketCodes::new(&Secrets::new("the new secret".into(), vec!["the old secret".into()]));
        assert!(rotated.verify(&old).is_ok());
        assert_ne!(rotated.sign("TK-7F3K-9QXM", 1), Some(old.clone()), "the current one signs");
        assert_eq!(TicketCodes::new(&"the new secret".into()).verify(&old), Err(CodeError::Foreign));
    }
}
