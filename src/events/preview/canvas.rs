//! Pixels, the colors on them, and text in color.

use ab_glyph_rasterizer::{Rasterizer, point};

use super::lettering::Style;

pub const WIDTH: usize = 1200;
pub const HEIGHT: usize = 630;

/// Red, green and blue, from 0 to 255.
pub type Color = [f32; 3];

/// The color of a hexadecimal number, as CSS writes it.
pub const fn rgb(hex: u32) -> Color {
    [(hex >> 16 & 0xff) as f32, (hex >> 8 & 0xff) as f32, (hex & 0xff) as f32]
}

/// A color over another.
pub fn mix(below: Color, above: Color, alpha: f32) -> Color {
    [0, 1, 2].map(|it| below[it] + (above[it] - below[it]) * alpha)
}

/// A picture that is being drawn.
#[derive(Clone)]
pub struct Canvas {
    /// Three bytes for each pixel, line by line.
    bytes: Vec<u8>,
}

impl Canvas {
    /// Of one color.
    pub fn of(color: Color) -> Self {
        Self { bytes: color.map(byte).repeat(WIDTH * HEIGHT) }
    }

    pub fn blend(&mut self, x: usize, y: usize, color: Color, alpha: f32) {
        if x < WIDTH && y < HEIGHT && alpha > 0.0 {
            let start = (y * WIDTH + x) * 3;
            for (byte_there, above) in self.bytes[start..start + 3].iter_mut().zip(color) {
                let below = f32::from(*byte_there);
                *byte_there = byte(below + (above - below) * alpha.min(1.0));
            }
        }
    }

    /// Writes text. Its baseline begins at a point, and is rotated about that point by an angle.
    pub fn write(&mut self, style: Style, text: &str, (x, y): (f32, f32), radians: f32, color: Color) {
        // Room for letters above and below the line, however it is turned.
        let (size, width) = (style.size, style.width(text));
        let rise = size * 1.2 + width * radians.sin().abs();
        let (left, top) = ((x - size).floor(), (y - rise).floor());
        let (columns, lines) = ((width + 2.0 * size) as usize, (2.0 * rise) as usize);
        let mut rasterizer = Rasterizer::new(columns, lines);
        style.trace(&mut rasterizer, text, point(x - left, y - top), radians);
        rasterizer.for_each_pixel_2d(|column, line, alpha| {
            let (x, y) = (column as f32 + left, line as f32 + top);
            if alpha > 0.0 && x >= 0.0 && y >= 0.0 {
                self.blend(x as usize, y as usize, color, alpha);
            }
        });
    }

    /// The picture as a PNG.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.bytes));
        // Writing to memory does not fail, and the lines are as many and as long as the header says.
        written.expect("a picture of that size");
        file
    }
}

fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
