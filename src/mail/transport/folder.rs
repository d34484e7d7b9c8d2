//! Mails as files: for a site without a mail server, and for tests.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use actix_web::web;

use super::send_error::SendError;
use crate::mail::messages::Envelope;
use crate::start_error::StartError;

/// A folder of .eml files, which mail programs can open.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates the folder when it is missing. Only this user can read a new one, because a mail opens its
    /// booking.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let probe = path.join(format!(".probe-{}", std::process::id()));
        let writable =
            builder.create(path).and_then(|()| fs::write(&probe, "")).and_then(|()| fs::remove_file(&probe));
        writable.map_err(|e| {
            let hint = "name a folder that this user may write to, or set SMTP_URL";
            StartError::setting("MAIL_DIR", &path.display().to_string(), &e.to_string(), hint)
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes the file under another name and renames it, so that readers see whole mails only. The same mail
    /// written twice is one file.
    pub async fn send(&self, envelope: Envelope) -> Result<(), SendError> {
        let name = envelope.message_id.split('@').next().unwrap_or_default();
        let (file, draft) = (
            self.path.join(format!("{name}.eml")),
            self.path.join(format!(".{name}.{}.tmp", std::process::id())),
        );
        let written = web::block(move || write(&draft, &file, &envelope.bytes)).await;
        let problem = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(e)) => e.to_string(),
            Err(e) => e.to_string(),
        };
        Err(SendError::Unavailable(format!("{}: {problem}", self.path.display())))
    }
}

fn write(draft: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut draft_file = options.open(draft)?;
    draft_file.write_all(bytes)?;
    // A mail that is marked as sent survives a power cut.
    draft_file.sync_data()?;
    fs::rename(draft, file)
}
