//! The picture of a concert. What an organizer sends is decoded and written again ([`drawing`]), in the sizes that
//! pages use, and kept in the database under a name that is made from its content ([`store`]): nothing of the file that
//! was sent is ever served, and browsers keep each picture for ever ([`pages`]).
//!
//! The poster that is drawn for concerts does not belong here: see `events::preview`.

pub mod drawing;
pub mod pages;
pub mod processing;
pub mod store;

use std::fmt;

/// Most bytes of a file that is sent.
pub const FILE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// The widths in which pages show a picture. One that is narrower is never enlarged.
pub const WIDTHS: [u32; 3] = [480, 960, 1600];

/// The variant for other sites, of 1200×630 pixels.
pub const SOCIAL: &str = "social";
pub const SOCIAL_SIZE: (u32, u32) = (1200, 630);

/// A picture as a concert has it: its name, and the size of the largest variant. In the database `events.image` holds
/// its text: `0f3c…-1600x900`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureName {
    /// Of its content: 32 hexadecimal digits.
    pub hash: String,
    pub width: u32,
    pub height: u32,
}

impl PictureName {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hash, size) = text.split_once('-')?;
        let (width, height) = size.split_once('x')?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        (is_hash(hash) && width > 0 && height > 0).then(|| Self { hash: hash.to_owned(), width, height })
    }

    /// The widths of its variants, the smallest first.
    #[must_use]
    pub fn widths(&self) -> Vec<u32> {
        widths_of(self.width)
    }

    /// The address of the largest variant.
    #[must_use]
    pub fn url(&self) -> String {
        self.variant_url(&self.width.to_string())
    }

    /// The address of the variant for other sites.
    #[must_use]
    pub fn social_url(&self) -> String {
        self.variant_url(SOCIAL)
    }

    /// The smallest one, for lists.
    #[must_use]
    pub fn thumbnail_url(&self) -> String {
        self.variant_url(&self.widths().first().unwrap_or(&self.width).to_string())
    }

    /// The attribute `srcset`.
    #[must_use]
    pub fn srcset(&self) -> String {
        let variant = |width: u32| format!("{} {width}w", self.variant_url(&width.to_string()));
        self.widths().into_iter().map(variant).collect::<Vec<_>>().join(", ")
    }

    fn variant_url(&self, variant: &str) -> String {
        format!("/pictures/{}-{variant}.jpg", self.hash)
    }
}

impl fmt::Display for PictureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}x{}", self.hash, self.width, self.height)
    }
}

/// The widths of the variants of a picture of this width.
fn widths_of(width: u32) -> Vec<u32> {
    let smaller = WIDTHS.into_iter().filter(|it| *it < width);
    smaller.chain([width]).collect()
}

/// Whether a text is the hash of a picture.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Why a file cannot become a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFault {
    TooLarge,
    /// It is none of the types that are read.
    WrongType,
    Animated,
    TooManyPixels,
    /// One of its sides.
    TooLong,
    /// Its pixels take too much memory.
    TooDeep,
    Damaged,
}

impl PictureFault {
    /// What a page says of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "This file is larger than 5 MB. Choose a smaller one.",
            Self::WrongType => "Use a JPEG, PNG or WebP file.",
            Self::Animated => "This picture is animated. Use a still one.",
            Self::TooManyPixels => "This picture has more than 40 megapixels. Make it smaller first.",
            Self::TooLong => "A side of this picture is longer than 20,000 pixels. Make it smaller first.",
            Self::TooDeep => "This picture takes too much memory. Use 8 bits per color, or make it smaller.",
            Self::Damaged => {
                "This file can’t be read. It may be damaged: save it again, or choose another one."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let name = PictureName { hash: "0f".repeat(16), width: 1200, height: 800 };
        assert_eq!(PictureName::parse(&name.to_string()), Some(name.clone()));
        assert_eq!(name.widths(), [480, 960, 1200]);
        assert!(name.srcset().ends_with(&format!("/pictures/{}-1200.jpg 1200w", name.hash)));
        assert_eq!(PictureName { width: 300, ..name }.widths(), [300]);
        for bad in ["", "x-1x1", &format!("{}-0x1", "0f".repeat(16)), &format!("{}-1", "0f".repeat(16))] {
            assert_eq!(PictureName::parse(bad), None, "{bad}");
        }
    }
}
