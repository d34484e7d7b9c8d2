//! A booking as a browser posts it, and the answer to it.

use std::net::SocketAddr;

use chrono::{TimeDelta, Utc};
use techkraft::booking::request_key::{RequestKey, RequestKeys};

use crate::bench::server::SECRET_KEY;

/// The request with the form. From booking to booking, only the buyer, the key and the buyer's address change, in
/// place.
pub struct Form {
    request: Vec<u8>,
    /// The position of the last part of the network in the buyer's address.
    network_at: Option<usize>,
    buyer_at: usize,
    buyer: u32,
    key_at: usize,
    keys: RequestKeys,
}

impl Form {
    pub fn new(ticket_type_id: i64, address: SocketAddr) -> Self {
        Self::with(&one_ticket(ticket_type_id), address, "")
    }

    /// A booking of one ticket each of two ticket types.
    pub fn of_two_types([one, other]: [i64; 2], address: SocketAddr) -> Self {
        Self::with(&format!("{}&quantity_{other}=1", one_ticket(one)), address, "")
    }

    /// As a proxy forwards it, each time for a visitor from another network.
    pub fn through_proxy(ticket_type_id: i64, address: SocketAddr, buyer: u32) -> Self {
        let header = format!("X-Forwarded-For: 2001:db8:{buyer:04x}:0000::1\r\n");
        let form = Self::with(&one_ticket(ticket_type_id), address, &header);
        let network_at = form.request.windows(7).position(|it| it == b"0000::1");
        // Begins at a random network, because a buyer with the same number may just have used the first ones.
        Self { network_at, buyer: rand::random_range(0..60_000), ..form }
    }

    fn with(tickets: &str, address: SocketAddr, header: &str) -> Self {
        let keys = RequestKeys::new(&SECRET_KEY.into());
        let email = "buyer-00000000%40example.org";
        let body = format!("{tickets}&name=Ada+Lovelace&email={email}&request_key=");
        let key = read_key(&keys);
        let request = format!(
            "POST /bookings HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {header}Content-Length: {}\r\n\r\n{body}{}",
            body.len() + key.as_str().len(),
            key.as_str()
        );
        let buyer_at = request.rfind("00000000").unwrap_or_default();
        let key_at = request.len() - key.as_str().len();
        Self { request: request.into_bytes(), network_at: None, buyer_at, buyer: 0, key_at, keys }
    }

    /// The form of the next buyer, with a new key.
    pub fn fill_in(&mut self) -> &[u8] {
        self.buyer += 1;
        let mut left = self.buyer;
        for digit in self.request[self.buyer_at..][..8].iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        if let Some(at) = self.network_at {
            let network = format!("{:04x}", self.buyer % 0x1_0000);
            self.request[at..at + 4].copy_from_slice(network.as_bytes());
        }
        self.request[self.key_at..].copy_from_slice(read_key(&self.keys).as_str().as_bytes());
        &self.request
    }
}

/// The key of a form that was opened a second ago: a server whose rate limits are on accepts no newer one.
fn read_key(keys: &RequestKeys) -> RequestKey {
    keys.generate_at(Utc::now() - TimeDelta::seconds(1))
}

fn one_ticket(ticket_type_id: i64) -> String {
    format!("ticket_type={ticket_type_id}&quantity=1")
}

pub enum BookingAnswer {
    /// 303 See Other, with the booking's address.
    Confirmed,
    Other,
    Unfinished,
}

impl BookingAnswer {
    pub fn read(text: &[u8]) -> Self {
        let (mut at, mut to_booking, mut body) = (0, false, 0);
        loop {
            let Some(length) = text[at..].windows(2).position(|pair| pair == b"\r\n") else {
                return Self::Unfinished;
            };
            let line = &text[at..at + length];
            at += length + 2;
            if line.is_empty() {
                break;
            }
            if starts_with(line, b"content-length: ") {
                body = str::from_utf8(&line[16..]).ok().and_then(|it| it.parse().ok()).unwrap_or(0);
            }
            to_booking |= starts_with(line, b"location: /bookings/");
        }
        if text.len() < at + body {
            return Self::Unfinished;
        }
        if to_booking && text.starts_with(b"HTTP/1.1 303 ") { Self::Confirmed } else { Self::Other }
    }
}

fn starts_with(line: &[u8], start: &[u8]) -> bool {
    line.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
}
