//! The attackers are a process of their own, which may open thousands of connections and has a lower priority than
//! the server that it attacks.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::assault::{ASSAULTS, Assault};

/// The first argument of such a process.
pub const ROLE: &str = "--attackers";

/// The longest wait of the process. After each wait it checks whether the attack is over.
const NAP: Duration = Duration::from_millis(20);

/// What the attackers sent and received.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Seen {
    pub turns: u64,
    /// Answers by status.
    pub answers: BTreeMap<String, u64>,
    /// Connections that the server has ended.
    pub ended: u64,
}

/// The process, seen from the one that measures.
pub struct Attackers {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Attackers {
    /// Starts the process. Returns when the attackers have connected.
    pub fn begin(assault: &Assault, server: SocketAddr, share: usize) -> Result<Self> {
        let arguments = [server.to_string(), assault.name.to_owned(), share.to_string()];
        let mut child = Command::new("nice")
            .args(["-n", "19"])
            .arg(env::current_exe()?)
            .arg(ROLE)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("attackers have no output")?);
        let mut attackers = Self { child, input, output };
        if attackers.line()? != "ready" {
            return Err(format!("{}: the attackers did not get ready", assault.name).into());
        }
        Ok(attackers)
    }

    pub fn end(mut self) -> Result<Seen> {
        drop(self.input.take());
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        // Ignore the errors of a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Connects, prints `ready`, attacks until its input is closed, and prints what it saw.
///
/// Arguments: the server's address, the attack's name, and the number by which the connections and the pace are
/// divided.
pub fn run(arguments: &[String]) -> Result<()> {
    let [server, name, share] = arguments else { return Err("three arguments".into()) };
    let _ = techkraft::connections::raise();
    let assault = ASSAULTS.iter().find(|assault| assault.name == *name).ok_or("no such attack")?;
    let mut gang = Gang::arrive(assault, server.parse()?, share.parse()?)?;
    println!("ready");
    let is_over = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&is_over);
    thread::spawn(move || {
        drop(std::io::stdin().lock().read_line(&mut String::new()));
        tell.store(true, Ordering::Relaxed);
    });
    gang.attack(&is_over)?;
    println!("{}", serde_json::to_string(&gang.seen)?);
    Ok(())
}

struct Gang {
    assault: &'static Assault,
    server: SocketAddr,
    /// The address of the attackers. Each attack has a new address, on which all ports are free.
    own: IpAddr,
    per_second: u32,
    poll: Poll,
    /// `None` if the server has ended or refused the connection. It is made again at its next turn.
    streams: Vec<Option<TcpStream>>,
    /// The number of the next connection. Each connection has a different number, so it can begin with different
    /// bytes.
    arrived: u32,
    seen: Seen,
}

impl Gang {
    fn arrive(assault: &'static Assault, server: SocketAddr, share: usize) -> Result<Self> {
        let own = IpAddr::from(Ipv4Addr::new(127, rand::random_range(1..255), rand::random_range(0..255), 1));
        let per_second = assault.per_second.div_ceil(u32::try_from(share)?);
        let (poll, seen) = (Poll::new()?, Seen::default());
        // A random start, so that an attack does not use the numbers of an earlier one.
        let arrived = rand::random_range(0..0x1000_0000);
        let mut gang = Self { assault, server, own, per_second, poll, streams: Vec::new(), arrived, seen };
        let mut is_let_in = true;
        for number in 0..assault.connections.div_ceil(share) {
            let stream = if is_let_in { gang.connect(number)? } else { None };
            is_let_in = stream.is_some();
            gang.streams.push(stream);
        }
        Ok(gang)
    }

    /// `None` if the server accepts no connection: all its connections are taken, and the accept queue is full.
    fn connect(&mut self, number: usize) -> Result<Option<TcpStream>> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(self.own, 0).into())?;
        if socket.connect_timeout(&self.server.into(), NAP).is_err() {
            return Ok(None);
        }
        socket.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        // These bytes are shorter than the buffer of a new connection, so one write sends all of them.
        drop(stream.write(&(self.assault.opening)(self.arrived)));
        self.arrived = self.arrived.wrapping_add(1);
        Ok(Some(stream))
    }

    fn attack(&mut self, is_over: &AtomicBool) -> Result<()> {
        let begun = Instant::now();
        let mut events = Events::with_capacity(4096);
        let mut buffer = vec![0; 64 * 1024];
        let mut turn = 0;
        // A random start, so that an attack does not use the turn numbers of an earlier one.
        let first: u32 = rand::random_range(0..0x1000_0000);
        while !is_over.load(Ordering::Relaxed) {
            while u64::from(turn) < begun.elapsed().as_millis() as u64 * u64::from(self.per_second) / 1000 {
                self.take_turn(turn as usize % self.streams.len(), first.wrapping_add(turn))?;
                turn += 1;
            }
            match self.poll.poll(&mut events, Some(NAP.min(Duration::from_secs(1) / self.per_second.max(1))))
            {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                self.hear(event.token().0, &mut buffer);
            }
        }
        self.seen.turns = turn.into();
        Ok(())
    }

    fn take_turn(&mut self, number: usize, turn: u32) -> Result<()> {
        let stream = match self.streams[number].take() {
            Some(stream) if !self.assault.is_fresh => Some(stream),
            _ => self.connect(number)?,
        };
        let says = (self.assault.says)(turn);
        if let Some(stream) = stream {
            // If the server does not accept the bytes, they are dropped, and the attack continues elsewhere.
            drop(self.streams[number].insert(stream).write(&says));
        }
        Ok(())
    }

    fn hear(&mut self, number: usize, buffer: &mut [u8]) {
        while let Some(stream) = &mut self.streams[number] {
            let heard = if self.assault.is_deaf { stream.peek(buffer) } else { stream.read(buffer) };
            match heard {
                Ok(length) if length > 0 && self.assault.is_deaf => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(length) if length > 0 => self.count(&buffer[..length]),
                _ => {
                    self.seen.ended += 1;
                    self.streams[number] = None;
                }
            }
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        let status = bytes.strip_prefix(b"HTTP/1.1 ").and_then(|rest| str::from_utf8(rest.get(..3)?).ok());
        if let Some(status) = status {
            *self.seen.answers.entry(status.to_owned()).or_default() += 1;
        }
    }
}
