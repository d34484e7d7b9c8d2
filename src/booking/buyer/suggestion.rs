//! Notices a mistyped domain of a well-known mail provider.

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

/// Domains of others that look like a mistyped one of these.
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

/// What people type for `com`, `net` and `de`.
const MISTYPED_ENDINGS: [(&str, &[&str]); 3] = [
    (
        "com",
        &["con", "cmo", "ocm", "cim", "vom", "xom", "cpm", "comm", "coom", "comn", "co", "cm", "om", "c"],
    ),
    ("net", &["ner", "ent", "nte", "met", "bet", "nett", "neet", "ne"]),
    ("de", &["ed", "dee", "dr", "ds"]),
];

/// In shorter names another letter makes another name.
const LABEL_LENGTH_MIN: usize = 5;

/// The address that was probably meant by a [parsed](super::parse_email) one; `None`: nothing looks wrong with it.
#[must_use]
pub fn suggest_email(email: &str) -> Option<String> {
    let (mailbox, domain) = email.rsplit_once('@')?;
    if WELL_KNOWN.contains(&domain) || LOOKALIKES.contains(&domain) {
        return None;
    }
    let (label, ending) = domain.split_once('.')?;
    let meant = WELL_KNOWN.iter().filter(|known| {
        let Some((known_label, known_ending)) = known.split_once('.') else { return false };
        let is_label = label == known_label
            || (known_label.len() >= LABEL_LENGTH_MIN && osa_distance(label, known_label) == 1);
        is_label && (ending == known_ending || is_mistyped(ending, known_ending))
    });
    // The nearest one: `gmial.con` is nearer to `gmail.com` than to anything else.
    let meant = meant.min_by_key(|known| osa_distance(domain, known))?;
    Some(format!("{mailbox}@{meant}"))
}

fn is_mistyped(ending: &str, meant: &str) -> bool {
    MISTYPED_ENDINGS.iter().any(|(known, mistyped)| *known == meant && mistyped.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_domain_of_a_well_known_provider_is_noticed() {
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
        ]) {
            assert_eq!(suggest_email(&format!("ada@{domain}")), None, "{domain}");
        }
        assert_eq!(suggest_email("no address"), None);
    }
}
