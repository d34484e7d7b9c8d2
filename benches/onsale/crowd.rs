//! The crowd: buyers on keep-alive connections, each of whom books again as soon as the last booking is
//! confirmed. It shares the machine with the server that it measures, so it is one thread that does as little as
//! possible: it sends prepared requests, and reads only enough of an answer to see whether it is a booking.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Result;
use testkit::bench::form::{BookingAnswer, Form};

/// How long the last answers may take after all buyers have stopped sending requests.
const LAST_ANSWERS_WAIT: Duration = Duration::from_secs(15);

/// The answers of the server.
#[derive(Debug, Default)]
pub struct Answers {
    /// The latencies of confirmed bookings.
    pub latencies_us: Vec<u32>,
    pub confirmed: u64,
    pub errors: u64,
}

pub struct Crowd {
    poll: Poll,
    buyers: Vec<Buyer>,
    address: SocketAddr,
    form: Form,
    buffer: Vec<u8>,
    /// The counts of all runs.
    total: Answers,
}

struct Buyer {
    stream: TcpStream,
    /// `None` while the buyer waits for no answer.
    asked_at: Option<Instant>,
    /// The start of an answer that came in pieces.
    begun: Vec<u8>,
}

impl Crowd {
    /// Connects all buyers.
    pub fn arrive(address: SocketAddr, connections: usize, form: Form) -> Result<Self> {
        let poll = Poll::new()?;
        let mut buyers = Vec::with_capacity(connections);
        for number in 0..connections {
            buyers.push(Buyer::connect(address, &poll, number)?);
        }
        let buffer = vec![0; 16 * 1024];
        Ok(Self { poll, buyers, address, form, buffer, total: Answers::default() })
    }

    /// Books for that long. If an order has no answer by then, its answer counts in the next run.
    pub fn press(&mut self, duration: Duration) -> Result<Answers> {
        let until = Instant::now() + duration;
        let idle: Vec<usize> =
            (0..self.buyers.len()).filter(|&number| self.buyers[number].asked_at.is_none()).collect();
        let mut answers = Answers::default();
        for number in idle {
            self.ask(number, &mut answers)?;
        }
        self.listen(until, true, &mut answers)?;
        self.count(&answers);
        Ok(answers)
    }

    /// Waits for the last answers and disconnects; a missing answer is an error.
    pub fn leave(mut self) -> Result<Answers> {
        let mut answers = Answers::default();
        self.listen(Instant::now() + LAST_ANSWERS_WAIT, false, &mut answers)?;
        answers.errors += self.buyers.iter().filter(|buyer| buyer.asked_at.is_some()).count() as u64;
        self.count(&answers);
        Ok(self.total)
    }

    fn count(&mut self, answers: &Answers) {
        self.total.confirmed += answers.confirmed;
        self.total.errors += answers.errors;
    }

    fn listen(&mut self, until: Instant, ask_again: bool, answers: &mut Answers) -> Result<()> {
        let mut events = Events::with_capacity(self.buyers.len());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || (!ask_again && self.buyers.iter().all(|buyer| buyer.asked_at.is_none())) {
                return Ok(());
            }
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                let number = event.token().0;
                if self.hear(number, answers)? && ask_again {
                    self.ask(number, answers)?;
                }
            }
        }
    }

    fn ask(&mut self, number: usize, answers: &mut Answers) -> Result<()> {
        let request = self.form.fill_in();
        let buyer = &mut self.buyers[number];
        buyer.asked_at = Some(Instant::now());
        // The socket's buffer is empty and many times larger, so a request is never sent in parts.
        match buyer.stream.write(request) {
            Ok(written) if written == request.len() => Ok(()),
            _ => self.reconnect(number, answers),
        }
    }

    /// Whether a buyer has an answer now, good or bad.
    fn hear(&mut self, number: usize, answers: &mut Answers) -> Result<bool> {
        let buyer = &mut self.buyers[number];
        let Some(asked_at) = buyer.asked_at else { return Ok(false) };
        let length = match buyer.stream.read(&mut self.buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Ok(length) if length > 0 => length,
            _ => {
                self.reconnect(number, answers)?;
                return Ok(true);
            }
        };
        let text = if buyer.begun.is_empty() {
            &self.buffer[..length]
        } else {
            buyer.begun.extend_from_slice(&self.buffer[..length]);
            &buyer.begun
        };
        match BookingAnswer::read(text) {
            BookingAnswer::Unfinished => {
                if buyer.begun.is_empty() {
                    buyer.begun.extend_from_slice(&self.buffer[..length]);
                }
                return Ok(false);
            }
            BookingAnswer::Confirmed => {
                let latency = asked_at.elapsed().as_micros();
                answers.latencies_us.push(u32::try_from(latency).unwrap_or(u32::MAX));
                answers.confirmed += 1;
            }
            BookingAnswer::Other => answers.errors += 1,
        }
        buyer.begun.clear();
        buyer.asked_at = None;
        Ok(true)
    }

    fn reconnect(&mut self, number: usize, answers: &mut Answers) -> Result<()> {
        answers.errors += 1;
        self.buyers[number] = Buyer::connect(self.address, &self.poll, number)?;
        Ok(())
    }
}

impl Buyer {
    fn connect(address: SocketAddr, poll: &Poll, number: usize) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)
            .map_err(|error| format!("the server takes no connection: {error}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        Ok(Self { stream, asked_at: None, begun: Vec::new() })
    }
}
