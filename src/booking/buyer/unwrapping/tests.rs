//! Tests of addresses inside other texts.

use super::*;

/// `ada@example.org` as it is typed, copied and sent.
const WRAPPED: &[&str] = &[
    "ada@example.org",
    " ada@example.org\r\n",
    "\u{202a}ada@example.org\u{202c}",
    "\u{2068}ada@example.org\u{2069}",
    "\u{200e}ada@example.org\u{200f}",
    "\u{feff}ada@example.org",
    "ada@example.org\u{200b}",
    "ada@exam\u{ad}ple.org",
    "\u{a0}ada@example.org\u{3000}",
    "ada@example.org\t",
    "ada@example.org\u{2028}",
    "ada\u{ff20}example.org",
    "ada@example\u{ff0e}org",
    "ada@example。org",
    "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
    "ada @example.org",
    "ada@ example.org",
    "ada\u{a0}@example.org",
    // Links.
    "mailto:ada@example.org",
    "mailto:ada%40example.org",
    "mailto://ada@example.org",
    "MAILTO:ada@example.org?subject=Tickets&cc=eve@example.org",
    "<mailto:ada@example.org>",
    "<mailto:ada@example.org|ada@example.org>",
    "[ada@example.org](mailto:ada@example.org?subject=x)",
    "Ada Lovelace [mailto:ada@example.org]",
    "ada@example.org%20",
    "&lt;ada@example.org&gt;",
    // Names.
    "<ada@example.org>",
    "<ada@example.org> Ada",
    "Ada <ada@example.org>",
    "Ada<ada@example.org>",
    "\"Lovelace, Ada\" <ada@example.org>;",
    "Ada ＜ada@example.org＞",
    "Ada (ada@example.org)",
    "ada@example.org (Ada Lovelace)",
    "ada@example.org Ada Lovelace",
    "Ada Lovelace ada@example.org",
    "Lovelace, Ada ada@example.org",
    "李小龍 ada@example.org",
    "E-Mail: ada@example.org",
    "email:ada@example.org",
    "SMTP:ada@example.org",
    "ada@example.org, ada@example.org",
    // Punctuation.
    "ada@example.org.",
    "ada@example.org,",
    "ada@example.org;",
    "ada@example.org!",
    "ada@example.org/",
    "ada@example.org\\",
    "ada@example.org،",
    "ada@example.org、",
    "ada@example.org؛",
    "(ada@example.org)",
    "“ada@example.org”",
    "'ada@example.org'",
    "‚ada@example.org‘",
    "「ada@example.org」",
    "【ada@example.org】",
    "《ada@example.org》",
    "´ada@example.org´",
    "`ada@example.org`",
    "*ada@example.org*",
    "_ada@example.org_",
    "=ada@example.org",
    "- ada@example.org",
    "• ada@example.org",
    "– ada@example.org",
    "> ada@example.org",
    "→ ada@example.org",
    "✉️ ada@example.org",
    "📧ada@example.org",
];

#[test]
fn what_is_wrapped_around_an_address_is_taken_off() {
    for typed in WRAPPED {
        let found = find_address(typed);
        assert_eq!(found, Ok(("ada".into(), "example.org".into())), "{typed:?}");
    }
    for (typed, mailbox, domain) in [
        ("o’brien@example.org", "o'brien", "example.org"),
        ("mailto:ada%2Btag@example.org", "ada+tag", "example.org"),
        ("_ada_@example.org", "_ada_", "example.org"),
        ("ada?@example.org", "ada?", "example.org"),
        ("ada@exam\u{202e}ple.org", "ada", "exam\u{202e}ple.org"),
    ] {
        assert_eq!(find_address(typed), Ok((mailbox.into(), domain.into())), "{typed:?}");
    }
}

#[test]
fn what_may_be_another_address_is_refused() {
    for (typed, error) in [
        ("", EmailError::Missing),
        (" <> ", EmailError::Missing),
        ("ada", EmailError::Invalid),
        ("ada@", EmailError::Invalid),
        ("@example.org", EmailError::Invalid),
        ("\"ada\"@example.org", EmailError::Invalid),
        ("ada@@example.org", EmailError::Several),
        ("a@b@example.org", EmailError::Several),
        ("a@x.org, b@x.org", EmailError::Several),
        ("A <a@x.org>, B <b@x.org>", EmailError::Several),
        ("ada@x.org|eve@x.org", EmailError::Several),
        ("ada lovelace@example.org", EmailError::Character(' ')),
        ("Ada lovelace@example.org", EmailError::Character(' ')),
        ("ada. lovelace@example.org", EmailError::Character(' ')),
        ("ada,lovelace@example.org", EmailError::Character(',')),
        ("ada, lovelace@example.org", EmailError::Character(' ')),
        ("ada@example.co m", EmailError::Character(' ')),
        ("ada@example.co .uk", EmailError::Character(' ')),
        ("ada@exam_ple.org", EmailError::Character('_')),
        ("ada@exampl℮.org", EmailError::Character('℮')),
        ("ada\u{1b}[31m@example.org", EmailError::Character('\u{1b}')),
        ("ada@example.org:25x", EmailError::Character(':')),
    ] {
        assert_eq!(find_address(typed), Err(error), "{typed:?}");
    }
}

/// A space before and after a text forces the search. The result must be the same as without the spaces.
#[test]
fn a_plain_address_is_read_as_the_search_would() {
    for typed in [
        "ada@example.org",
        "Ada.Lovelace+vip@Mail.Example.CO.UK",
        "a@b",
        "a_b-c.@x.y",
        "1@2.3",
        "ada@exa_mple.org",
        "ada@-example.org",
        "ada@example.org.",
        ".ada@example.org",
        "_ada_@example.org",
        "a@b@c",
        "@b",
        "a@",
        "a%40b@c.d",
        "mailto:a@b.c",
        "zoë@example.org",
    ] {
        assert_eq!(find_address(typed), find_address(&format!(" {typed} ")), "{typed}");
    }
    assert!(plain_address("ada@example.org").is_some() && plain_address(" ada@example.org").is_none());
}
