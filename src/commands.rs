//! The commands of the binary, one function each.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use crate::admin;
use crate::audit::Actor;
use crate::auth::store::accounts::{self, NewPassword};
use crate::auth::{self, first_password, password};
use crate::backup::{self, Backup, BackupPlan, Retention};
use crate::config::{
    BackupArguments, Command, CommandLine, Config, DrawArguments, DrawCommand, HealthArguments,
    RehearseArguments, RestoreArguments, VerifyArguments,
};
use crate::db::{self, Database, DatabaseUrl, Schema, pooler, tls};
use crate::demo::Demo;
use crate::guard::secret;
use crate::ops::drain::{self, StopSignals};
use crate::ops::{health_check, systemd};
use crate::queue::QueuePlace;
use crate::queue::draw::DrawSeed;
use crate::reconciliation;
use crate::rehearsal;
use crate::server::{Started, hash, make_first_password, open_database, start};
use crate::start_error::StartError;
use crate::textfile::{self, now_seconds};
use crate::tickets::signers;

const NAME_THE_SITES: &str = "name the site's database, or run this in the site's folder";

/// Runs a command to its end. An error is one line for the terminal.
pub fn run(command_line: &CommandLine) -> Result<(), StartError> {
    let command = command_line.command.as_ref().unwrap_or(&Command::Serve);
    if *command == Command::Demo {
        // The settings of a site that is set up here are neither used nor checked.
        let demo = Demo::prepare(&command_line.settings)?;
        return serve(demo.config(), Some(demo));
    }
    let config = Config::new(&command_line.settings)?;
    match command {
        Command::Serve | Command::Demo => serve(config, None),
        Command::Migrate(arguments) => {
            db::migrate(&config.database_url)?;
            println!("{}: the schema is up to date", config.database_url);
            if let Some(role) = &arguments.grant_to {
                db::grant(&config.database_url, role)?;
                println!("{role} may now read and write its tables");
            }
            Ok(())
        }
        Command::Seed => {
            let (db, added) = open_database(&config)?;
            // Its pool may be opening another connection, which would leave the write-ahead log behind.
            db.close();
            println!(
                "{}",
                if added {
                    "The concert was added."
                } else {
                    "There is a concert already. Nothing was changed."
                }
            );
            Ok(())
        }
        Command::Health(arguments) => health(&config, arguments),
        Command::Verify(arguments) => verify(&config, arguments),
        Command::Backup(arguments) => back_up(&config, arguments),
        Command::Restore(arguments) => restore(&config, arguments),
        Command::Rehearse(RehearseArguments { concert, buyers, minutes }) => {
            check_there_is_one(&config, NAME_THE_SITES)?;
            rehearsal::command::run(&Database::open(&config.database_url, 1)?, concert, *buyers, *minutes)
        }
        Command::Draw(DrawCommand::Check(arguments)) => check_draw(arguments),
        Command::SetAdminPassword => set_admin_password(&config),
        Command::ResetAdminPassword => reset_admin_password(&config),
        Command::ResetSecondFactor(arguments) => reset_second_factor(&config, &arguments.username),
    }
}

fn serve(config: Config, mut demo: Option<Demo>) -> Result<(), StartError> {
    let system = actix_web::rt::System::new();
    let ended = system.block_on(async {
        let started = start(config)?;
        // Before the first line is printed: a script that reads it may send a signal at once.
        let signals = StopSignals::catch()?;
        match &mut demo {
            Some(demo) => demo.open(&started),
            None => announce(&started),
        }
        systemd::notify_ready(&started.ops);
        let (handle, db) = (started.server.handle(), started.app.db.clone());
        let stopped = drain::on_signal(signals, handle, started.socket_owner, started.ops, started.workers);
        let mut stopped = std::pin::pin!(stopped);
        let ended = tokio::select! {
            () = &mut stopped => Ok(()),
            ended = started.server => {
                let ended = ended.map_err(|e| StartError::new(format!("the server stopped: {e}")));
                if ended.is_ok() {
                    stopped.await;
                }
                ended
            }
        };
        db.close();
        ended
    });
    drain::leave_behind(system);
    ended
}

/// Checks what anybody can compute: whether the seed is the one that was promised, and the draw that it gives
/// a number.
fn check_draw(arguments: &DrawArguments) -> Result<(), StartError> {
    let typed = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let wrong = |what: &str| StartError::new(format!("{what} is not what the waiting room's page shows"));
    let seed = DrawSeed::parse(&typed(&arguments.seed)).ok_or_else(|| wrong("the seed"))?;
    let number = typed(&arguments.number);
    if !QueuePlace::is_number(&number) {
        return Err(wrong("the number"));
    }
    println!("Fingerprint of the seed  {}", seed.hash());
    println!("Draw of {number}  {:08x}", seed.fraction(&number));
    match &arguments.fingerprint {
        Some(fingerprint) if typed(fingerprint) != seed.hash() => Err(StartError::new(
            "the seed has another fingerprint: it was changed after it was promised".into(),
        )),
        Some(_) => {
            println!("The seed is the one that was promised.");
            Ok(())
        }
        None => Ok(()),
    }
}

fn health(config: &Config, arguments: &HealthArguments) -> Result<(), StartError> {
    let path = if arguments.ready { "/readyz" } else { "/healthz" };
    println!("{}", health_check::ask(config.operations.bind.unwrap_or(config.bind), path)?);
    Ok(())
}

fn set_admin_password(config: &Config) -> Result<(), StartError> {
    check_there_is_one(config, NAME_THE_SITES)?;
    let password = ask_password()?;
    password::check(&password).map_err(|weakness| StartError::new(format!("the password: {weakness}")))?;
    let hash = hash(&password)?;
    store_password(config, &NewPassword { hash, first_password_ends_at: None })?;
    first_password::delete(config.database_url.file());
    println!("The admin password is set, and every session is signed out.");
    Ok(())
}

/// For an operator who has forgotten the password, or whose first password has expired.
fn reset_admin_password(config: &Config) -> Result<(), StartError> {
    check_there_is_one(config, NAME_THE_SITES)?;
    let (password, new) = make_first_password()?;
    store_password(config, &new)?;
    println!("There is a new first password, and every session is signed out.");
    println!("{}", first_password::notice(&password, config.database_url.file()));
    Ok(())
}

/// For somebody who has lost the phone and the recovery codes. The account's sessions end.
fn reset_second_factor(config: &Config, username: &str) -> Result<(), StartError> {
    check_there_is_one(config, NAME_THE_SITES)?;
    db::migrate(&config.database_url)?;
    let actor = Actor::command_line();
    let reset = Database::briefly(&config.database_url, |db| {
        Ok(db.write_blocking(|db| accounts::reset_second_factor(db, username, &actor))?)
    });
    match reset? {
        Some(true) => {
            println!("{username} signs in with the password alone now, and every session is signed out.");
            Ok(())
        }
        Some(false) => {
            println!("{username} has no second factor. Nothing was changed.");
            Ok(())
        }
        None => Err(StartError::new(format!("there is no account {username}"))),
    }
}

fn store_password(config: &Config, new: &NewPassword) -> Result<(), StartError> {
    db::migrate(&config.database_url)?;
    let actor = Actor::command_line();
    Database::briefly(&config.database_url, |db| {
        Ok(db.write_blocking(|db| accounts::set_password(db, auth::USERNAME, new, &actor))?)
    })
}

fn verify(config: &Config, arguments: &VerifyArguments) -> Result<(), StartError> {
    check_there_is_one(config, "name the database to verify")?;
    let (reconciliation, warning) = Database::briefly(&config.database_url, |db| {
        if let Schema::Behind(count) = db.read_primary_blocking(db::schema)? {
            let wrong = format!("{count} migrations of this release are missing");
            let hint = "run `techkraft migrate`, or verify with the release that serves the database";
            return Err(StartError::setting("DATABASE_URL", &config.database_url.to_string(), &wrong, hint));
        }
        let reconciliation = db.read_primary_blocking(reconciliation::reconcile)?;
        Ok((reconciliation, signers::warning(secret::find(&config.secrets, db)?.as_ref(), db)?))
    })?;
    println!("{reconciliation}");
    let holds = reconciliation.holds() && warning.is_none();
    if let Some(file) = &arguments.metrics {
        let holds = ("techkraft_verify_holds", "1 if nothing was wrong", f64::from(holds));
        let at = ("techkraft_verify_timestamp_seconds", "When the counts were verified", now_seconds());
        textfile::write(file, &[holds, at])?;
    }
    match warning {
        _ if !reconciliation.holds() => Err(StartError::new("the counts do not add up".into())),
        Some(warning) => Err(StartError::new(warning)),
        None => Ok(()),
    }
}

/// Refuses to go on without a database of this program. Otherwise the command would create an empty one and
/// report on that.
fn check_there_is_one(config: &Config, hint: &str) -> Result<(), StartError> {
    let url = &config.database_url;
    let wrong = |wrong: &str| Err(StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint));
    if let Some(file) = url.file().filter(|file| !file.exists()) {
        let place = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        return wrong(&format!("no such file ({})", place.display()));
    }
    pooler::check(url)?;
    let is_ours = Database::briefly(url, |db| Ok(db.read_primary_blocking(db::is_migrated)?))?;
    if is_ours { Ok(()) } else { wrong("it is not a TechKraft database") }
}

fn back_up(config: &Config, arguments: &BackupArguments) -> Result<(), StartError> {
    check_there_is_one(config, "name the database to back up")?;
    let prove_on = arguments.prove_on.as_deref().filter(|url| !url.is_empty());
    let prove_on = prove_on.map(DatabaseUrl::parse).transpose()?;
    if let Some(url) = &prove_on {
        tls::check("BACKUP_PROVE_ON", url)?;
    }
    let backup = backup::back_up(&BackupPlan {
        url: &config.database_url,
        target: &arguments.path,
        retention: arguments
            .keep
            .map(|latest| Retention { latest: latest as usize, days: arguments.keep_days.into() }),
        prove_on,
    })?;
    let Backup { path, bytes, bookings, removed } = backup;
    // The setup page says when the last one was made. A role that may only read notes nothing.
    let noted =
        Database::briefly(
            &config.database_url,
            |db| Ok(db.write_blocking(admin::store::setup::note_backup)?),
        );
    if let Err(error) = noted {
        log::debug!("the backup is not noted: {error}");
    }
    println!("{}  {bytes} bytes, {bookings} bookings", path.display());
    println!("Verified: it was restored into a throwaway database, and all counts in it add up.");
    if removed > 0 {
        println!("Older backups removed: {removed}");
    }
    let Some(file) = &arguments.metrics else { return Ok(()) };
    textfile::write(
        file,
        &[
            ("techkraft_backup_timestamp_seconds", "Time of the last proved backup", now_seconds()),
            ("techkraft_backup_size_bytes", "Size of the last proved backup", bytes as f64),
        ],
    )
}

fn restore(config: &Config, arguments: &RestoreArguments) -> Result<(), StartError> {
    let restored =
        backup::restore(&config.database_url, &arguments.path, arguments.overwrite, &config.secrets)?;
    println!("{} was restored from {}", config.database_url, arguments.path.display());
    if let Some(aside) = &restored.aside {
        println!("The previous content was kept as {aside}");
    }
    for remark in &restored.remarks {
        println!("{remark}");
    }
    println!("{}", restored.books);
    if restored.books.holds() {
        Ok(())
    } else {
        Err(StartError::new("the backup was restored, but its counts do not add up".into()))
    }
}

fn ask_password() -> Result<String, StartError> {
    let wrong = |e: std::io::Error| StartError::new(format!("cannot read the password: {e}"));
    if stdin().is_terminal() {
        let password = rpassword::prompt_password("New admin password: ").map_err(wrong)?;
        let again = rpassword::prompt_password("The same again: ").map_err(wrong)?;
        let differ = || StartError::new("the two passwords differ; nothing was changed".into());
        return if password == again { Ok(password) } else { Err(differ()) };
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(wrong)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn announce(started: &Started) {
    // The password's file is written before the first line is printed: a script that reads the lines may read
    // the file at once.
    let password =
        started.new_password.as_ref().map(|password| first_password::notice(password, started.app.db.file()));
    let url = &started.public_url;
    let mut lines = format!("TechKraft Tickets  {url}\nAdmin              {url}/admin\n");
    if let Some(notice) = password {
        lines.push_str(&notice);
        lines.push('\n');
    }
    // In one write, so that a script which has read the first line can read the password as well.
    print!("{lines}");
}
