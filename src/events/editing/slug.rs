//! The part of a concert's address that names it: made from its name, in small ASCII letters.

use deunicode::deunicode;

/// Longest slug that an organizer may choose.
pub const SLUG_LENGTH_MAX: usize = 80;
/// Longest slug that is made from a name.
const MADE_LENGTH_MAX: usize = 60;
/// Names that `/admin/events/` uses for pages of its own.
const RESERVED: [&str; 1] = ["new"];

/// The slug of a name: `Zoë & the Café` is `zoe-the-cafe`. Empty when nothing of the name can be spelled so.
#[must_use]
pub fn of_name(name: &str) -> String {
    let mut slug = String::new();
    for c in deunicode(name).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' {
            slug.push('-');
        }
    }
    if slug.len() > MADE_LENGTH_MAX {
        slug.truncate(MADE_LENGTH_MAX);
        // Not in the middle of a word, where there are several.
        if let Some(end) = slug.rfind('-').filter(|end| *end >= MADE_LENGTH_MAX / 2) {
            slug.truncate(end);
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Reads what an organizer typed; empty: to be made from the name.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn read(typed: &str) -> Result<Option<String>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let slug = typed.to_ascii_lowercase();
    let is_tidy = super::super::is_slug(&slug) && !slug.starts_with('-') && !slug.ends_with('-');
    if !is_tidy || slug.len() > SLUG_LENGTH_MAX {
        return Err(format!("Use up to {SLUG_LENGTH_MAX} letters from a to z, digits and hyphens."));
    }
    if RESERVED.contains(&slug.as_str()) {
        return Err("This address is taken by the site itself.".to_owned());
    }
    Ok(Some(slug))
}

/// The slugs to try, one after the other: `show`, `show-2`, `show-3` and so on.
pub fn candidates(base: &str) -> impl Iterator<Item = String> {
    let first = (!RESERVED.contains(&base)).then(|| base.to_owned());
    let base = base.to_owned();
    first.into_iter().chain((2_u32..).map(move |number| format!("{base}-{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_any_name() {
        for (name, slug) in [
            ("Midnight Parade", "midnight-parade"),
            ("  Zoë & the Café!  ", "zoe-the-cafe"),
            ("Don't Stop", "dont-stop"),
            ("Größe", "grosse"),
            ("Москва", "moskva"),
            ("!!!", ""),
        ] {
            assert_eq!(of_name(name), slug, "{name}");
        }
        assert!(!of_name("夜の行進").is_empty() && !of_name("ليلة").is_empty());
        let long = of_name(&"word ".repeat(40));
        assert!(long.len() <= MADE_LENGTH_MAX && long.ends_with("word"), "{long}");
        assert_eq!(of_name(&"x".repeat(200)).len(), MADE_LENGTH_MAX);
    }

    #[test]
    fn a_typed_slug_is_checked() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("Next-Night"), Ok(Some("next-night".into())));
        for wrong in ["new", "a b", "ä", "-a", "a-", "a/b", "x".repeat(81).as_str()] {
            read(wrong).expect_err(wrong);
        }
        assert_eq!(candidates("show").take(2).collect::<Vec<_>>(), ["show", "show-2"]);
        assert_eq!(candidates("new").take(1).collect::<Vec<_>>(), ["new-2"]);
    }
}
