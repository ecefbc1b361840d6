//! Markdown, as people write it in chats.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

use super::link::{is_media, is_safe};

/// The deepest nesting. Each level is at most two elements of HTML, which ends at 100 (specification, client-server
/// API, "m.room.message msgtypes").
const MAX_DEPTH: usize = 50;

/// Writes Markdown as HTML. None if it is a plain text as it stands, or nested too deeply. HTML within it is text, a
/// new line stays one, and links lead only where [`is_safe`] lets them.
pub(super) fn formatted(markdown: &str) -> Option<String> {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let (mut events, mut kept_tags, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    let (mut is_plain, mut text) = (true, String::new());
    for event in Parser::new_ext(markdown, options) {
        match &event {
            Event::Start(_) if depth == MAX_DEPTH => return None,
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                text.push_str(&html);
                for line in html.split_inclusive('\n') {
                    events.push(Event::Text(line.trim_end_matches('\n').to_owned().into()));
                    if line.ends_with('\n') {
                        events.push(Event::HardBreak);
                    }
                }
            }
            Event::Text(part) => {
                text.push_str(&part);
                events.push(Event::Text(part));
            }
            Event::SoftBreak | Event::HardBreak => events.push(Event::HardBreak),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                is_plain = false;
                let is_kept = leads(&event);
                kept_tags.push(is_kept);
                events.extend(is_kept.then_some(event));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                events.extend(kept_tags.pop().unwrap_or_default().then_some(event));
            }
            event => {
                is_plain &= matches!(
                    event,
                    Event::Start(Tag::Paragraph | Tag::HtmlBlock)
                        | Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock)
                );
                events.push(event);
            }
        }
    }
    // A backslash or an entity stands for something else.
    if is_plain && visible(&text).eq(visible(markdown)) {
        return None;
    }
    let mut written = String::new();
    html::push_html(&mut written, events.into_iter());
    let written = written.trim_end();
    let alone = written.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    Some(alone.filter(|inner| !inner.contains("<p>")).unwrap_or(written).to_owned())
}

/// Tells if a link or a picture leads where it may.
fn leads(event: &Event<'_>) -> bool {
    match event {
        Event::Start(Tag::Image { dest_url, .. }) => is_media(dest_url),
        Event::Start(Tag::Link { dest_url, .. }) => is_safe(dest_url),
        _ => true,
    }
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for (markdown, html) in [
            ("**hi**", "<strong>hi</strong>"),
            ("~~no~~ *yes*\nand `<b>`", "<del>no</del> <em>yes</em><br />\nand <code>&lt;b&gt;</code>"),
            ("a\n\n**b**", "<p>a</p>\n<p><strong>b</strong></p>"),
            ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
            ("3. three", "<ol start=\"3\">\n<li>three</li>\n</ol>"),
            ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
            ("```rust\nfn x() {}\n```", "<pre><code class=\"language-rust\">fn x() {}\n</code></pre>"),
            ("[x](https://x.org)", "<a href=\"https://x.org\">x</a>"),
            ("<https://x.org>", "<a href=\"https://x.org\">https://x.org</a>"),
            ("\\*no\\*", "*no*"),
            ("[**x**](javascript:alert(1))", "<strong>x</strong>"),
            ("[![a](http://t/p.png)](https://x.org)", "<a href=\"https://x.org\">a</a>"),
            ("![a](mxc://x/y)", "<img src=\"mxc://x/y\" alt=\"a\" />"),
            ("*a* <script>x</script>", "<em>a</em> &lt;script&gt;x&lt;/script&gt;"),
        ] {
            assert_eq!(formatted(markdown).as_deref(), Some(html), "{markdown}");
        }
    }

    #[test]
    fn plain_texts_stay_plain() {
        for plain in [
            "hi",
            "two\nlines",
            "a\n\nb",
            "1 < 2 & 3 > 2",
            "<b>hi</b>",
            "<div>\nx\n</div>",
            "snake_case_name",
            "",
        ] {
            assert_eq!(formatted(plain), None, "{plain}");
        }
        assert_eq!(formatted(&"> ".repeat(30_000)), None, "too deep");
        assert_eq!(formatted(&"[".repeat(60_000)), None);
    }
}
