//! An organizer's Markdown as HTML. Raw HTML in it becomes text, only some elements are kept, and only links have
//! attributes; their addresses are absolute. So nothing in a description can run, load, send or look like the site's
//! own controls.

use askama::filters::{Html, escape};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use url::Url;

/// Lists in lists in quotations, and so on.
const DEPTH_MAX: usize = 12;
/// Where a link may lead.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Whether it nests deeper than anybody writes by hand.
#[must_use]
pub fn is_too_deep(markdown: &str) -> bool {
    let mut depth = 0_usize;
    parser(markdown).any(|event| {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH_MAX
    })
}

/// The HTML of a description.
#[must_use]
pub fn to_html(markdown: &str) -> String {
    let mut rendered = String::new();
    let mut links = Vec::new();
    html::push_html(&mut rendered, parser(markdown).filter_map(|event| adapted(event, &mut links)));
    rendered.trim().to_owned()
}

/// The text alone, for search engines.
#[must_use]
pub fn to_text(markdown: &str) -> String {
    let mut text = String::new();
    for event in parser(markdown) {
        match event {
            Event::Text(it) | Event::Code(it) | Event::Html(it) | Event::InlineHtml(it) => text.push_str(&it),
            Event::SoftBreak => text.push(' '),
            Event::HardBreak | Event::Rule => text.push('\n'),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock) => {
                text.push('\n');
            }
            _ => {}
        }
    }
    text.trim().to_owned()
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH)
}

/// Raw HTML becomes text, a picture its description, and headings stand below those of the page. `links`: for
/// each link that is open, whether it is kept.
fn adapted<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Heading { level, .. }) => {
            let (id, classes, attrs) = (None, Vec::new(), Vec::new());
            Event::Start(Tag::Heading { level: lowered(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lowered(level))),
        Event::Start(Tag::CodeBlock(_)) => Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)),
        Event::Start(Tag::List(Some(_))) => Event::Start(Tag::List(Some(1))),
        Event::Start(Tag::Link { dest_url, .. }) => {
            let start = link_start(&dest_url);
            links.push(start.is_some());
            Event::InlineHtml(start?.into())
        }
        Event::End(TagEnd::Link) => Event::InlineHtml(links.pop()?.then_some("</a>")?.into()),
        Event::Start(ref tag) => is_kept(tag.to_end()).then_some(event)?,
        Event::End(tag) => is_kept(tag).then_some(event)?,
        Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => event,
        _ => return None,
    })
}

fn is_kept(tag: TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
    )
}

/// The start tag of a link to an absolute web address or to an email address; `None` for all others.
fn link_start(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| SCHEMES.contains(&url.scheme()))?;
    let url = escape(url.as_str(), Html).ok()?;
    Some(format!("<a href=\"{url}\" rel=\"nofollow noopener ugc\">"))
}

fn lowered(level: HeadingLevel) -> HeadingLevel {
    if level == HeadingLevel::H1 || level == HeadingLevel::H2 { HeadingLevel::H3 } else { HeadingLevel::H4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_plain_elements() {
        for (markdown, html) in [
            ("Two **sets**, *one* night.", "<p>Two <strong>sets</strong>, <em>one</em> night.</p>"),
            ("# Line-up\n\n- Ada\n- Zoë", "<h3>Line-up</h3>\n<ul>\n<li>Ada</li>\n<li>Zoë</li>\n</ul>"),
            (
                "[Map](https://example.org/?a=1&b=2)",
                "<p><a href=\"https://example.org/?a=1&#38;b=2\" rel=\"nofollow noopener ugc\">Map</a></p>",
            ),
            ("![The band](https://example.org/x.png)", "<p>The band</p>"),
            ("a\nb", "<p>a\nb</p>"),
            ("### Deep\n\n#### Deeper", "<h4>Deep</h4>\n<h4>Deeper</h4>"),
        ] {
            assert_eq!(to_html(markdown), html, "{markdown}");
        }
        assert_eq!(to_text("# Line-up\n\n- **Ada**\n- Zoë"), "Line-up\nAda\nZoë");
    }

    #[test]
    fn nothing_in_it_runs_loads_or_sends() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<div hx-get=\"/admin/account\" hx-trigger=\"load\">x</div>",
            "<hx-partial hx-target=\"body\">x</hx-partial>",
            "<form action=\"/admin/reseed\" method=post><button>Win</button></form>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](//evil.example)",
            "[x](/admin/sign-out)",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<style>body{display:none}</style>",
            "<p class=\"button\" style=\"position:fixed\" id=\"main\">x</p>",
            "<svg/onload=alert(1)>",
            "<https://example.org/\" onmouseover=\"alert(1)>",
            "```\" onload=\"x\n</code><script>alert(1)</script>\n```",
            "![x](https://example.org/\" onerror=\"alert(1))",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
            "# x {#main .button onclick=x}",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        ] {
            let html = to_html(hostile);
            for tag in html.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap_or_default();
                let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
                assert!(
                    ["p", "h3", "a", "pre", "code", "em", "strong"].contains(&name),
                    "{hostile}: <{tag}> in {html}"
                );
                let is_plain = tag.trim_start_matches('/') == name
                    || tag.starts_with("a rel=")
                    || tag.starts_with("a href=\"http");
                assert!(is_plain, "{hostile}: <{tag}> in {html}");
            }
        }
    }

    #[test]
    fn only_what_nobody_writes_by_hand_is_too_deep() {
        assert!(!is_too_deep("> - a\n>   - b\n>     - c"));
        assert!(is_too_deep(&format!("{} x", ">".repeat(40))));
    }
}
