//! Deceptive and invisible characters in names and email addresses.

use crate::hostile::case::Case;
use crate::hostile::stage::Stage;

pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, text) in REFUSED {
        let name = stage.form_with(&[("name", &format!("Ada{text}Byron"))]);
        let expected = if IDLE_IN_NAMES.contains(&what) { "booked" } else { "422" };
        cases.push(Case::post(format!("a name with {what}"), "/bookings", name, expected));
    }
    for (what, text) in REFUSED.into_iter().chain(NOT_IN_ADDRESSES) {
        let expected = if DROPPED.contains(&what) { "booked" } else { "422" };
        let email = stage.form_with(&[("email", &format!("ada{text}@example.org"))]);
        let before_the_at = if SPACES.contains(&what) { "booked" } else { expected };
        cases.push(Case::post(format!("a mailbox with {what}"), "/bookings", email, before_the_at));
        let email = stage.form_with(&[("email", &format!("ada@exam{text}ple.org"))]);
        cases.push(Case::post(format!("a domain with {what}"), "/bookings", email, expected));
    }
    for (what, name, expected) in NAMES {
        let form = stage.form_with(&[("name", name)]);
        cases.push(Case::post(format!("a name of {what}"), "/bookings", form, expected));
    }
    let long = |length: usize| stage.form_with(&[("name", &"%F0%9D%93%90".repeat(length))]);
    cases.push(Case::post("a name of 100 wide letters", "/bookings", long(100), "booked|422"));
    cases.push(Case::post("a name of 101 wide letters", "/bookings", long(101), "422"));
    let marks = format!("a{}", "%CC%81".repeat(2000));
    cases.push(Case::post(
        "a letter with 2,000 accents",
        "/bookings",
        stage.form_with(&[("name", &marks)]),
        "413|422",
    ));
    let email = format!("{}@example.org", "a".repeat(300));
    cases.push(Case::post("a mailbox of 300", "/bookings", stage.form_with(&[("email", &email)]), "422"));
    let email = format!("a@{}org", "a.".repeat(5000));
    cases.push(Case::post(
        "a domain of 5,000 parts",
        "/bookings",
        stage.form_with(&[("email", &email)]),
        "422",
    ));
    cases
}

/// Characters that are refused in names and in addresses, except for those in the lists below.
const REFUSED: [(&str, &str); 19] = [
    ("NUL", "%00"),
    ("a bell", "%07"),
    ("an escape", "%1B%5B31m"),
    ("DEL", "%7F"),
    ("a C1 control", "%C2%9B"),
    ("a soft hyphen", "%C2%AD"),
    ("an Arabic letter mark", "%D8%9C"),
    ("a zero-width space", "%E2%80%8B"),
    ("a zero-width joiner", "%E2%80%8D"),
    ("a left-to-right mark", "%E2%80%8E"),
    ("a right-to-left override", "%E2%80%AE"),
    ("a left-to-right embedding", "%E2%80%AA"),
    ("a pop of directions", "%E2%80%AC"),
    ("an isolate", "%E2%81%A6"),
    ("a word joiner", "%E2%81%A0"),
    ("a byte order mark", "%EF%BB%BF"),
    ("an annotation anchor", "%EF%BF%B9"),
    ("a tag", "%F3%A0%81%A1"),
    ("a backspace", "%08"),
];

/// Invisible characters that may be copied along with an address: the server removes them.
const DROPPED: [&str; 9] = [
    "a soft hyphen",
    "an Arabic letter mark",
    "a zero-width space",
    "a left-to-right mark",
    "a left-to-right embedding",
    "a pop of directions",
    "an isolate",
    "a word joiner",
    "a byte order mark",
];

/// Characters that may be copied along with a name and have no effect there: the server removes them.
const IDLE_IN_NAMES: [&str; 7] = [
    "a soft hyphen",
    "an Arabic letter mark",
    "a zero-width space",
    "a zero-width joiner",
    "a left-to-right mark",
    "a word joiner",
    "a byte order mark",
];

/// Phones may insert a space before the @; the server removes it.
const SPACES: [&str; 4] = ["a blank", "a line feed", "a tab", "a no-break space"];

const NOT_IN_ADDRESSES: [(&str, &str); 12] = [
    ("a blank", "+"),
    ("a line", "%0D%0ABcc:x@y.zz"),
    ("a line feed", "%0A"),
    ("a tab", "%09"),
    ("a no-break space", "%C2%A0"),
    ("a comma", ",b@example.org,"),
    ("a semicolon", ";b@example.org;"),
    ("angle brackets", "%3Cb%3E"),
    ("a quote", "%22"),
    ("another at", "@b"),
    ("an overlong slash", "%C0%AF"),
    ("a surrogate", "%ED%A0%80"),
];

const NAMES: [(&str, &str, &str); 27] = [
    ("a web address", "Locked%21+See+https%3A%2F%2Fevil.example%2Fx", "422"),
    ("a host", "see+evil.example", "422"),
    ("a host with a wide dot", "evil%EF%BC%8Eexample", "422"),
    ("an email address", "eve@example.org", "422"),
    ("a C1 line end, which is white space", "Ada%C2%85Byron", "booked|422"),
    ("nothing", "", "422"),
    ("blanks", "+++", "422"),
    ("wide blanks", "%E3%80%80%C2%A0", "422"),
    ("punctuation", "...", "422"),
    ("a Hangul filler", "%E3%85%A4", "422"),
    ("Braille blanks", "%E2%A0%80%E2%A0%80", "422"),
    ("a variation selector", "%EF%B8%8F", "422"),
    ("a combining mark alone", "%CC%81", "422"),
    ("a noncharacter", "%EF%BF%BE", "422"),
    ("an invalid byte", "%FF", "422"),
    ("an overlong letter", "%C1%81", "422"),
    ("a surrogate", "%ED%A0%80", "422"),
    ("a plane that is not there", "%F4%90%80%80", "422"),
    ("letters with their accents", "Zo%C3%AB", "booked"),
    ("letters and accents apart", "Zoe%CC%88", "booked"),
    ("Hebrew", "%D7%A9%D7%9C%D7%95%D7%9D", "booked"),
    ("Arabic", "%D8%B3%D9%84%D8%A7%D9%85", "booked"),
    ("Chinese", "%E6%9D%8E%E5%B0%8F%E9%BE%99", "booked"),
    ("an emoji with a letter", "A%F0%9F%8E%AB", "booked|422"),
    ("a ligature", "%EF%B7%BA", "booked|422"),
    ("a Turkish i", "%C4%B0", "booked"),
    ("an apostrophe", "Siobh%C3%A1n+O%27Neill", "booked"),
];
