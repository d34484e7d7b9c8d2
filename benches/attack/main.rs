//! Measures bookings while the server is attacked: `cargo bench --bench attack` takes some eleven minutes.
//!
//! Buyers book two hundred times a second, whether or not the server keeps up, in turns without an attack and under
//! each of the attacks in [`assault`]. The ratio of the two 95th percentiles must be 2 at most, and no booking may
//! fail.
//!
//! In most attacks everybody comes through a proxy that the server trusts, so the attackers can have one address or
//! thousands, and the rate limits are on as they are by default. In the attacks that take up connections nobody comes
//! through a proxy: all attackers have one address, and each booking comes from another address on a new connection.
//! The server then allows fewer connections than the attackers would open.
//!
//! The attackers are a process of their own that gets a core only when no other process wants it, because real
//! attackers have machines of their own.
//!
//! `-- slow_bodies` runs only the attacks whose names begin with that. `-- --quick` runs smaller attacks and requires
//! only that no booking fails. The tests run it.

mod assault;
mod attackers;
mod report;

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use testkit::bench::postgres;

use assault::{ASSAULTS, Assault};
use attackers::Attackers;
use report::{Report, Round};
use testkit::bench::database::SaleDatabase;
use testkit::bench::form::Form;
use testkit::bench::rush::{BenchRush, Bookings};
use testkit::bench::server::BenchServer;

/// Any error ends the run with a message of one line.
use testkit::bench::Result;

struct Plan {
    rounds: usize,
    /// The length of each turn, with or without the attack.
    turn: Duration,
    /// The connections and the pace of each attack are divided by this.
    share: usize,
    /// The descriptors of the server that is reached without a proxy. It has room for fewer connections than the
    /// attackers open.
    descriptors: u32,
    judges_ratios: bool,
}

impl Plan {
    const FULL: Self =
        Self { rounds: 5, turn: Duration::from_secs(3), share: 1, descriptors: 3_000, judges_ratios: true };
    const QUICK: Self =
        Self { rounds: 1, turn: Duration::from_secs(1), share: 5, descriptors: 800, judges_ratios: false };
}

/// The time until an attack is under way, and the time until its effects are gone.
const PAUSE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|it| it == attackers::ROLE) {
        return end(attackers::run(&arguments[1..]).map(|()| true));
    }
    // Only `cargo bench` passes `--bench`; `cargo test --benches` must not wait that long.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("Nothing is measured here: run `cargo bench --bench attack`.");
        return ExitCode::SUCCESS;
    }
    let plan = if arguments.iter().any(|argument| argument == "--quick") { Plan::QUICK } else { Plan::FULL };
    let wanted: Vec<String> = arguments.into_iter().filter(|argument| !argument.starts_with("--")).collect();
    end(run(&plan, &wanted))
}

fn end(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("attack: bookings failed or took too long, or the books are not true");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("attack: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the attacks whose names begin with one of the wanted names, or all attacks if none is named. Returns whether
/// all limits were kept.
fn run(plan: &Plan, wanted: &[String]) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let cluster = postgres::BenchCluster::start()?;
    let scene = Scene::set(&cluster.create_database("attacked")?, folder.path(), plan)?;
    let mut report = Report::default();
    let is_wanted = |it: &&Assault| wanted.is_empty() || wanted.iter().any(|name| it.name.starts_with(name));
    for round in 1..=plan.rounds {
        for assault in ASSAULTS.iter().filter(is_wanted) {
            eprintln!("round {round} of {}: {}", plan.rounds, assault.name);
            report.rounds.push(scene.play(assault, plan)?);
        }
    }
    let (confirmed, errors) = report.bookings();
    report.is_true = scene.sale.is_true(confirmed, errors)?;
    report.print();
    println!("\nWritten to {}", report.write()?.display());
    Ok(report.is_well(plan.judges_ratios))
}

struct Scene {
    sale: SaleDatabase,
    behind_proxy: BenchServer,
    direct: BenchServer,
}

impl Scene {
    fn set(url: &str, folder: &Path, plan: &Plan) -> Result<Self> {
        let sale = SaleDatabase::prepare(url, folder)?;
        let log = ("RUST_LOG", "error,actix_http=off");
        let settings = [("RATE_LIMITS", "on"), ("TRUSTED_PROXIES", "127.0.0.0/8"), log];
        let behind_proxy = BenchServer::start(url, folder, &settings)?;
        let direct = BenchServer::start_small(url, folder, &[("RATE_LIMITS", "on"), log], plan.descriptors)?;
        Ok(Self { sale, behind_proxy, direct })
    }

    /// One turn without the attack, and one with it.
    fn play(&self, assault: &Assault, plan: &Plan) -> Result<Round> {
        let server = if assault.is_direct { &self.direct } else { &self.behind_proxy };
        let book = || self.book(server.address, assault.is_direct, plan.turn);
        let alone = book()?;
        let attackers = Attackers::begin(assault, server.address, plan.share)?;
        thread::sleep(PAUSE);
        let attacked = book()?;
        let seen = attackers.end()?;
        thread::sleep(PAUSE);
        Ok(Round { name: assault.name, alone, attacked, seen })
    }

    fn book(&self, address: SocketAddr, is_direct: bool, turn: Duration) -> Result<Bookings> {
        let ticket_type = self.sale.ticket_type_id;
        if is_direct {
            BenchRush::begin_apart(address, turn, |_| Form::new(ticket_type, address))?.end()
        } else {
            BenchRush::begin(address, turn, |buyer| Form::through_proxy(ticket_type, address, buyer))?.end()
        }
    }
}
