//! One case of the table: its name, the bytes to send, and the allowed answers.

use techkraft::booking::is_token;

use crate::hostile::decency;
use crate::hostile::stage::Stage;
use crate::hostile::wire::{Answer, Heard, exchange};

/// The bytes to send, and the allowed answers.
pub struct Case {
    name: String,
    bytes: Vec<u8>,
    /// One word for each answer: its status, or `booked` for a redirect to a new booking; then `cut` if the server
    /// closed the connection without notice, or `open` if it announced the end and did not close it. `|` separates
    /// alternatives for a word, ` / ` alternatives for all words.
    expected: &'static str,
    /// Text that the last answer must contain.
    shows: Option<&'static str>,
}

/// The result of a case.
pub struct Outcome {
    words: Vec<String>,
    heard: Heard,
    /// The pages of the bookings that were made.
    pages: Vec<Answer>,
}

impl Outcome {
    pub fn booked_tokens(&self) -> impl Iterator<Item = &str> {
        self.heard.answers.iter().filter_map(booked_token)
    }
}

impl Case {
    /// Sends these bytes.
    pub fn raw(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expected: &'static str) -> Self {
        Self { name: name.into(), bytes: bytes.into(), expected, shows: None }
    }

    /// Sends this request line, with only a Host header.
    pub fn line(name: impl Into<String>, line: impl AsRef<[u8]>, expected: &'static str) -> Self {
        Self::raw(name, [line.as_ref(), b"\r\nHost: localhost\r\n\r\n"].concat(), expected)
    }

    /// Sends a GET for this path.
    pub fn get(name: impl Into<String>, path: impl AsRef<[u8]>, expected: &'static str) -> Self {
        Self::line(name, [b"GET ", path.as_ref(), b" HTTP/1.1"].concat(), expected)
    }

    /// Sends a GET for a page with additional header lines, each with its line end.
    pub fn headers(
        name: impl Into<String>,
        path: &str,
        lines: impl AsRef<[u8]>,
        expected: &'static str,
    ) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        Self::raw(name, [head.as_bytes(), lines.as_ref(), b"\r\n"].concat(), expected)
    }

    /// Posts a form.
    pub fn post(name: impl Into<String>, path: &str, form: impl AsRef<[u8]>, expected: &'static str) -> Self {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        Self::body(name, path, headers, form, expected)
    }

    /// Posts a body with its true length and additional header lines.
    pub fn body(
        name: impl Into<String>,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
        expected: &'static str,
    ) -> Self {
        Self::raw(name, posted(path, headers, body.as_ref()), expected)
    }

    /// The last answer must also contain this text.
    pub fn showing(self, text: &'static str) -> Self {
        Self { shows: Some(text), ..self }
    }

    pub fn play(&self, stage: &Stage) -> Outcome {
        let heard = exchange(stage.address(), &self.bytes);
        let mut words: Vec<String> = heard.answers.iter().map(word).collect();
        words.extend(heard.was_cut.then(|| "cut".to_owned()));
        words.extend(heard.was_left_open.then(|| "open".to_owned()));
        let tokens = heard.answers.iter().filter_map(booked_token);
        let pages = tokens.flat_map(|token| stage.pages_of(token)).collect();
        Outcome { words, heard, pages }
    }

    /// What is wrong with the outcome, if anything.
    pub fn wrong(&self, outcome: &Outcome) -> Option<String> {
        let is_expected = self.expected.split(" / ").any(|words| is_as_expected(words, &outcome.words));
        let mut wrong: Vec<String> = outcome.heard.wrong.iter().cloned().collect();
        if !is_expected {
            wrong.push(format!("{:?} instead of {:?}", outcome.words.join(" "), self.expected));
        }
        let shown = outcome
            .pages
            .iter()
            .chain(outcome.heard.answers.last())
            .any(|answer| self.shows.is_none_or(|text| answer.text().contains(text)));
        if !shown && self.shows.is_some() {
            wrong.push(format!("it does not show {:?}", self.shows.unwrap_or_default()));
        }
        let answers = outcome.heard.answers.iter().chain(&outcome.pages);
        wrong.extend(answers.flat_map(decency::breaches));
        (!wrong.is_empty()).then(|| format!("{}: {}", self.name, wrong.join("; ")))
    }
}

fn is_as_expected(expected: &str, words: &[String]) -> bool {
    let each: Vec<&str> = expected.split(' ').collect();
    each.len() == words.len() && each.iter().zip(words).all(|(may, is)| may.split('|').any(|it| it == is))
}

/// A POST request with a Host header and the true length of its body.
pub fn posted(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn word(answer: &Answer) -> String {
    if booked_token(answer).is_some() { "booked".into() } else { answer.status.to_string() }
}

fn booked_token(answer: &Answer) -> Option<&str> {
    let token = answer.header("location").filter(|_| answer.status == 303)?.strip_prefix("/bookings/")?;
    // `/bookings/find` is not a booking.
    is_token(token).then_some(token)
}
