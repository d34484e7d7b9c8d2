//! `techkraft health`: the command with which a container checks its own server.

use std::net::TcpListener;

use super::{refusal, run};
use crate::command_line::{Running, serve, signal, techkraft, wait};
use testkit::database::TestDatabase;

fn port(running: &Running) -> String {
    running.url.rsplit_once(':').expect("a port").1.to_owned()
}

#[test]
fn a_server_is_asked_how_it_is_by_the_settings_that_it_runs_with() {
    let database = TestDatabase::seeded();
    let running = serve(&mut techkraft(&database));
    // The server listens at all addresses, so the command asks it on this machine.
    let bind = format!("0.0.0.0:{}", port(&running));
    let ask = |arguments: &[&str]| {
        let output = run(techkraft(&database).arg("health").args(arguments).env("BIND", &bind));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(ask(&[]), "ALIVE");
    assert_eq!(ask(&["--ready"]), "READY");

    // Where health has its own port, the command asks that port.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = silent.local_addr().expect("an address").to_string();
    drop(silent);
    let line = refusal(techkraft(&database).arg("health").env("BIND", &bind).env("OPS_BIND", &taken));
    assert!(line.contains(&taken) && line.contains("refused"), "{line}");

    signal(&running.child, "-TERM");
    assert!(wait(running.child).success());
    let line = refusal(techkraft(&database).arg("health").env("BIND", &bind));
    assert!(line.contains("127.0.0.1") && line.contains("refused"), "{line}");
}
