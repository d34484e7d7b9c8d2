//! Notices a mistyped domain of a well-known mail provider, and an ending that no domain has.

use strsim::osa_distance;

/// Domains that many people have their mail at.
const WELL_KNOWN: [&str; 44] = [
    "aol.com",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "btinternet.com",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "rediffmail.com",
    "sbcglobal.net",
    "t-online.de",
    "telstra.com",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
];

/// Domains of other providers that look like a mistyped one of these.
const LOOKALIKES: [&str; 8] = [
    "cloud.com",
    "email.com",
    "fmail.com",
    "hushmail.com",
    "inbox.com",
    "mail.com",
    "ymail.com",
    "zmail.com",
];

/// Common typos of `com`, `net` and `de`.
const MISTYPED_ENDINGS: [(&str, &[&str]); 3] = [
    (
        "com",
        &["con", "cmo", "ocm", "cim", "vom", "xom", "cpm", "comm", "coom", "comn", "co", "cm", "om", "c"],
    ),
    ("net", &["ner", "ent", "nte", "met", "bet", "nett", "neet", "ne"]),
    ("de", &["ed", "dee", "dr", "ds"]),
];

/// Endings that no domain has, and what people mean by them.
const NO_ENDINGS: [(&str, &[&str]); 7] = [
    (
        "com",
        &["con", "cmo", "ocm", "cim", "vom", "xom", "cpm", "comm", "coom", "comn", "conm", "coml", "c0m"],
    ),
    ("net", &["ner", "ent", "nte", "met", "nett", "neet"]),
    ("org", &["ogr", "rog", "orgg", "0rg"]),
    ("edu", &["ed", "eud", "eduu"]),
    ("me", &["em"]),
    ("uk", &["ku", "ukk"]),
    ("fr", &["rf"]),
];

/// Letters and digits that look like others: what is seen, and what is meant.
const LOOKALIKE_SIGNS: [(&str, &str); 4] = [("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l")];

/// A shorter name with one letter changed is more likely a different name than a typo.
const LABEL_LENGTH_MIN: usize = 5;

/// The address that was probably meant by a [parsed](super::parse_email) one; `None`: nothing looks wrong with it.
#[must_use]
pub fn suggest_email(email: &str) -> Option<String> {
    let (mailbox, domain) = email.rsplit_once('@')?;
    if is_known(domain) {
        return None;
    }
    let with_ending = with_known_ending(domain);
    let ended = with_ending.as_deref().filter(|domain| is_known(domain)).map(str::to_owned);
    let meant = ended.or_else(|| unmistaken(domain)).or_else(|| nearest(domain)).or(with_ending)?;
    Some(format!("{mailbox}@{meant}"))
}

fn is_known(domain: &str) -> bool {
    WELL_KNOWN.contains(&domain) || LOOKALIKES.contains(&domain)
}

/// The domain with an ending that exists, and only once: `example.con`, `example.com.com`.
fn with_known_ending(domain: &str) -> Option<String> {
    let (host, ending) = domain.rsplit_once('.')?;
    let known = NO_ENDINGS.iter().find(|(_, mistyped)| mistyped.contains(&ending)).map(|(known, _)| *known);
    let is_repeated = known.is_none() && ending.len() > 2 && host.ends_with(&format!(".{ending}"));
    if is_repeated { Some(host.to_owned()) } else { Some(format!("{host}.{}", known?)) }
}

/// The known domain that looks the same.
fn unmistaken(domain: &str) -> Option<String> {
    let read = LOOKALIKE_SIGNS.iter().map(|(seen, meant)| domain.replace(seen, meant));
    read.into_iter().find(|read| is_known(read))
}

/// The domain of a well-known provider that is nearest: `gmial.con` is nearer to `gmail.com` than to anything else.
fn nearest(domain: &str) -> Option<String> {
    let (label, ending) = domain.split_once('.')?;
    let meant = WELL_KNOWN.iter().filter(|known| {
        let Some((known_label, known_ending)) = known.split_once('.') else { return false };
        let is_label = label == known_label
            || (known_label.len() >= LABEL_LENGTH_MIN && osa_distance(label, known_label) == 1);
        is_label && (ending == known_ending || is_mistyped(ending, known_ending))
    });
    meant.min_by_key(|known| osa_distance(domain, known)).map(|known| (*known).to_owned())
}

fn is_mistyped(ending: &str, meant: &str) -> bool {
    MISTYPED_ENDINGS.iter().any(|(known, mistyped)| *known == meant && mistyped.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_domain_is_noticed() {
        for (typed, meant) in [
            ("gmial.con", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("gmai.com", "gmail.com"),
            ("gamil.com", "gmail.com"),
            ("gnail.com", "gmail.com"),
            ("gmail.co", "gmail.com"),
            ("hotmial.com", "hotmail.com"),
            ("hotmal.co.uk", "hotmail.co.uk"),
            ("yaho.com", "yahoo.com"),
            ("yahooo.fr", "yahoo.fr"),
            ("yahoo.cmo", "yahoo.com"),
            ("outlok.com", "outlook.com"),
            ("iclod.com", "icloud.com"),
            ("aol.con", "aol.com"),
            ("web.ed", "web.de"),
            ("gmx.ner", "gmx.net"),
            ("tonline.de", "t-online.de"),
            ("ymail.con", "ymail.com"),
            ("mail.con", "mail.com"),
            ("gmail.com.com", "gmail.com"),
            ("gmail.c0m", "gmail.com"),
            ("gmai1.com", "gmail.com"),
            ("rnail.com", "mail.com"),
            ("grnail.com", "gmail.com"),
            // Other domains, with an ending that does not exist.
            ("example.con", "example.com"),
            ("me.con", "me.com"),
            ("qq.con", "qq.com"),
            ("mail.example.con", "mail.example.com"),
            ("university.ed", "university.edu"),
            ("pm.em", "pm.me"),
            ("example.ogr", "example.org"),
            ("example.co.ku", "example.co.uk"),
            ("example.org.org", "example.org"),
        ] {
            assert_eq!(suggest_email(&format!("ada@{typed}")), Some(format!("ada@{meant}")), "{typed}");
        }
    }

    #[test]
    fn other_domains_are_left_alone() {
        for domain in WELL_KNOWN.iter().chain(&LOOKALIKES).copied().chain([
            "example.org",
            "aon.com",
            "man.com",
            "love.com",
            "gmx.us",
            "gmail.org",
            "outlook.de",
            "yahoo.ca",
            "yahoo.com.br",
            "hotmail.es",
            "orange.com",
            "mail.gmail.com",
            "university.edu",
            "xn--gmal-nza.com",
            "example.co",
            "example.cm",
            "example.om",
            "burn.com",
            "example.co.uk",
        ]) {
            assert_eq!(suggest_email(&format!("ada@{domain}")), None, "{domain}");
        }
        assert_eq!(suggest_email("no address"), None);
    }
}
