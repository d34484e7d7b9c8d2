//! A ZIP archive that is sent while it is written. A file's length is known only at its end, so it follows
//! the file's data (APPNOTE.TXT 4.3.9, "data descriptor"). Archives of four gigabytes and more are refused.

use std::io::{self, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Needed to extract: 2.0, for Deflate.
const VERSION: u16 = 20;
/// The length follows the file's data, and its name is UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATE: u16 = 8;
/// January 1, 1980, midnight: the archive does not say when it was made.
const DATE: u32 = 0x0021_0000;
const LOCAL_HEADER: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

/// An archive that is sent while it is written.
#[derive(Default)]
pub struct ZipWriter {
    /// The bytes that were not taken yet.
    out: Vec<u8>,
    /// How many bytes were taken.
    taken: u64,
    files: Vec<ZippedFile>,
    open: Option<OpenFile>,
}

struct ZippedFile {
    name: String,
    /// Where it starts.
    offset: u32,
    checksum: u32,
    compressed: u32,
    length: u32,
}

struct OpenFile {
    name: String,
    offset: u32,
    checksum: Crc,
    length: u64,
    encoder: DeflateEncoder<Vec<u8>>,
    compressed: u64,
}

impl ZipWriter {
    /// Begins a file, and ends the one that is open.
    ///
    /// # Errors
    /// When the archive is too long.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end_file()?;
        let offset = short(self.taken + self.out.len() as u64)?;
        numbers(&mut self.out, &[LOCAL_HEADER]);
        halves(&mut self.out, &[VERSION, FLAGS, DEFLATE]);
        // The time, and three numbers that are not known yet.
        numbers(&mut self.out, &[DATE, 0, 0, 0]);
        halves(&mut self.out, &[length_of(name)?, 0]);
        self.out.extend(name.as_bytes());
        self.open = Some(OpenFile {
            name: name.to_owned(),
            offset,
            checksum: Crc::new(),
            length: 0,
            encoder: DeflateEncoder::new(Vec::new(), Compression::fast()),
            compressed: 0,
        });
        Ok(())
    }

    /// Adds bytes to the open file.
    ///
    /// # Errors
    /// When there is none.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().ok_or(io::ErrorKind::NotFound)?;
        open.checksum.update(bytes);
        open.length += bytes.len() as u64;
        open.encoder.write_all(bytes)
    }

    /// What can be sent of the archive so far.
    pub fn take(&mut self) -> Vec<u8> {
        if let Some(open) = &mut self.open {
            open.compressed += open.encoder.get_ref().len() as u64;
            self.out.append(open.encoder.get_mut());
        }
        self.taken += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }

    fn end_file(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let rest = open.encoder.finish()?;
        let compressed = short(open.compressed + rest.len() as u64)?;
        let (checksum, length) = (open.checksum.sum(), short(open.length)?);
        self.out.extend(rest);
        numbers(&mut self.out, &[DESCRIPTOR, checksum, compressed, length]);
        self.files.push(ZippedFile { name: open.name, offset: open.offset, checksum, compressed, length });
        Ok(())
    }

    /// Ends the archive with the list of its files.
    ///
    /// # Errors
    /// When the archive is too long.
    pub fn finish(&mut self) -> io::Result<()> {
        self.end_file()?;
        let start = self.taken + self.out.len() as u64;
        for file in &self.files {
            numbers(&mut self.out, &[CENTRAL_HEADER]);
            halves(&mut self.out, &[VERSION, VERSION, FLAGS, DEFLATE]);
            numbers(&mut self.out, &[DATE, file.checksum, file.compressed, file.length]);
            // No extra field, no comment, the first disk, no attributes.
            halves(&mut self.out, &[length_of(&file.name)?, 0, 0, 0, 0]);
            numbers(&mut self.out, &[0, file.offset]);
            self.out.extend(file.name.as_bytes());
        }
        let length = self.taken + self.out.len() as u64 - start;
        let count = u16::try_from(self.files.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        numbers(&mut self.out, &[END]);
        halves(&mut self.out, &[0, 0, count, count]);
        numbers(&mut self.out, &[short(length)?, short(start)?]);
        halves(&mut self.out, &[0]);
        Ok(())
    }
}

fn short(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn length_of(name: &str) -> io::Result<u16> {
    u16::try_from(name.len()).map_err(|_| io::ErrorKind::InvalidFilename.into())
}

fn numbers(out: &mut Vec<u8>, all: &[u32]) {
    all.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

fn halves(out: &mut Vec<u8>, all: &[u16]) {
    all.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_the_same_however_it_is_taken() {
        let written = |takes: bool| {
            let mut zip = ZipWriter::default();
            let mut all = Vec::new();
            for name in ["a.txt", "b/ü.txt"] {
                zip.begin(name).expect("a file");
                for n in 0..10_000 {
                    zip.write(format!("{n} {name}\n").as_bytes()).expect("open");
                    if takes {
                        all.extend(zip.take());
                    }
                }
            }
            zip.finish().expect("short enough");
            all.extend(zip.take());
            all
        };
        let whole = written(false);
        assert_eq!(written(true), whole);
        assert!(whole.starts_with(b"PK\x03\x04") && whole.len() < 100_000);
        assert_eq!(&whole[whole.len() - 22..whole.len() - 18], b"PK\x05\x06");
        assert!(ZipWriter::default().write(b"x").is_err(), "no file is open");
    }
}
