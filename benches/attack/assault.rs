//! The attacks.

/// Many connections, the bytes that each sends first, and the bytes that they send in turns after that.
pub struct Assault {
    pub name: &'static str,
    pub connections: usize,
    /// The bytes that a new connection sends. The argument is a number that no other connection has.
    pub opening: fn(u32) -> Vec<u8>,
    /// Turns a second of all connections together.
    pub per_second: u32,
    /// The bytes that are sent at a turn. The argument is the number of the turn.
    pub says: fn(u32) -> Vec<u8>,
    /// Each turn has a connection of its own, because the server may still be busy with the last turn.
    pub is_fresh: bool,
    /// The attackers read no answers.
    pub is_deaf: bool,
    /// Nobody comes through a proxy: the attackers have one address, and each buyer has another and a new connection
    /// for each booking.
    pub is_direct: bool,
}

const NOTHING: Assault = Assault {
    name: "",
    connections: 64,
    opening: |_| Vec::new(),
    per_second: 0,
    says: |_| Vec::new(),
    is_fresh: false,
    is_deaf: false,
    is_direct: false,
};

/// One address opens as many connections as the server allows, and keeps them as long as it can.
const HOARD: Assault = Assault { connections: 4_000, per_second: 2_000, is_direct: true, ..NOTHING };

pub const ASSAULTS: [Assault; 19] = [
    Assault { name: "silent", connections: 10_000, ..NOTHING },
    Assault {
        name: "half_requests",
        connections: 10_000,
        opening: |_| b"GET / HTTP/1.1\r\nHost: x".to_vec(),
        ..NOTHING
    },
    Assault {
        name: "slow_heads",
        connections: 2_000,
        opening: |_| b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ".to_vec(),
        per_second: 2_000,
        says: |_| b"a".to_vec(),
        ..NOTHING
    },
    Assault {
        name: "slow_bodies_one",
        connections: 2_000,
        opening: |_| slow_body("bad::1"),
        per_second: 2_000,
        says: |_| b"a".to_vec(),
        ..NOTHING
    },
    Assault {
        name: "slow_bodies_many",
        connections: 2_000,
        opening: |number| slow_body(&network(number)),
        per_second: 2_000,
        says: |_| b"a".to_vec(),
        ..NOTHING
    },
    Assault { name: "oversized", per_second: 100, says: oversized, is_fresh: true, ..NOTHING },
    Assault {
        name: "no_http",
        per_second: 1_000,
        says: |_| b"\x16\x03\x01 no HTTP\r\n\r\n".to_vec(),
        ..NOTHING
    },
    Assault { name: "pages_one", per_second: 2_000, says: |_| page("bad::1"), ..NOTHING },
    Assault { name: "pages_many", per_second: 500, says: |turn| page(&network(turn)), ..NOTHING },
    Assault { name: "bookings_one", per_second: 1_000, says: |turn| booking("bad::1", turn), ..NOTHING },
    Assault { name: "bookings_many", per_second: 500, says: |turn| booking(&network(turn), turn), ..NOTHING },
    Assault {
        name: "sign_ins_one",
        per_second: 500,
        says: |turn| sign_in("bad::1", "admin", turn),
        ..NOTHING
    },
    Assault {
        name: "sign_ins_many",
        per_second: 200,
        says: |turn| sign_in(&network(turn), "admin", turn),
        ..NOTHING
    },
    Assault {
        name: "sign_ins_names",
        per_second: 200,
        says: |turn| sign_in(&network(turn), &format!("organizer{turn}"), turn),
        ..NOTHING
    },
    Assault { name: "hoard_silent", ..HOARD },
    Assault { name: "hoard_asked", opening: |_| ASK.to_vec(), ..HOARD },
    Assault { name: "hoard_half_heads", opening: |_| ASK[..20].to_vec(), ..HOARD },
    Assault { name: "hoard_unread", opening: |_| ASK.repeat(100), is_deaf: true, ..HOARD },
    Assault { name: "churn", connections: 64, says: |_| ASK.to_vec(), is_fresh: true, ..HOARD },
];

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The end of an address in a network that no other turn has.
fn network(turn: u32) -> String {
    format!("{:x}:{:x}::1", 0x8000 + (turn >> 16), turn & 0xffff)
}

fn page(address: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8:{address}\r\n\r\n").into_bytes()
}

/// A booking whose request key has the form of a real one.
fn booking(address: &str, turn: u32) -> Vec<u8> {
    let key = format!("{turn:048}");
    post(
        "/bookings",
        address,
        &format!("ticket_type=1&quantity=10&name=Bot&email=a%40b.co&request_key={key}"),
    )
}

fn sign_in(address: &str, username: &str, turn: u32) -> Vec<u8> {
    post("/admin/sign-in", address, &format!("username={username}&password=guess+number+{turn}"))
}

fn post(path: &str, address: &str, form: &str) -> Vec<u8> {
    let head = head(path, address, form.len());
    head.into_bytes().into_iter().chain(form.bytes()).collect()
}

/// The head of a booking. It announces a form, which then comes at one letter a second.
fn slow_body(address: &str) -> Vec<u8> {
    head("/bookings", address, 9000).into_bytes()
}

fn head(path: &str, address: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8:{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Bodies, heads and paths that are far too long, in turn.
fn oversized(turn: u32) -> Vec<u8> {
    let post =
        format!("POST /bookings HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8:{}\r\n", network(turn));
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let much = "a".repeat(256 * 1024);
    match turn % 6 {
        0 => format!("{post}{form}Content-Length: 262144\r\n\r\n{much}"),
        1 => format!("{post}{form}Content-Length: 1000000000000\r\n\r\n{much}"),
        2 => format!("{post}{form}Transfer-Encoding: chunked\r\n\r\n40000\r\n{much}\r\n0\r\n\r\n"),
        3 => format!("{post}{form}Transfer-Encoding: chunked\r\n\r\n{}", "1\r\na\r\n".repeat(40_000)),
        4 => format!("{post}X-Long: {much}\r\n\r\n"),
        _ => format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", &much[..60_000]),
    }
    .into_bytes()
}
