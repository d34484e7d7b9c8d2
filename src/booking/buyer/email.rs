//! Email addresses that every mail server accepts.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::invisible::is_visible;
use super::name::compose;
use super::scripts::is_unmistakable;
use super::unwrapping::{EmailError, find_address, fits_mailbox};

/// RFC 5321 limits a path to 256 octets, angle brackets included.
const LENGTH_MAX: usize = 254;

/// Reads an email address, taken out of [what stands around it](find_address). The part before the @ stays as
/// it was typed, and must be ASCII, because not every mail server accepts more. The domain is written as in
/// the DNS: in lower case, with labels that are not ASCII as `xn--…` (RFC 5890, Unicode Technical Standard
/// 46).
///
/// # Errors
/// Why it is not an address.
pub fn parse_email(typed: &str) -> Result<String, EmailError> {
    let (mailbox, domain) = find_address(typed)?;
    let stranger = mailbox.chars().find(|c| !fits_mailbox(*c)).or(domain.chars().find(|c| !fits_domain(*c)));
    // Half of a pair of quotation marks.
    let stranger = stranger.or(mailbox.chars().next_back().filter(|c| matches!(c, '\'' | '`')));
    if let Some(stranger) = stranger {
        return Err(EmailError::Character(stranger));
    }
    let domain = ascii_domain(&compose(&domain)).ok_or(EmailError::Invalid)?;
    let email = format!("{mailbox}@{domain}");
    let options = Options::default().without_display_text().without_domain_literal();
    let is_valid = email.len() <= LENGTH_MAX && is_on_the_internet(&domain);
    match EmailAddress::parse_with_options(&email, options) {
        Ok(_) if is_valid => Ok(email),
        _ => Err(EmailError::Invalid),
    }
}

/// Whether a character may be part of a domain as people write it: letters, digits and marks, and the few
/// other signs that domains need (RFC 5892). Of the invisible characters only joiners pass here;
/// [`ascii_domain`] says where they are allowed.
fn fits_domain(c: char) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' => true,
        // Catalan, Greek, Hebrew, Tibetan, Arabic, Chinese, Japanese.
        '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{f0b}' | '\u{6fd}' | '\u{6fe}' | '\u{3007}'
        | '\u{30fb}' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric() || matches!(c, '-' | '.'),
        c => is_visible(c) && is_letter_digit_or_mark(c),
    }
}

fn is_letter_digit_or_mark(c: char) -> bool {
    use GeneralCategory as Category;
    matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::LowercaseLetter
            | Category::UppercaseLetter
            | Category::OtherLetter
            | Category::ModifierLetter
            | Category::NonspacingMark
            | Category::SpacingMark
            | Category::DecimalNumber
    )
}

/// The address as people read it: the domain in its own script. A domain that mixes scripts, or whose letters
/// look Latin but are not, keeps its `xn--…` form: `аpple.com` with a Cyrillic letter is not Apple's.
#[must_use]
pub fn shown_email(email: &str) -> String {
    let shown =
        email.rsplit_once('@').filter(|(_, domain)| domain.contains("xn--")).and_then(|(mailbox, domain)| {
            let unicode =
                Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
            // Only where it leads back to the same domain.
            let shown = unicode.1.is_ok()
                && ascii_domain(&unicode.0).as_deref() == Some(domain)
                && unicode.0.chars().all(fits_domain)
                && unicode.0.split('.').all(is_unmistakable);
            shown.then(|| format!("{mailbox}@{}", unicode.0))
        });
    shown.unwrap_or_else(|| email.to_owned())
}

/// One form for all spellings of an address, for comparing buyers with each other: all in lower case. RFC
/// 5321 (section 2.4) lets servers distinguish mailboxes by case, but no server that people use does. Rules
/// of single providers, such as ignoring dots or whatever follows a plus, are not applied: elsewhere such
/// addresses belong to different people.
#[must_use]
pub fn normalized_email(email: &str) -> String {
    let email = compose(email.trim());
    let Some((mailbox, domain)) = email.rsplit_once('@') else { return email.to_lowercase() };
    let domain = ascii_domain(domain).unwrap_or_else(|| domain.to_lowercase());
    format!("{}@{domain}", mailbox.to_lowercase())
}

/// The normalized address, unless it is simply the address with its ASCII letters in lower case. SQL can do
/// that much by itself, the same on both databases, and an address in ASCII needs no more.
#[must_use]
pub fn unusual_normalized_email(email: &str) -> Option<String> {
    if email.is_ascii() {
        return None;
    }
    let normalized = normalized_email(email);
    (normalized != email.to_ascii_lowercase()).then_some(normalized)
}

/// The domain as the DNS stores it. `None`: the DNS cannot store it, or its `xn--…` labels contain characters
/// that do not fit a domain.
fn ascii_domain(domain: &str) -> Option<String> {
    let domain = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    domain.ok().map(Cow::into_owned).filter(|domain| has_letters_only(domain))
}

fn has_letters_only(domain: &str) -> bool {
    !domain.contains("xn--")
        || Uts46::new()
            .to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast)
            .0
            .chars()
            .all(fits_domain)
}

/// Whether the domain has a name below a top-level domain, which is never a number.
fn is_on_the_internet(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(host, top)| {
        !host.is_empty() && top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_mailbox_and_a_domain() {
        for (typed, email) in [
            (" ada@example.org ", "ada@example.org"),
            ("Ada.Lovelace+vip@Mail.Example.CO.UK", "Ada.Lovelace+vip@mail.example.co.uk"),
            ("o'brien@example.org", "o'brien@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BU\u{308}CHER.example", "ada@xn--bcher-kva.example"),
            ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@نامه\u{200c}ای.example", "ada@xn--mgba3gch31f060k.example"),
            ("Ada <ada@example.org>,", "ada@example.org"),
            ("ada@exam\u{200b}ple.org", "ada@example.org"),
        ] {
            assert_eq!(parse_email(typed).as_deref(), Ok(email), "{typed}");
            assert_eq!(parse_email(email).as_deref(), Ok(email), "a valid address does not change");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "ada@@example.org",
            "a@b@example.org",
            "a b@example.org",
            "ada@exa mple.org",
            "\"ada\"@example.org",
            "ada@[127.0.0.1]",
            "ada@127.0.0.11",
            "ada@.example.org",
            "ada@-example.org",
            "ada@exam_ple.org",
            "ada@xn--a.example",
            "zoë@example.org",
            "ада@example.org",
            "ada@example.org\nbcc: x@y.zz",
            "ada@example.org,eve@example.org",
            "\u{202e}ada@example.org",
            "ada@exam\u{202e}ple.org",
            "ada@\u{3164}example.org",
            "Ada <ada@example.org>, Eve <eve@example.org>",
            "ada\u{200d}@example.org",
            "ada@exam\u{e000}ple.org",
            &format!("{}@example.org", "x".repeat(250)),
            &format!("{}@example.org", "x".repeat(65)),
            &format!("ada@{}.org", "x".repeat(64)),
        ] {
            assert!(parse_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (typed, error) in [
            (" \u{200e} ", EmailError::Missing),
            ("a@x.org, b@x.org", EmailError::Several),
            ("a b@example.org", EmailError::Character(' ')),
            ("zoë@example.org", EmailError::Character('ë')),
            ("ada@exam\u{202e}ple.org", EmailError::Character('\u{202e}')),
            ("ada@exam_ple.org", EmailError::Character('_')),
            ("ada@exampl℮.org", EmailError::Character('℮')),
            ("ada@i♥.example", EmailError::Character('♥')),
            ("ada@xn--i-7iq.example", EmailError::Invalid),
            ("'ada'@example.org", EmailError::Character('\'')),
            ("ada", EmailError::Invalid),
        ] {
            assert_eq!(parse_email(typed), Err(error), "{typed:?}");
        }
    }

    #[test]
    fn an_international_domain_is_shown_in_its_own_script() {
        for (typed, shown) in [
            ("ada@müller.example", "ada@müller.example"),
            ("ada@xn--mller-kva.example", "ada@müller.example"),
            ("Ada@例え.テスト", "Ada@例え.テスト"),
            ("ada@example.org", "ada@example.org"),
            ("ada@почта.рф", "ada@почта.рф"),
            ("ada@日本ストア.example", "ada@日本ストア.example"),
            ("ada@аpple.com", "ada@xn--pple-43d.com"),
            ("ada@αpple.com", "ada@xn--pple-zld.com"),
            ("ada@арр.com", "ada@xn--80a6aa.com"),
        ] {
            assert_eq!(shown_email(&parse_email(typed).expect(typed)), shown);
        }
        for other in ["", "no address", "ada@xn--a.example", "a@b@xn--mller-kva.example"] {
            assert!(shown_email(other).starts_with(other.split('@').next().unwrap_or_default()), "{other}");
        }
    }

    #[test]
    fn one_address_compares_equal_however_it_is_written() {
        let ways = [
            "ada@bücher.example",
            "ADA@Bücher.Example",
            " ada@XN--BCHER-KVA.example",
            "ada@bu\u{308}cher.example",
        ];
        for way in ways {
            assert_eq!(normalized_email(way), "ada@xn--bcher-kva.example", "{way}");
        }
        let others = ["a.da@example.org", "ada+1@example.org", "ada@example.com", "ada@sub.example.org"];
        for other in others {
            assert_ne!(normalized_email(other), normalized_email("ada@example.org"), "{other}");
        }
        assert_eq!(normalized_email("no address"), "no address");
        for email in ["Ada@example.org", "x@y"] {
            let once = normalized_email(email);
            assert_eq!(normalized_email(&once), once);
        }
    }
}
