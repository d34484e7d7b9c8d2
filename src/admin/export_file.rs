//! A file that is sent while it is read, so that its length does not matter: of bookings, or of payments.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Bytes};
use futures_util::stream;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::csv_file::CsvFile;
use super::spreadsheet::SheetCell;
use super::workbook::Workbook;
use crate::app::App;
use crate::error::Error;

/// Rows of the database that are read and sent at once.
pub(super) const PIECE: i64 = 1_000;
/// How long an export waits for the one before it, which may be about to end.
const EXPORT_WAIT: Duration = Duration::from_secs(1);

/// Lets one export run at a time, of bookings or of payments. `None`: another one is running.
pub(super) async fn lock_exports(app: &App) -> Option<OwnedMutexGuard<()>> {
    timeout(EXPORT_WAIT, Arc::clone(&app.heavy_work.export_lock).lock_owned()).await.ok()
}

/// A file that is sent while it is written.
pub(super) enum ExportFile {
    Csv(Box<CsvFile>),
    Workbook(Box<Workbook>),
}

impl ExportFile {
    pub(super) fn extension(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Workbook(_) => "xlsx",
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=utf-8",
            Self::Workbook(_) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    pub(super) fn push(&mut self, cells: &[SheetCell]) -> io::Result<()> {
        match self {
            Self::Csv(file) => file.push(cells),
            Self::Workbook(file) => file.push(cells),
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(_) => Ok(()),
            Self::Workbook(file) => file.finish(),
        }
    }

    pub(super) fn take(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv(file) => file.take(),
            Self::Workbook(file) => file.take(),
        }
    }
}

type WritePiece = Box<dyn FnOnce(&mut ExportFile) -> io::Result<()> + Send>;

/// What was read at once.
pub(super) struct FilePiece {
    /// Writes the piece. Runs on the blocking pool, not on a thread that answers requests.
    pub write: WritePiece,
    /// The next piece begins after this id. `None`: this is the last piece.
    pub next: Option<i64>,
}

/// Whether there may be more after a piece of so many rows.
pub(super) fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= PIECE)
}

/// An export between two pieces.
struct Export<F> {
    read: F,
    file: ExportFile,
    after: Option<i64>,
    /// Ends with the stream, also when the browser goes away.
    _lock: OwnedMutexGuard<()>,
}

/// The file, piece by piece. `read` reads what comes after an id. A read that fails breaks the download off, which
/// browsers show.
pub(super) fn pieces<F, R>(
    file: ExportFile,
    lock: OwnedMutexGuard<()>,
    read: F,
) -> impl stream::Stream<Item = Result<Bytes, Error>> + 'static
where
    F: Fn(i64) -> R + 'static,
    R: Future<Output = Result<FilePiece, Error>> + 'static,
{
    let start = Export { read, file, after: Some(0), _lock: lock };
    stream::try_unfold(start, |mut export| async move {
        // A piece may be empty: none of its rows fits the search, or the compressor still holds the bytes.
        while let Some(after) = export.after {
            let piece =
                (export.read)(after).await.inspect_err(|e| log::error!("an export was interrupted: {e}"))?;
            let bytes;
            export.after = piece.next;
            (export.file, bytes) = write(export.file, piece).await?;
            if !bytes.is_empty() {
                return Ok(Some((Bytes::from(bytes), export)));
            }
        }
        Ok(None)
    })
}

async fn write(mut file: ExportFile, piece: FilePiece) -> Result<(ExportFile, Vec<u8>), Error> {
    let written = web::block(move || {
        (piece.write)(&mut file)?;
        if piece.next.is_none() {
            file.finish()?;
        }
        let bytes = file.take()?;
        Ok::<_, io::Error>((file, bytes))
    });
    written.await.map_err(broken)?.map_err(broken)
}

/// The error for a file that cannot be written.
pub(super) fn broken(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("export: {error}"))
}
