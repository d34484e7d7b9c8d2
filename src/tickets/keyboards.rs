//! What a handheld scanner types, read through the keyboard layout of the device. A scanner presses the keys of an
//! American keyboard; a device that is set to another layout makes other characters of them. The signature of a ticket
//! code tells which reading is right.

/// What a layout makes of keys, and the character that an American keyboard has there. Only what ticket codes have:
/// letters, digits, and the hyphen, which may become anything and is dropped.
type Layout = &'static [(&'static str, &'static str)];

const LAYOUTS: [Layout; 13] = [
    // German, Austrian, Swiss, Hungarian, Czech with digits, Croatian, Slovene, Polish (214)
    &[("zy", "yz")],
    // Czech, Slovak
    &[("zy", "yz"), ("+ěščřžýáíé", "1234567890")],
    &[("zy", "yz"), ("+ľščťžýáíé", "1234567890")],
    // French
    &[("azqw,?", "qwazmm"), ("&é\"'(-è_çà", "1234567890")],
    // Belgian
    &[("azqw,?", "qwazmm"), ("&é\"'(§è!çà", "1234567890")],
    // Lithuanian
    &[("ąčęėįšųū", "12345678")],
    // Russian, Ukrainian
    &[("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm"), ("і", "s")],
    // Greek
    &[(";:ςερτυθιοπασδφγηξκλζχψωβνμ", "qqwertyuiopasdfghjklzxcvbnm")],
    // Hebrew
    &[("/'קראטוןםפשדגכעיחלךזסבהנמצ", "qwertyuiopasdfghjklzxcvbnm")],
    // Arabic, whose key B writes two letters
    &[("ضصثقفغعهخحشسيبلاتنمئءؤرىة", "qwertyuiopasdfghjklzxcvnm")],
    // Turkish F
    &[("fgğıodrnhpqwuieaütkmlyşjövcçzsb", "qwertyuiop[]asdfghjkl;'zxcvbnm,")],
    // Dvorak
    &[("',.pyfgcrlaoeuidhtns;qjkxbmw", "qwertyuiopasdfghjkl;zxcvbnm,")],
    // Colemak
    &[("qwfpgjluy;arstdhneiozxcvbkm", "qwertyuiopasdfghjkl;zxcvbnm")],
];

/// How many characters of a text are tried: a code with a layout's signs between its groups is shorter.
const TRIED: usize = 60;

/// The readings of a text as ticket codes, in capitals: as it stands, then through each layout.
pub fn readings(text: &str) -> impl Iterator<Item = String> {
    let text: Vec<char> = text.chars().take(TRIED).map(narrow).collect();
    let plain = text.iter().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_uppercase();
    let through = move |layout: &Layout| {
        let typed = |c: &char| layout.iter().find_map(|(made, keys)| key_of(*c, made, keys)).unwrap_or(*c);
        text.iter().map(typed).filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
    };
    std::iter::once(plain).chain(LAYOUTS.iter().map(through))
}

fn key_of(c: char, made: &str, keys: &str) -> Option<char> {
    let is_it = |it: char| it == c || c.to_lowercase().eq(std::iter::once(it));
    made.chars().position(is_it).and_then(|position| keys.chars().nth(position))
}

/// Wide letters and digits of East Asian keyboards, and the digits of other scripts, as ASCII.
fn narrow(c: char) -> char {
    let from = |first: char, zero: char| {
        let distance = u32::from(c).checked_sub(u32::from(first))?;
        (distance < 10).then(|| char::from_u32(u32::from(zero) + distance)).flatten()
    };
    let wide = ('！'..='～').contains(&c).then(|| char::from_u32(u32::from(c) - 0xFEE0)).flatten();
    wide.or_else(|| from('٠', '0')).or_else(|| from('۰', '0')).or_else(|| from('०', '0')).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "KPNN-K6JC-223Q-YQVT-38PC";
    const PLAIN: &str = "KPNNK6JC223QYQVT38PC";

    #[test]
    fn a_code_is_read_through_the_layout_of_the_device() {
        for typed in [
            CODE,
            "kpnn-k6jc-223q-yqvt-38pc",
            "KPNNßK6JCß223QßZQVTß38PC",
            "KPNN'K6JC'223Q'ZQVT'38PC",
            "kpnn)k-jc)éé\"a)yavt)\"_pc",
            "KPNN)K-JC)éé\"A)YAVT)\"_PC",
            "KPNN=KžJC=ěěšQ=ZQVT=šáPC",
            "KPNN*K6JC*223Q*YQVT*38PC",
            "ЛЗТТ-Л6ОС-223Й-НЙМЕ-38ЗС",
            "ＫＰＮＮ－Ｋ６ＪＣ－２２３Ｑ－ＹＱＶＴ－３８ＰＣ",
            "ΚΠΝΝ-Κ6ΞΨ-223:-Υ:ΩΤ-38ΠΨ",
            "KPNN-K٦JC-٢٢٣Q-YQVT-٣٨PC",
        ] {
            assert!(readings(typed).any(|reading| reading == PLAIN), "{typed}");
        }
    }
}
