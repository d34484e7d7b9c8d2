//! Settings in `.env`, as people write them there.

use std::fs;

use super::{refusal, run, said};
use crate::command_line::techkraft;
use testkit::database::TestDatabase;

const PASSWORD: &str = "pa$word#1%40x";

/// The program uses the values as they are written in the file. The log names the server and never the password, so
/// the test reads the setting back through an error that shows everything but the password.
#[test]
fn values_are_literal_however_the_file_is_written() {
    let database = TestDatabase::create();
    let url = |scheme: &str| format!("{scheme}://ada:{PASSWORD}@$mail.example#x:587");
    let unknown = url("ftp");
    for text in [
        format!("SMTP_URL={unknown}\n"),
        format!("\u{feff}# mail\r\nexport SMTP_URL = {unknown}\r\n"),
        format!("SMTP_URL='{unknown}' # our server"),
        format!("SMTP_URL=smtp://old\nSMTP_URL=\"{unknown}\""),
    ] {
        fs::write(database.folder.path().join(".env"), &text).expect("written");
        let line = refusal(techkraft(&database).arg("migrate"));
        assert!(line.starts_with("techkraft: SMTP_URL=ftp://ada@$mail.example: "), "{text:?}: {line}");
        assert!(!line.contains("word#1"), "{line}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named_by_its_number() {
    let database = TestDatabase::create();
    for (text, line_number) in
        [("BIND=127.0.0.1:0\n\ns3cret\n", 3), ("SECRET_KEY='s3cret\n", 1), ("\r\nSMTP URL=s3cret", 2)]
    {
        fs::write(database.folder.path().join(".env"), text).expect("written");
        let line = refusal(techkraft(&database).arg("migrate"));
        assert!(line.starts_with(&format!("techkraft: .env: line {line_number}: ")), "{line}");
        assert!(!line.contains("s3cret"), "{line}");
    }
    fs::write(database.folder.path().join(".env"), b"A=\xff\xff").expect("written");
    assert!(refusal(techkraft(&database).arg("migrate")).contains(".env: not text"));
}

#[test]
fn the_environment_wins() {
    let database = TestDatabase::create();
    fs::write(database.folder.path().join(".env"), "DATABASE_URL=mysql://nobody\n").expect("written");
    let output = run(techkraft(&database).arg("migrate"));
    assert!(output.status.success(), "{}", said(&output));
}
