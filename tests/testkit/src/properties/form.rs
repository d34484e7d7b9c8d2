//! The checkout's form: only valid input becomes an order.

use techkraft::booking::Order;
use techkraft::booking::buyer::{parse_email, parse_name};
use techkraft::booking::form::{BookingForm, FieldErrors};
use techkraft::booking::request_key::RequestKeys;
use techkraft::events::board::Listing;
use techkraft::events::{Concert, TicketType};
use techkraft::guard::form::parse;

use crate::properties::{SECRET, never_used, samples};

/// Replaced by a valid request key, which a fuzzer cannot guess.
const KEY: &str = "KEY";

/// The input is the form as it is posted.
pub fn holds(input: &[u8]) {
    // This is the parser that the server uses for posted forms.
    let Ok(mut form) = parse::<BookingForm>(input) else { return };
    let is_ours = form.request_key == KEY;
    let keys = if is_ours { RequestKeys::new(&SECRET.into()) } else { never_used() };
    if is_ours {
        keys.generate().as_str().clone_into(&mut form.request_key);
    }
    form.ticket_type = "1".into();
    match form.parse(&listing(), &keys) {
        Ok(order) => {
            assert!(is_ours, "booked with a key that was never handed out: {form:?}");
            is_bookable(&form, &order);
        }
        Err(errors) => is_told(&form, &errors, is_ours),
    }
}

/// A concert with two ticket types. The first one is the form's main choice.
fn listing() -> Listing {
    let other = TicketType { id: 2, position: 2, ..samples::ticket_type("Floor") };
    let ticket_types = vec![samples::ticket_type("VIP"), other];
    let concert = Concert {
        event: samples::event("Show", "Hall", "Chicago"),
        ticket_types,
        held: Vec::new(),
        former_slugs: Vec::new(),
    };
    Listing::new(concert, Default::default())
}

fn is_bookable(form: &BookingForm, order: &Order) {
    for line in order.lines() {
        assert!((1..=samples::MOST).contains(&line.quantity), "{order:?}");
        let typed = form.quantity_of(line.ticket_type_id).trim().trim_start_matches('0');
        assert_eq!(typed, line.quantity.to_string(), "{form:?}");
    }
    assert!(!order.lines().is_empty(), "{form:?}");
    assert_eq!(order.request_key, form.request_key);

    let name = &order.buyer.name;
    assert!((1..=100).contains(&name.chars().count()), "{name:?}");
    assert!(name.chars().all(|c| c == ' ' || !c.is_whitespace()), "{name:?}");
    assert!(!name.starts_with(' ') && !name.ends_with(' ') && !name.contains("  "), "{name:?}");
    assert!(name.chars().any(char::is_alphanumeric), "{name:?}");
    // Some scripts and emoji need joiners inside of words. The unit tests define which ones may stay.
    let is_joiner = |c: char| matches!(c, '\u{180e}' | '\u{200c}' | '\u{200d}');
    assert!(!name.chars().any(|c| is_unseen(c) && !is_joiner(c)), "{name:?}");
    assert!(!name.starts_with(is_joiner), "{name:?}");
    assert_eq!(parse_name(name).as_ref(), Ok(name), "a name that is well stays as it is");

    let email = &order.buyer.contact.email().expect("an address").to_owned();
    assert!(email.len() <= 254, "{email:?}");
    let (mailbox, domain) = email.rsplit_once('@').expect("an address has an @");
    assert!(!mailbox.is_empty() && domain.contains('.') && !domain.contains('@'), "{email:?}");
    // No character that could end a header, a list or an address in a mail.
    let is_dangerous = |c: char| c.is_whitespace() || is_unseen(c) || ",;:<>()[]\\\"".contains(c);
    assert!(!email.chars().any(is_dangerous), "{email:?}");
    assert_eq!(parse_email(email).as_ref(), Ok(email), "an address that is well stays as it is");
}

fn is_told(form: &BookingForm, errors: &FieldErrors, is_ours: bool) {
    assert!(!errors.is_empty(), "refused without a word: {form:?}");
    assert_eq!(errors.form.is_none(), is_ours && form.remarks.is_empty(), "{errors:?}");
    let messages = [&errors.name, &errors.email, &errors.form].into_iter().flatten();
    assert!(messages.chain(errors.quantities.values()).all(|message| !message.is_empty()), "{errors:?}");
    assert_eq!(errors.link, None, "only the desk knows of an earlier booking");
}

/// Control characters, and characters that Unicode calls default-ignorable or bidirectional. With them, different
/// names may look the same, and text may be displayed in another order.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}
