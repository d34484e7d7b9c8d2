//! A line of the table: what it is, what is sent, and what may come back.

use techkraft::booking::is_token;

use crate::hostile::decency;
use crate::hostile::stage::Stage;
use crate::hostile::wire::{Answer, Heard, exchange};

/// What is sent, and what may come back.
pub struct Case {
    name: String,
    bytes: Vec<u8>,
    /// A word for each answer: its status, or `booked` for the way to a new booking; then `cut` where the
    /// connection ends and nobody had said so, or `open` where it was to end and did not. Alternatives are set
    /// apart by `|`, those of all words by ` / `.
    expected: &'static str,
    /// What the last answer must show.
    shows: Option<&'static str>,
}

/// What came back.
pub struct Outcome {
    words: Vec<String>,
    heard: Heard,
    /// The pages of what was booked.
    pages: Vec<Answer>,
}

impl Outcome {
    pub fn booked_tokens(&self) -> impl Iterator<Item = &str> {
        self.heard.answers.iter().filter_map(booked_token)
    }
}

impl Case {
    /// Bytes as they are.
    pub fn raw(name: impl Into<String>, bytes: impl Into<Vec<u8>>, expected: &'static str) -> Self {
        Self { name: name.into(), bytes: bytes.into(), expected, shows: None }
    }

    /// A request line of one's own, with a host and nothing else.
    pub fn line(name: impl Into<String>, line: impl AsRef<[u8]>, expected: &'static str) -> Self {
        Self::raw(name, [line.as_ref(), b"\r\nHost: localhost\r\n\r\n"].concat(), expected)
    }

    /// A GET with a path of one's own.
    pub fn get(name: impl Into<String>, path: impl AsRef<[u8]>, expected: &'static str) -> Self {
        Self::line(name, [b"GET ", path.as_ref(), b" HTTP/1.1"].concat(), expected)
    }

    /// A GET of a page, with lines of headers of one's own, each with its end.
    pub fn headers(
        name: impl Into<String>,
        path: &str,
        lines: impl AsRef<[u8]>,
        expected: &'static str,
    ) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        Self::raw(name, [head.as_bytes(), lines.as_ref(), b"\r\n"].concat(), expected)
    }

    /// A form that is posted.
    pub fn post(name: impl Into<String>, path: &str, form: impl AsRef<[u8]>, expected: &'static str) -> Self {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        Self::body(name, path, headers, form, expected)
    }

    /// A body that is posted, with its true length, and lines of headers of one's own.
    pub fn body(
        name: impl Into<String>,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
        expected: &'static str,
    ) -> Self {
        Self::raw(name, posted(path, headers, body.as_ref()), expected)
    }

    /// The last answer shows this.
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

    /// What is wrong with what came back.
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

/// A POST with a host and the true length of its body.
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
    // Not the page that finds them again.
    is_token(token).then_some(token)
}
