//! A mail server on loopback that does what a test tells it: it accepts mails, refuses them, hangs, or hangs up.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::free_port;
pub use crate::smtp_script::{Reaction, Received, Step};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[derive(Default)]
struct SmtpState {
    reactions: HashMap<Step, Reaction>,
    /// Replies for recipients whose address contains a text.
    refused: Vec<(&'static str, &'static [u8])>,
    received: Vec<Received>,
    connections: usize,
    /// The lines that clients have sent.
    said: Vec<String>,
}

pub struct SmtpServer {
    pub address: SocketAddr,
    state: Arc<Mutex<SmtpState>>,
    is_closed: Arc<AtomicBool>,
}

impl SmtpServer {
    pub fn start() -> Self {
        Self::on(([127, 0, 0, 1], free_port()).into(), None)
    }

    /// A server that offers STARTTLS.
    pub fn with_tls(tls: ServerConfig) -> Self {
        Self::on(([127, 0, 0, 1], free_port()).into(), Some(Arc::new(tls)))
    }

    /// Starts at an address that another server may have had before.
    pub fn on(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(address).expect("an address");
        let address = listener.local_addr().expect("an address");
        let (state, is_closed) = (Arc::<Mutex<SmtpState>>::default(), Arc::new(AtomicBool::new(false)));
        let server = Self { address, state: Arc::clone(&state), is_closed: Arc::clone(&is_closed) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_closed.load(Ordering::Relaxed) {
                    return;
                }
                let (state, tls) = (Arc::clone(&state), tls.clone());
                thread::spawn(move || Conversation::begin(state, tls, stream));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn react(&self, step: Step, reaction: Reaction) {
        self.state.lock().expect("a lock").reactions.insert(step, reaction);
    }

    /// Refuses recipients whose address contains a text.
    pub fn refuse(&self, recipient: &'static str, reply: &'static [u8]) {
        self.state.lock().expect("a lock").refused.push((recipient, reply));
    }

    /// From now on the server accepts everything.
    pub fn be_well(&self) {
        let mut state = self.state.lock().expect("a lock");
        state.reactions.clear();
        state.refused.clear();
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().expect("a lock").received.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().expect("a lock").connections
    }

    /// How many lines of clients began with this text.
    pub fn heard(&self, start: &str) -> usize {
        let state = self.state.lock().expect("a lock");
        state.said.iter().filter(|line| line.starts_with(start)).count()
    }

    /// How many mails a client with this name has sent.
    pub fn received_from(&self, hello: &str) -> usize {
        self.received().iter().filter(|received| received.hello == hello).count()
    }

    /// Waits for this many mails.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let begun = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{} of {count} mails came", received.len());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
        // Wakes the server's thread, so that it ends and frees the port.
        drop(TcpStream::connect(self.address));
    }
}

struct Conversation {
    state: Arc<Mutex<SmtpState>>,
    hello: String,
    encrypted: bool,
    to: Vec<String>,
}

enum Next {
    Line,
    StartTls,
    End,
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

impl Conversation {
    fn begin(state: Arc<Mutex<SmtpState>>, tls: Option<Arc<ServerConfig>>, stream: TcpStream) {
        state.lock().expect("a lock").connections += 1;
        let mut conversation = Self { state, hello: String::new(), encrypted: false, to: Vec::new() };
        // An error means that the client has hung up, which is fine.
        drop(conversation.talk(tls, stream));
    }

    fn talk(&mut self, tls: Option<Arc<ServerConfig>>, stream: TcpStream) -> std::io::Result<()> {
        let offer = tls.is_some();
        let mut plain = BufReader::new(stream);
        if !self.answer(&mut plain, Step::Greeting, "220 test ready")? {
            return Ok(());
        }
        let is_upgraded = self.serve(&mut plain, offer)?;
        if let (true, Some(tls)) = (is_upgraded, tls) {
            self.encrypted = true;
            let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
            self.serve(&mut BufReader::new(StreamOwned::new(connection, plain.into_inner())), false)?;
        }
        Ok(())
    }

    /// Talks until the client disconnects or starts TLS; returns whether it continues encrypted.
    fn serve(&mut self, stream: &mut BufReader<impl Stream>, offer: bool) -> std::io::Result<bool> {
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            self.state.lock().expect("a lock").said.push(line.trim_end().to_owned());
            match self.command(stream, line.trim_end(), offer)? {
                Next::Line => {}
                Next::StartTls => return Ok(true),
                Next::End => return Ok(false),
            }
        }
    }

    fn command(
        &mut self,
        stream: &mut BufReader<impl Stream>,
        line: &str,
        offer: bool,
    ) -> std::io::Result<Next> {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if word == "EHLO" {
            self.hello = line[5..].to_owned();
        }
        let goes_on = match word.as_str() {
            "EHLO" if offer => say(stream, "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS")?,
            "EHLO" => say(stream, "250-test\r\n250 AUTH PLAIN LOGIN")?,
            "STARTTLS" if offer => {
                say(stream, "220 go ahead")?;
                return Ok(Next::StartTls);
            }
            "AUTH" => self.answer(stream, Step::Auth, "235 welcome")?,
            "MAIL" => {
                self.to.clear();
                self.answer(stream, Step::Mail, "250 sender ok")?
            }
            "RCPT" => {
                let to = line.split(['<', '>']).nth(1).unwrap_or_default();
                self.to.push(to.to_owned());
                let state = self.state.lock().expect("a lock");
                let refused =
                    state.refused.iter().find(|(recipient, _)| to.contains(recipient)).map(|it| it.1);
                drop(state);
                match refused {
                    Some(reply) => react(stream, Reaction::Bytes(reply))?,
                    None => self.answer(stream, Step::Recipient, "250 recipient ok")?,
                }
            }
            "DATA" => self.data(stream)?,
            "RSET" | "NOOP" => say(stream, "250 ok")?,
            "QUIT" => {
                say(stream, "221 bye")?;
                false
            }
            _ => say(stream, "500 what?")?,
        };
        Ok(if goes_on { Next::Line } else { Next::End })
    }

    fn data(&mut self, stream: &mut BufReader<impl Stream>) -> std::io::Result<bool> {
        if let Some(reaction) = self.reaction(Step::Data) {
            return react(stream, reaction);
        }
        say(stream, "354 go ahead")?;
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(false);
            }
            if line == b".\r\n" {
                break;
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let mut reaction = self.reaction(Step::Body);
        if let Some(Reaction::Late(wait)) = reaction {
            thread::sleep(wait);
            reaction = None;
        }
        let received = Received {
            to: self.to.clone(),
            bytes,
            hello: self.hello.clone(),
            encrypted: self.encrypted,
            acknowledged: reaction.is_none(),
            at: Instant::now(),
        };
        if !matches!(reaction, Some(Reaction::Say(_) | Reaction::Bytes(_))) {
            self.state.lock().expect("a lock").received.push(received);
        }
        match reaction {
            Some(reaction) => react(stream, reaction),
            None => say(stream, "250 taken"),
        }
    }

    fn answer(&self, stream: &mut BufReader<impl Stream>, step: Step, usual: &str) -> std::io::Result<bool> {
        match self.reaction(step) {
            Some(Reaction::Late(wait)) => {
                thread::sleep(wait);
                say(stream, usual)
            }
            Some(reaction) => react(stream, reaction),
            None => say(stream, usual),
        }
    }

    fn reaction(&self, step: Step) -> Option<Reaction> {
        self.state.lock().expect("a lock").reactions.get(&step).copied()
    }
}

/// Reacts; returns whether the conversation continues.
fn react(stream: &mut BufReader<impl Stream>, reaction: Reaction) -> std::io::Result<bool> {
    match reaction {
        Reaction::Say(text) => say(stream, text).map(|_| !text.starts_with("421")),
        Reaction::Bytes(bytes) => write(stream, bytes).map(|_| !bytes.starts_with(b"421")),
        Reaction::HangUp | Reaction::Late(_) => Ok(false),
        Reaction::Hang => {
            // Waits until the client gives up.
            while stream.read(&mut [0; 256])? > 0 {}
            Ok(false)
        }
    }
}

fn say(stream: &mut BufReader<impl Stream>, text: &str) -> std::io::Result<bool> {
    write(stream, text.as_bytes())
}

fn write(stream: &mut BufReader<impl Stream>, line: &[u8]) -> std::io::Result<bool> {
    stream.get_mut().write_all(&[line, b"\r\n"].concat())?;
    stream.get_mut().flush()?;
    Ok(true)
}
