//! HTML in order, before it is parsed: a parser takes time that grows with the square of the nesting, and strangers
//! nest ten thousand deep.

use super::fallback::strip_html;

/// The deepest nesting of elements (specification, client-server API, "m.room.message msgtypes").
const MAX_DEPTH: usize = 100;

/// The elements that may be shown.
const TAGS: &str = "del h1 h2 h3 h4 h5 h6 blockquote p a ul ol sup sub li b i u strong em s code hr br div table thead \
                    tbody tr th td caption pre span img details summary";

/// Returns the names of the elements that may be shown.
pub(super) fn tags() -> impl Iterator<Item = &'static str> {
    TAGS.split(' ')
}

/// The attributes that may stay.
pub(super) const ATTRIBUTES: [(&str, &[&str]); 5] = [
    ("span", &["data-mx-bg-color", "data-mx-color", "data-mx-spoiler"]),
    ("a", &["href"]),
    ("img", &["width", "height", "alt", "title", "src"]),
    ("ol", &["start"]),
    ("code", &["class"]),
];

/// Puts HTML in order: it keeps the elements and attributes that may be shown, ends each element within the one that
/// it began in, and nests them at most 100 deep. Of the other elements the text stays; scripts, styles and quotes go.
pub(super) fn tidied(html: &str) -> String {
    let mut tidy = Tidy::default();
    let html = strip_html(html);
    let mut rest = &*html;
    while let Some(at) = rest.find('<') {
        tidy.out.push_str(&rest[..at]);
        rest = tidy.markup(&rest[at..]);
    }
    tidy.out.push_str(rest);
    tidy.out
}

#[derive(Default)]
struct Tidy {
    out: String,
    open: Vec<&'static str>,
    depth: usize,
}

impl Tidy {
    /// Takes what begins with `<`, and returns what follows.
    fn markup<'h>(&mut self, html: &'h str) -> &'h str {
        match html.as_bytes() {
            [_, b'!' | b'?', ..] => after(html, if html.starts_with("<!--") { "-->" } else { ">" }),
            [_, b'/', first, ..] if first.is_ascii_alphabetic() => {
                let Some((tag, rest)) = Tag::read(&html[2..]) else { return "" };
                self.end(&tag.name);
                rest
            }
            [_, b'/', ..] => after(html, ">"),
            [_, first, ..] if first.is_ascii_alphabetic() => {
                let Some((tag, rest)) = Tag::read(&html[1..]) else { return "" };
                match &*tag.name {
                    "script" => after_raw(rest, "</script"),
                    "style" => after_raw(rest, "</style"),
                    _ => {
                        self.start(&tag);
                        rest
                    }
                }
            }
            _ => {
                self.out.push_str("&lt;");
                &html[1..]
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let Some(name) = tags().find(|name| *name == tag.name) else { return };
        while let Some(last) = self.open.pop_if(|last| implied_ends(name).contains(last)) {
            self.depth -= weight(last);
        }
        if self.depth + weight(name) > MAX_DEPTH {
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        let allowed = ATTRIBUTES.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, allowed)| allowed);
        let mut written = Vec::new();
        for (name, value) in &tag.attributes {
            let allowed = allowed.iter().find(|allowed| allowed.eq_ignore_ascii_case(name));
            // Of several with one name the first counts.
            if let Some(name) = allowed.filter(|name| !written.contains(name)) {
                written.push(name);
                self.out.extend([" ", name, "=\"", &value.replace('"', "&quot;"), "\""]);
            }
        }
        self.out.push('>');
        if !matches!(name, "br" | "hr" | "img") {
            self.open.push(name);
            self.depth += weight(name);
        }
    }

    fn end(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| *open == name) else { return };
        for open in self.open.split_off(at).into_iter().rev() {
            self.depth -= weight(open);
            self.out.extend(["</", open, ">"]);
        }
    }
}

/// How many levels an element takes: a parser puts the missing `tbody` and `tr` into a table.
fn weight(name: &str) -> usize {
    if name == "table" { 3 } else { 1 }
}

/// The elements that end where another begins within them.
fn implied_ends(name: &str) -> &'static [&'static str] {
    match name {
        "li" => &["li", "p"],
        "td" | "th" => &["td", "th", "p"],
        "tr" => &["tr", "td", "th", "p"],
        "tbody" | "thead" => &["tbody", "thead", "tr", "td", "th", "caption", "p"],
        "p" | "div" | "ul" | "ol" | "blockquote" | "pre" | "table" | "hr" | "details" | "summary" | "h1"
        | "h2" | "h3" | "h4" | "h5" | "h6" => &["p"],
        _ => &[],
    }
}

/// A tag: its name in lower case, and its attributes as they are written.
struct Tag<'h> {
    name: String,
    attributes: Vec<(&'h str, &'h str)>,
}

impl<'h> Tag<'h> {
    /// Reads a tag from its name on, and returns what follows; none if it never ends (HTML standard, "Tokenization").
    fn read(html: &'h str) -> Option<(Self, &'h str)> {
        let (name, mut rest) = until(html, |c| is_space(c) || matches!(c, '/' | '>'));
        let mut tag = Self { name: name.to_ascii_lowercase(), attributes: Vec::new() };
        loop {
            rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
            let first = rest.chars().next()?;
            if first == '>' {
                return Some((tag, &rest[1..]));
            }
            // A name may begin with `=`, or with any other character.
            let (_, more) = rest.split_at(first.len_utf8());
            let (_, after) = until(more, |c| is_space(c) || matches!(c, '/' | '>' | '='));
            let name = &rest[..rest.len() - after.len()];
            let value;
            (value, rest) = Self::value(after.trim_start_matches(is_space));
            tag.attributes.push((name, value));
        }
    }

    /// Reads the value of an attribute, which may have none.
    fn value(html: &'h str) -> (&'h str, &'h str) {
        let Some(html) = html.strip_prefix('=') else { return ("", html) };
        let html = html.trim_start_matches(is_space);
        for quote in ['"', '\''] {
            if let Some(html) = html.strip_prefix(quote) {
                return html.split_once(quote).unwrap_or((html, ""));
            }
        }
        until(html, |c| is_space(c) || c == '>')
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn until(html: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    html.split_at(html.find(is_end).unwrap_or(html.len()))
}

/// Returns what follows `end`.
fn after<'h>(html: &'h str, end: &str) -> &'h str {
    html.split_once(end).map_or("", |(_, rest)| rest)
}

/// Returns what follows an end tag, of which `end` is the beginning in lower case.
fn after_raw<'h>(html: &'h str, end: &str) -> &'h str {
    let bytes = html.as_bytes().windows(end.len());
    let at = bytes.into_iter().position(|bytes| bytes.eq_ignore_ascii_case(end.as_bytes()));
    at.map_or("", |at| after(&html[at..], ">"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_end_where_they_began() {
        for (html, expected) in [
            ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
            ("</b>x</p>", "x"),
            ("<ul><li>a<li><p>b<li>c</ul>d", "<ul><li>a<li><p>b<li>c</li></ul>d"),
            ("<div><p>a</div>b", "<div><p>a</p></div>b"),
            ("<div><p>a</p></div>b", "<div><p>a</p></div>b"),
            ("<table><tr><td>a<td>b<tr><td>c</table>", "<table><tr><td>a<td>b<tr><td>c</td></tr></table>"),
            ("<B CLASS=x>a</B >", "<b>a</b>"),
            ("<br/><hr><img src=mxc://x/y>", "<br><hr><img src=\"mxc://x/y\">"),
        ] {
            assert_eq!(tidied(html), expected, "{html}");
        }
    }

    #[test]
    fn tags_are_read_as_browsers_read_them() {
        for (html, expected) in [
            ("<a href='x>y' title=\">\">a", "<a href=\"x>y\">a"),
            ("<a href=\"a\" href=\"b\">a", "<a href=\"a\">a"),
            ("<a HREF = x\"y>a", "<a href=\"x&quot;y\">a"),
            ("<a '><b>'>a", "<a><b>'>a"),
            ("<a =x href=y>a", "<a href=\"y\">a"),
            ("<a é=x/href>a", "<a>a"),
            ("<a href=>a", "<a href=\"\">a"),
            ("<a/href=x/y>a", "<a href=\"x/y\">a"),
            ("a<a href=\"never ended>b", "a"),
            ("a<b", "a"),
            ("a < b <3 <> <", "a &lt; b &lt;3 &lt;> &lt;"),
            ("</>a</ b>c", "ac"),
            ("<!-- <b> -->a<!doctype x>b<?x?>c<!--", "abc"),
            ("<script>if (a<b) '</b>'</SCRIPT >a<style>b", "a"),
            ("<custom-tag a=b>a</custom-tag><iframe>b", "ab"),
        ] {
            assert_eq!(tidied(html), expected, "{html}");
        }
    }
}
