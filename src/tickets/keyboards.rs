//! What a handheld scanner types, read through the keyboard layout of the device. A scanner presses the keys of an
//! American keyboard; a device that is set to another layout makes other characters of them. The signature of a ticket
//! code tells which reading is right.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::booking::REFERENCE_ALPHABET;
use crate::guard::digits::digit;

/// Which character an American keyboard has where a layout has another.
type Keys = HashMap<char, char>;

/// Two maps for each layout, because a scanner types letters with Shift or, with Caps Lock or another
/// setting, without. If two keys make the same character, the first map prefers digit keys, then letter keys
/// with Shift; the second map prefers the keys without Shift.
static LAYOUTS: LazyLock<Vec<[Keys; 2]>> = LazyLock::new(|| {
    let lines = include_str!("keyboards.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(layout).collect()
});

/// Letters of other scripts that look like those of ticket codes, for people who type a code from a printed
/// ticket.
const LOOKALIKES: [(&str, &str); 2] =
    [("АВСЕНКМРТХУЅЈԚԜ", "ABCEHKMPTXYSJQW"), ("ΑΒΕΖΗΚΜΝΡΤΥΧ", "ABEZHKMNPTYX")];

/// How many characters of a text are read without a layout.
const READ: usize = 400;
/// The longest text that is read through layouts. A code with a scanner's prefix, and with a layout's signs
/// between its groups, is shorter.
const TRIED: usize = 60;

/// The letters and digits of a text, in capitals. A code may be part of them. Wide and raised letters become
/// plain ones, and the digits of all scripts become ASCII digits.
#[must_use]
pub fn plain(text: &str) -> String {
    ascii(composed(text).chars())
}

/// The readings of a text as ticket codes, in capitals: first with look-alike letters replaced, then through
/// each layout.
pub fn readings(text: &str) -> impl Iterator<Item = String> {
    let lookalike = |c: char| LOOKALIKES.iter().find_map(|(letters, meant)| at_same_place(c, letters, meant));
    let upper = composed(text).to_uppercase();
    let as_it_looks = ascii(upper.chars().map(|c| lookalike(c).unwrap_or(c)));
    let typed: Vec<char> = text.chars().map(narrow).take(TRIED + 1).collect();
    // Arabic keyboards of other systems write the two letters of one key apart.
    let mut texts = vec![joined(&typed), typed];
    texts.dedup();
    texts.retain(|text| text.len() <= TRIED);
    let through = LAYOUTS.iter().flatten().flat_map(move |keys| {
        let read = |text: &Vec<char>| ascii(text.iter().filter_map(|c| key(keys, *c)));
        texts.iter().map(read).collect::<Vec<_>>()
    });
    let mut read = HashSet::new();
    std::iter::once(as_it_looks).chain(through).filter(move |reading| read.insert(reading.clone()))
}

/// Reads a line of the table: the characters that the keys of a code's alphabet make, and those that its
/// letter keys make with Shift.
fn layout(line: &str) -> Option<[Keys; 2]> {
    let mut columns = line.split(' ').skip(1);
    let (plain, shifted) = (columns.next()?, columns.next()?);
    let keys = || REFERENCE_ALPHABET.iter().map(|it| char::from(*it));
    let plain = || plain.chars().zip(keys());
    let shifted = || shifted.chars().zip(keys().filter(char::is_ascii_alphabetic));
    let digits = || plain().filter(|(_, key)| key.is_ascii_digit());
    // Number pads have digits whatever the layout is. On other systems, layouts have ASCII digits where this
    // table has the digits of a script.
    let has_digits = plain().chain(shifted()).any(|(made, _)| made.is_ascii_digit());
    let pad = || ('2'..='9').filter(|_| !has_digits).map(|digit| (digit, digit));
    // The first key of a character wins.
    let mapped = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs.fold(Keys::new(), |mut keys, (made, key)| {
            keys.entry(made).or_insert(key);
            keys
        })
    };
    Some([
        mapped(&mut digits().chain(shifted()).chain(plain()).chain(pad())),
        mapped(&mut plain().chain(shifted()).chain(pad())),
    ])
}

/// The key that makes a character. Caps Lock may make capitals of letters on digit keys.
fn key(keys: &Keys, c: char) -> Option<char> {
    let small = || c.to_lowercase().next().and_then(|small| keys.get(&small));
    keys.get(&c).or_else(small).copied()
}

fn at_same_place(c: char, letters: &str, meant: &str) -> Option<char> {
    letters.chars().zip(meant.chars()).find(|(letter, _)| *letter == c).map(|(_, meant)| meant)
}

fn joined(typed: &[char]) -> Vec<char> {
    let mut joined: Vec<char> = Vec::with_capacity(typed.len());
    for &c in typed {
        let ligature = match (joined.last(), c) {
            (Some('ل'), 'ا') => 'ﻻ',
            (Some('ل'), 'آ') => 'ﻵ',
            (Some('ل'), 'أ') => 'ﻷ',
            (Some('ل'), 'إ') => 'ﻹ',
            _ => {
                joined.push(c);
                continue;
            }
        };
        joined.pop();
        joined.push(ligature);
    }
    joined
}

/// Unicode's form NFKC.
fn composed(text: &str) -> String {
    let text: String = text.chars().take(READ).collect();
    ComposingNormalizerBorrowed::new_nfkc().normalize(&text).into_owned()
}

fn ascii(text: impl Iterator<Item = char>) -> String {
    let letters = text.map(|c| digit(c).unwrap_or(c)).filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_uppercase()).collect()
}

/// Wide letters and signs of East Asian keyboards as ASCII.
fn narrow(c: char) -> char {
    let wide = ('！'..='～').contains(&c).then(|| char::from_u32(u32::from(c) - 0xFEE0)).flatten();
    wide.unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "KPNN-K6JC-223Q-YQVT-38PC";
    const PLAIN: &str = "KPNNK6JC223QYQVT38PC";

    #[test]
    fn a_code_is_read_through_the_layout_of_the_device() {
        for typed in [
            "KPNNßK6JCß223QßZQVTß38PC",
            "KPNN'K6JC'223Q'ZQVT'38PC",
            "kpnn)k-jc)éé\"a)yavt)\"_pc",
            "KPNN)K-JC)éé\"A)YAVT)\"_PC",
            "KPNN=KžJC=ěěšQ=ZQVT=šáPC",
            "KPNN*K6JC*223Q*YQVT*38PC",
            "ЛЗТТ-Л6ОС-223Й-НЙМЕ-38ЗС",
            "ΚΠΝΝ-Κ6ΞΨ-223:-Υ:ΩΤ-38ΠΨ",
            "КРNN-К6JС-223Q-УQVТ-38РС",
        ] {
            assert!(readings(typed).any(|reading| reading == PLAIN), "{typed}");
        }
        for typed in [
            CODE,
            "kpnn-k6jc-223q-yqvt-38pc",
            "ＫＰＮＮ－Ｋ６ＪＣ－２２３Ｑ－ＹＱＶＴ－３８ＰＣ",
            "KPNN-K٦JC-٢٢٣Q-YQVT-٣٨PC",
            "KPNN-K৬JC-২২৩Q-YQVT-๓๘PC",
            "𝐊PNN-K𝟔JC-𝟐𝟚𝟹Q-YQVT-38PC",
        ] {
            assert_eq!(plain(typed), PLAIN, "{typed}");
        }
    }

    #[test]
    fn every_layout_is_read() {
        let lines = include_str!("keyboards.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(LAYOUTS.len(), lines.clone().count());
        for line in lines {
            let columns: Vec<usize> = line.split(' ').map(|column| column.chars().count()).collect();
            assert_eq!(columns[1..], [30, 22], "{line}");
        }
    }
}
