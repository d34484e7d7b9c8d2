//! The .ics file: for all names of concerts, places and ticket types, it has exactly one entry with exactly the lines
//! that we write, and a calendar reads the same names.

use std::collections::BTreeMap;

use techkraft::booking::calendar::{self, CalendarFile};
use techkraft::events::Event;

use crate::properties::{samples, texts};

/// The properties of an entry, in alphabetical order.
const PROPERTIES: [&str; 12] = [
    "DESCRIPTION",
    "DTEND",
    "DTSTAMP",
    "DTSTART",
    "LAST-MODIFIED",
    "LOCATION",
    "ORGANIZER",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "UID",
    "URL",
];
const URL: &str = "https://tickets.example.org/bookings/AZn8rL2c0123456789abcdef";
/// RFC 5545, section 3.1, recommends at most 75 octets without the line end; the library may write one more.
const LINE_OCTETS_MAX: usize = 76;

/// The input is the names of the concert, the venue, the city and the tier.
pub fn holds(input: &[u8]) {
    let [name, venue, city, tier] = texts(input);
    let event = Event { organizer_name: venue.to_string(), ..samples::event(&name, &venue, &city) };
    let placed = samples::placed(event, samples::ticket_type(&tier));
    let CalendarFile { text: file, .. } = calendar::render(&placed, URL, "tickets@example.org");
    let lines = unfolded(&file);
    let inner = between(&between(&lines, "VCALENDAR"), "VEVENT");
    let alarm = between(&inner, "VALARM");
    assert_eq!(alarm.len(), 3, "{file:?}");
    // The alarm is at the end, between its BEGIN and END lines.
    let inner = &inner[..inner.len() - alarm.len() - 2];
    let entry: BTreeMap<&str, &str> = inner.iter().map(|line| property(line)).collect();
    let names: Vec<&str> = entry.keys().copied().collect();
    assert_eq!((names.as_slice(), inner.len()), (&PROPERTIES[..], PROPERTIES.len()), "{file:?}");
    assert_eq!(unescaped(entry["SUMMARY"]), readable(&name), "{file:?}");
    assert_eq!(unescaped(entry["LOCATION"]), readable(&placed.event.place()), "{file:?}");
    let description = format!("2 × {tier}, reference TK-7F3K-9QXM. {}", placed.payment_words());
    assert_eq!(unescaped(entry["DESCRIPTION"]), readable(&description), "{file:?}");
    assert!(entry["ORGANIZER"].ends_with(":mailto:tickets@example.org"), "{file:?}");
    assert_eq!(entry["URL"], URL);
}

/// A property's name, and its value, with its parameters if there are any.
fn property(line: &str) -> (&str, &str) {
    let end = line.find([':', ';']).expect("a name and a value");
    (&line[..end], if line[end..].starts_with(';') { &line[end..] } else { &line[end + 1..] })
}

/// The file's content lines, unfolded.
fn unfolded(file: &str) -> Vec<String> {
    assert!(file.ends_with("\r\n"), "{file:?}");
    let mut lines: Vec<String> = Vec::new();
    for line in file.trim_end_matches("\r\n").split("\r\n") {
        assert!(line.len() <= LINE_OCTETS_MAX, "{} octets: {line:?}", line.len());
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "{line:?}");
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// The lines between the BEGIN and END of a component, which must occur exactly once.
fn between(lines: &[String], component: &str) -> Vec<String> {
    let (begin, end) = (format!("BEGIN:{component}"), format!("END:{component}"));
    let places = |of: &str| -> Vec<usize> { (0..lines.len()).filter(|&at| lines[at] == of).collect() };
    let (begins, ends) = (places(&begin), places(&end));
    assert_eq!((begins.len(), ends.len()), (1, 1), "{lines:?}");
    lines[begins[0] + 1..ends[0]].to_vec()
}

/// Undoes the escaping of RFC 5545, section 3.3.11.
fn unescaped(value: &str) -> String {
    let (mut text, mut characters) = (String::new(), value.chars());
    while let Some(c) = characters.next() {
        text.push(match c {
            '\\' => match characters.next() {
                Some('n' | 'N') => '\n',
                Some(c @ ('\\' | ',' | ';')) => c,
                other => panic!("\\{other:?} in {value:?}"),
            },
            ',' | ';' => panic!("{c:?} stands bare in {value:?}"),
            c => c,
        });
    }
    text
}

/// The text as a calendar shows it, on one line: control characters and line ends become spaces.
fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
