//! Decodes a file that somebody has sent, and writes it again in every size. Limits on size and memory are
//! checked before a pixel is decoded.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits, RgbImage};
use sha2::{Digest as _, Sha256};

use super::{FILE_BYTES_MAX, PictureFault, PictureName, SOCIAL, SOCIAL_SIZE, WIDTHS, widths_of};

/// A camera's picture has 12 to 24 million.
const PIXELS_MAX: u64 = 40_000_000;
/// The longest side, so that a single long line of pixels is refused.
const SIDE_MAX: u32 = 20_000;
/// The most memory for the decoded pixels, and as much again for the decoder's other allocations.
const DECODED_BYTES_MAX: u64 = 240 * 1024 * 1024;
const QUALITY: u8 = 82;
/// The color behind transparent pixels: the site's background.
const BEHIND: [u8; 3] = [0x12, 0x08, 0x2b];

/// A picture in all sizes, as JPEG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub name: PictureName,
    /// The name and the file of each. A name is a width, or [`SOCIAL`].
    pub variants: Vec<(String, Vec<u8>)>,
}

/// Makes a picture of a file. Takes a second of a core for a large one.
///
/// # Errors
/// What is wrong with the file.
pub fn draw(file: &[u8]) -> Result<Picture, PictureFault> {
    if file.len() > FILE_BYTES_MAX {
        return Err(PictureFault::TooLarge);
    }
    let reader = Cursor::new(file);
    let decoded = match image::guess_format(file) {
        Ok(ImageFormat::Jpeg) => decode(JpegDecoder::new(reader).map_err(|_| PictureFault::Damaged)?),
        Ok(ImageFormat::Png) => {
            let decoder = PngDecoder::new(reader).map_err(|_| PictureFault::Damaged)?;
            if decoder.is_apng().map_err(|_| PictureFault::Damaged)? {
                return Err(PictureFault::Animated);
            }
            decode(decoder)
        }
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(reader).map_err(|_| PictureFault::Damaged)?;
            if decoder.has_animation() {
                return Err(PictureFault::Animated);
            }
            decode(decoder)
        }
        _ => Err(PictureFault::WrongType),
    };
    let (large, orientation) = decoded?;
    Ok(variants_of(&upright(large, orientation)))
}

fn decode(mut decoder: impl ImageDecoder) -> Result<(DynamicImage, Orientation), PictureFault> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(PictureFault::TooManyPixels);
    }
    if width.max(height) > SIDE_MAX {
        return Err(PictureFault::TooLong);
    }
    if decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(PictureFault::TooDeep);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    decoder.set_limits(limits).map_err(|_| PictureFault::TooDeep)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|_| PictureFault::Damaged)?;
    Ok((image, orientation))
}

/// The picture in the largest size that is kept, turned as the camera was held. It is made smaller before it
/// is turned, so that turning needs no second large picture.
fn upright(large: DynamicImage, orientation: Orientation) -> RgbImage {
    let most = WIDTHS[WIDTHS.len() - 1];
    let is_small = large.width() <= most && large.height() <= most;
    // Averages whole pixels, in little memory.
    let mut small = if is_small { large } else { large.thumbnail(most, most) };
    small.apply_orientation(orientation);
    let mut flat = RgbImage::new(small.width(), small.height());
    for (to, from) in flat.pixels_mut().zip(small.to_rgba8().pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |color: u32, behind: u8| {
            let mixed = (color * alpha + u32::from(behind) * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        to.0 = [over(red, BEHIND[0]), over(green, BEHIND[1]), over(blue, BEHIND[2])];
    }
    flat
}

fn variants_of(base: &RgbImage) -> Picture {
    let (width, height) = base.dimensions();
    let mut variants: Vec<(String, Vec<u8>)> = Vec::new();
    for wanted in widths_of(width) {
        let file = if wanted == width {
            encode(base)
        } else {
            encode(&imageops::resize(base, wanted, scaled(height, wanted, width), FilterType::CatmullRom))
        };
        variants.push((wanted.to_string(), file));
    }
    variants.push((SOCIAL.to_owned(), encode(&social(base))));
    let mut digest = Sha256::new();
    for (_, file) in &variants {
        digest.update(file.len().to_be_bytes());
        digest.update(file);
    }
    let hash = hex::encode(&digest.finalize()[..16]);
    Picture { name: PictureName { hash, width, height }, variants }
}

/// The height of a picture that is scaled from `width` to the width `wanted`.
fn scaled(height: u32, wanted: u32, width: u32) -> u32 {
    let scaled = (u64::from(height) * u64::from(wanted) + u64::from(width) / 2) / u64::from(width);
    u32::try_from(scaled).unwrap_or(height).max(1)
}

/// The middle of the picture, in the shape that other sites show. A small picture is enlarged, because those
/// sites expect one size.
fn social(base: &RgbImage) -> RgbImage {
    let (wide, high) = SOCIAL_SIZE;
    let (width, height) = base.dimensions();
    let is_wide = u64::from(width) * u64::from(high) > u64::from(height) * u64::from(wide);
    let (cut_width, cut_height) = if is_wide {
        (scaled(wide, height, high).min(width), height)
    } else {
        (width, scaled(high, width, wide).min(height))
    };
    // Faces are more often above the middle than below it.
    let (left, top) = ((width - cut_width) / 2, (height - cut_height) / 3);
    let cut = imageops::crop_imm(base, left, top, cut_width, cut_height).to_image();
    imageops::resize(&cut, wide, high, FilterType::CatmullRom)
}

fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let written = JpegEncoder::new_with_quality(&mut file, QUALITY).encode_image(picture);
    // Writing to memory does not fail, and a JPEG has room for every size that is kept.
    written.expect("a picture of that size");
    file
}
