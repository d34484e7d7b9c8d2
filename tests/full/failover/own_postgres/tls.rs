//! TLS connections to PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::{Connection as _, PgConnection};

use crate::failover::authority::Authority;
use testkit::cluster::{Cluster, run};
use testkit::database::TestDatabase;
use testkit::rush::{order, tier_ids};
use testkit::server::Server;
use testkit::visitor::Visitor;
use testkit::wait::eventually;

/// Configures PostgreSQL to accept only TLS connections over TCP.
fn encrypt(cluster: &Cluster, [key, certificate]: &[PathBuf; 2]) {
    for (from, name) in [(key, "server.key"), (certificate, "server.crt")] {
        let to = cluster.data().join(name);
        fs::copy(from, &to).expect("a copy");
        run(Command::new("chmod").arg("600").arg(&to));
        run(Command::new("chown").arg("--reference").arg(cluster.data()).arg(&to));
    }
    let database = cluster.database();
    // PostgreSQL reads its settings again a little later.
    let connects = |mode: &str| PgConnection::establish(&format!("{}&sslmode={mode}", database.url)).is_ok();
    database.execute("ALTER SYSTEM SET ssl = on");
    database.execute("SELECT pg_reload_conf()");
    eventually("TLS is possible", || connects("require"));
    fs::write(cluster.data().join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n").expect("a file");
    database.execute("SELECT pg_reload_conf()");
    eventually("TLS is necessary", || !connects("disable"));
}

fn url(cluster: &Cluster, schema: &TestDatabase, host: &str, authority: &Path) -> String {
    let url = schema.url.replace("127.0.0.1", host);
    assert!(url.contains(&format!("{host}:{}", cluster.port)));
    format!("{url}&sslmode=verify-full&sslrootcert={}", authority.display())
}

/// The certificate must be signed by the trusted authority, and be for the host that the URL names.
#[test]
fn the_way_to_postgresql_is_encrypted_and_the_server_at_its_end_is_the_right_one() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let cluster = Cluster::start();
    let mut database = cluster.database();
    encrypt(&cluster, &ours.sign("DNS:localhost"));
    let plain = format!("{}&sslmode=disable", database.url);
    let ca = ours.path("ca.crt");
    let good = url(&cluster, &database, "localhost", &ca);
    for (wrong, says) in [
        (plain, "no encryption"),
        (url(&cluster, &database, "localhost", &strangers.path("ca.crt")), "certificate verify failed"),
        (url(&cluster, &database, "127.0.0.1", &ca), "does not match host name"),
    ] {
        let mut server = Server::prepared(&database, &[("DATABASE_URL", &wrong)]);
        assert!(!server.start_and_end().success(), "{wrong}");
        assert!(server.logged().contains(says), "{says}: {}", server.logged());
    }
    let server = Server::start(&database, &[("DATABASE_URL", &good)]);
    // The test's own connection does not verify the certificate.
    database.url = format!("{}&sslmode=require", database.url);
    let mut visitor = Visitor::new(server.address);
    let answer = visitor.book(&order(tier_ids(&database)[0], 2)).expect("an answer");
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(visitor.get(answer.location()).expect("an answer").status, 200);
    assert_eq!(visitor.get("/readyz").expect("an answer").status, 200);
}
