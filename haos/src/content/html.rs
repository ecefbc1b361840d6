//! HTML that is safe to show (specification, client-server API, "m.room.message msgtypes").

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::link::{SCHEMES, is_media, is_safe};
use super::tidy::{ATTRIBUTES, tags, tidied};

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<_, HashSet<_>> =
        ATTRIBUTES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect();
    let mut cleaner = Builder::empty();
    cleaner
        .tags(tags().collect())
        .clean_content_tags(["script", "style"].into())
        .tag_attributes(attributes)
        .url_schemes(SCHEMES.into_iter().chain(["mxc"]).collect())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener"))
        .attribute_filter(|tag, name, value| is_allowed(tag, name, value).then_some(Cow::Borrowed(value)));
    cleaner
});

/// Tells if an attribute may have a value.
fn is_allowed(tag: &str, name: &str, value: &str) -> bool {
    match (tag, name) {
        ("a", "href") => is_safe(value),
        ("img", "src") => is_media(value),
        ("img", "width" | "height") => value.parse::<u16>().is_ok(),
        ("ol", "start") => value.parse::<i32>().is_ok(),
        ("code", "class") => value.split_ascii_whitespace().all(|class| class.starts_with("language-")),
        (_, "data-mx-color" | "data-mx-bg-color") => is_color(value),
        _ => true,
    }
}

/// Tells if it is a colour as `#rrggbb`.
fn is_color(value: &str) -> bool {
    let digits = value.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes HTML safe to show; none if nothing is left.
pub(super) fn sanitized(html: &str) -> Option<String> {
    let clean = CLEANER.clean(&tidied(html)).to_string();
    (!clean.trim().is_empty()).then_some(clean)
}

/// Writes a plain text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            c => html.push(c),
        }
    }
    html
}
