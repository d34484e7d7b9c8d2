//! Builds a message as a server of the site sends it, without the program's own code for that.

use std::time::{SystemTime, UNIX_EPOCH};

use techkraft::guard::secret::Purpose;
use techkraft::guard::signing::Signer;
use testkit::server::SECRET;

/// Signed with the secret of these tests: signature, time, JSON.
pub fn sealed(channel: &str, json: &str) -> Vec<u8> {
    let time = now_ms().to_be_bytes();
    let signed = [channel.as_bytes(), b"\0", &time, json.as_bytes()].concat();
    let signature = Signer::new(&SECRET.into(), Purpose::SharedBoardMessages).sign(&signed);
    [&signature[..], &time, json.as_bytes()].concat()
}

pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("it fits")
}

/// JSON that says how many tickets of the first ticket type are available.
pub fn stock(available: u32, version: i64) -> String {
    format!(r#"{{"stock":[{{"ticket_type_id":1,"available":{available},"version":{version}}}]}}"#)
}
