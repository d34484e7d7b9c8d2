//! Buyers during a measurement: a fixed number of bookings per second, whether or not the server keeps up.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::bench::Result;
use crate::bench::form::{BookingAnswer, Form};
use crate::bench::histogram::Histogram;

const BOOKINGS_PER_SECOND: u32 = 200;
/// Buyers take turns; each answer may take as long as all of their turns without delaying the next order.
const BUYERS: u32 = 40;
/// An answer that takes longer is an error.
const TIMEOUT: Duration = Duration::from_secs(10);

pub struct BenchRush {
    buyers: Vec<JoinHandle<std::result::Result<Bookings, String>>>,
}

#[derive(Default)]
pub struct Bookings {
    /// The latencies of confirmed bookings, from the time at which each was due.
    pub latencies: Histogram,
    pub errors: u64,
}

impl BenchRush {
    /// `form` makes the form of each buyer, by number.
    pub fn begin(address: SocketAddr, duration: Duration, form: impl Fn(u32) -> Form) -> Result<Self> {
        Self::with(address, duration, form, false)
    }

    /// The same, but each booking uses a new connection from a local address of its own.
    pub fn begin_apart(address: SocketAddr, duration: Duration, form: impl Fn(u32) -> Form) -> Result<Self> {
        Self::with(address, duration, form, true)
    }

    fn with(
        address: SocketAddr,
        duration: Duration,
        form: impl Fn(u32) -> Form,
        is_apart: bool,
    ) -> Result<Self> {
        let begun = Instant::now();
        let buyer = |number: u32| {
            let form = form(number);
            let book = move || book(address, form, begun, number, duration, is_apart);
            thread::spawn(move || book().map_err(|error| error.to_string()))
        };
        Ok(Self { buyers: (0..BUYERS).map(buyer).collect() })
    }

    pub fn end(self) -> Result<Bookings> {
        let mut all = Bookings::default();
        for buyer in self.buyers {
            let bookings = buyer.join().map_err(|_| "a buyer has panicked")??;
            all.latencies.merge(&bookings.latencies);
            all.errors += bookings.errors;
        }
        Ok(all)
    }
}

fn book(
    address: SocketAddr,
    mut form: Form,
    begun: Instant,
    number: u32,
    duration: Duration,
    is_apart: bool,
) -> Result<Bookings> {
    let mut bookings = Bookings::default();
    let mut stream = if is_apart { None } else { Some(connect(address, None)?) };
    let mut buffer = vec![0; 16 * 1024];
    for turn in 0.. {
        let due = begun + Duration::from_secs(1) * (turn * BUYERS + number) / BOOKINGS_PER_SECOND;
        if due >= begun + duration {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut now = stream.take().map_or_else(|| connect(address, is_apart.then(own_address)), Ok);
        if now.as_mut().is_ok_and(|stream| is_confirmed(stream, form.fill_in(), &mut buffer)) {
            bookings.latencies.add(due.elapsed());
            stream = now.ok().filter(|_| !is_apart);
        } else {
            bookings.errors += 1;
        }
    }
    Ok(bookings)
}

/// A random one of this machine's sixteen million loopback addresses.
fn own_address() -> SocketAddr {
    let [a, b, c] = [0; 3].map(|_| rand::random_range(1..255));
    SocketAddr::from(([127, a, b, c], 0))
}

fn connect(address: SocketAddr, own: Option<SocketAddr>) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(own) = own {
        socket.bind(&own.into())?;
    }
    socket.connect_timeout(&address.into(), TIMEOUT)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn is_confirmed(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> bool {
    if stream.write_all(request).is_err() {
        return false;
    }
    let mut length = 0;
    loop {
        match stream.read(&mut buffer[length..]) {
            Ok(read) if read > 0 => length += read,
            _ => return false,
        }
        match BookingAnswer::read(&buffer[..length]) {
            BookingAnswer::Unfinished => {}
            BookingAnswer::Confirmed => return true,
            BookingAnswer::Other => return false,
        }
    }
}
