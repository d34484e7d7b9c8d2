//! A code as a QR code (ISO/IEC 18004): as SVG for screens and paper, as PNG for mails.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder, QRCode};

/// Light modules around the code, which the standard asks for.
const QUIET_ZONE: usize = 4;
/// A picture of 33 modules is then some 400 pixels wide, which stays sharp on screens with three dots to a
/// pixel.
const PIXELS_PER_MODULE: usize = 12;

/// The modules of a QR code. It can be read even if a quarter of it is torn, creased or glaring.
pub struct QrCode {
    modules: Option<QRCode>,
}

impl QrCode {
    /// The QR code of a short text. A text that is too long for any QR code gives an empty square.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { modules: QRBuilder::new(text).ecl(ECL::Q).build().ok() }
    }

    /// An `<svg>` element that scales to any size with sharp edges, black on white whatever is around it.
    #[must_use]
    pub fn svg(&self) -> String {
        let width = self.width();
        let mut path = String::new();
        for (row, columns) in self.runs() {
            let (x, length) = (columns.start, columns.len());
            // Writing to a String cannot fail.
            let _ = write!(path, "M{x} {row}h{length}v1h-{length}z");
        }
        format!(
            "<svg viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\" aria-hidden=\"true\">\
             <path fill=\"#fff\" d=\"M0 0h{width}v{width}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
        )
    }

    /// A PNG of one bit a pixel, some 400 pixels wide; less than a kilobyte.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let pixels = self.width() * PIXELS_PER_MODULE;
        let bytes_per_line = pixels.div_ceil(8);
        // In grayscale of one bit a one is white.
        let mut lines = vec![0xff_u8; bytes_per_line * pixels];
        for (row, columns) in self.runs() {
            for y in row * PIXELS_PER_MODULE..(row + 1) * PIXELS_PER_MODULE {
                for x in columns.start * PIXELS_PER_MODULE..columns.end * PIXELS_PER_MODULE {
                    lines[y * bytes_per_line + x / 8] &= !(0x80 >> (x % 8));
                }
            }
        }
        encode(&lines, pixels as u32)
    }

    /// Modules from edge to edge, the quiet zone included.
    fn width(&self) -> usize {
        self.modules.as_ref().map_or(0, |modules| modules.size) + 2 * QUIET_ZONE
    }

    /// Runs of dark modules that stand side by side: the row, and the range of columns.
    fn runs(&self) -> Vec<(usize, std::ops::Range<usize>)> {
        let mut runs: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let Some(modules) = &self.modules else { return runs };
        for row in 0..modules.size {
            for column in (0..modules.size).filter(|column| modules[row][*column].value()) {
                let (row, column) = (row + QUIET_ZONE, column + QUIET_ZONE);
                match runs.last_mut() {
                    Some((last, columns)) if *last == row && columns.end == column => columns.end += 1,
                    _ => runs.push((row, column..column + 1)),
                }
            }
        }
        runs
    }
}

fn encode(lines: &[u8], width: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(lines));
    // Writing to memory does not fail, and the lines are as many and as long as the header says.
    written.expect("a picture of that size");
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "7F3K-9QXM-222R-KD84-TQ2H";

    /// What a decoder with nothing in common with the encoder reads in a picture.
    fn decode(width: usize, is_dark: impl Fn(usize, usize) -> bool) -> Vec<String> {
        let shade = |x, y| if is_dark(x, y) { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, width, shade);
        let grids = picture.detect_grids();
        grids.into_iter().map(|grid| grid.decode().expect("a readable code").1).collect()
    }

    #[test]
    fn the_png_is_read_as_the_code() {
        let file = QrCode::of(CODE).png();
        assert!(file.len() < 1024, "{} bytes", file.len());
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG");
        let mut lines = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut lines).expect("a picture");
        let width = info.width as usize;
        assert_eq!((width, info.bit_depth), (33 * PIXELS_PER_MODULE, png::BitDepth::One));
        let is_dark = |x: usize, y: usize| lines[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0;
        assert_eq!(decode(width, is_dark), [CODE]);
    }

    #[test]
    fn the_svg_has_the_same_modules_and_its_quiet_zone() {
        let qr = QrCode::of(CODE);
        let svg = qr.svg();
        assert!(svg.starts_with("<svg viewBox=\"0 0 33 33\" shape-rendering=\"crispEdges\""), "{svg}");
        assert!(!svg.contains("style"), "the site's policy forbids it: {svg}");
        let runs = qr.runs();
        assert_eq!(svg.matches("v1h-").count(), runs.len());
        let is_dark = |x: usize, y: usize| {
            runs.iter().any(|(row, columns)| *row == y / 4 && columns.contains(&(x / 4)))
        };
        assert_eq!(decode(33 * 4, is_dark), [CODE]);
        assert!(
            runs.iter()
                .all(|(row, columns)| (4..29).contains(row) && columns.start >= 4 && columns.end <= 29)
        );
    }
}
