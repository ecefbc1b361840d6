use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::Content;
use super::content;

fn html_of(formatted: &str) -> Option<String> {
    Content::Text { body: "plain <text>\nof it".to_owned(), formatted: Some(formatted.to_owned()) }.html()
}

/// What strangers may write.
const PIECES: [&str; 36] = [
    "<div>",
    "</div>",
    "<b>",
    "</b>",
    "<p>",
    "</p>",
    "<a href='https://x'>",
    "<a href=javascript:x onclick=x>",
    "</a>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<tbody>",
    "<caption>",
    "<ul>",
    "<li>",
    "</ul>",
    "<code class=x>",
    "</code>",
    "<pre>",
    "<details>",
    "<summary>",
    "<svg>",
    "</svg>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<br>",
    "<",
    "&lt;",
    "x",
    "<img src=mxc://x/y alt='>'",
    ">",
];

const PLAIN: &str = "plain &lt;text&gt;<br>of it";

#[test]
fn what_may_be_shown_stays() {
    for html in [
        "<h1>a</h1><h6>b</h6><blockquote><p>c</p></blockquote><hr><p>d<br>e</p>",
        "<del>a</del><sup>b</sup><sub>c</sub><b>d</b><i>e</i><u>f</u><strong>g</strong><em>h</em><s>i</s>",
        "<ul><li>a</li></ul><ol start=\"3\"><li>b</li></ol><div>c</div>",
        "<table><caption>t</caption><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
        "<pre><code class=\"language-rust\">let a = 1 &lt; 2;</code></pre>",
        "<span data-mx-color=\"#ff0000\">a</span><span data-mx-spoiler=\"why\">b</span>",
        "<details><summary>a</summary>b</details>",
        "<img src=\"mxc://example.org/a\" alt=\"a\" width=\"32\" height=\"32\">",
    ] {
        assert_eq!(html_of(html).as_deref(), Some(html));
    }
}

#[test]
fn links_lead_to_safe_schemes_alone() {
    for url in ["https://x.org/?a=b", "http://x.org", "ftp://x.org", "mailto:a@x.org", "magnet:?xt=a"] {
        let link = format!("<a href=\"{url}\" target=\"_top\" rel=\"opener\" onclick=\"x()\">a</a>");
        assert_eq!(html_of(&link), Some(format!("<a href=\"{url}\" rel=\"noopener\">a</a>")));
    }
    for url in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java&#10;script:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,<script>x</script>",
        "vbscript:x",
        "/x",
        "//x.org",
        "x",
        "#x",
        "mxc://x/y",
        "file:///etc/passwd",
        "",
    ] {
        assert_eq!(
            html_of(&format!("<a href='{url}'>a</a>")).as_deref(),
            Some("<a rel=\"noopener\">a</a>"),
            "{url}"
        );
    }
}

#[test]
fn what_may_harm_goes() {
    for (html, safe) in [
        ("<script>alert(1)</script>a", "a"),
        ("<SCRIPT SRC=//x>alert(1)</SCRIPT>a", "a"),
        ("a<style>*{display:none}</style>", "a"),
        ("<b onmouseover=alert(1) style='position:fixed' id=x class=y>a</b>", "<b>a</b>"),
        ("<img src=x onerror=alert(1)>", "<img>"),
        ("<img src=\"https://track.example.org/p.png\" alt=\"a\">", "<img alt=\"a\">"),
        ("<img src=\"mxc://x/y\" width=\"99999999\">", "<img src=\"mxc://x/y\">"),
        ("<iframe src=javascript:alert(1)>a</iframe>b", "ab"),
        ("<svg/onload=alert(1)><a xlink:href=\"javascript:x\">a</a></svg>b", "<a rel=\"noopener\">a</a>b"),
        ("<form action=/x><input><button>a</button></form>", "a"),
        (
            "<span data-mx-color=\"red;x:y\" data-mx-bg-color=\"#00ff00\">a</span>",
            "<span data-mx-bg-color=\"#00ff00\">a</span>",
        ),
        (
            "<code class=\"evil\">a</code><code class=\"language-x evil\">b</code>",
            "<code>a</code><code>b</code>",
        ),
        ("<ol start=\"x\"><li>a</li></ol>", "<ol><li>a</li></ol>"),
        ("<mx-reply><blockquote>q</blockquote></mx-reply>a", "a"),
        ("a<!-- <b>x</b> -->b", "ab"),
        ("<b>never ended", "<b>never ended</b>"),
        ("</b></div>a", "a"),
        ("1 < 2 && 3 > 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"),
        ("<a title='\"><script>x</script>'>a</a>", "<a rel=\"noopener\">a</a>"),
        ("<img alt='\"><script>x</script>'>", "<img alt=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;\">"),
    ] {
        assert_eq!(html_of(html).as_deref(), Some(safe), "{html}");
    }
}

#[test]
fn without_html_the_plain_text_is_escaped() {
    for html in ["<script>x</script>", " ", "<!-- -->", "<mx-reply>a</mx-reply>"] {
        assert_eq!(html_of(html).as_deref(), Some(PLAIN), "{html}");
    }
    let link = content("m.room.message", r#"{"msgtype":"m.text","body":"'https://x.org' & \"<b>\""}"#);
    assert_eq!(link.html().unwrap(), "&#39;https://x.org&#39; &amp; &quot;&lt;b&gt;&quot;");
    let caption = r#"{"msgtype":"m.image","body":"look","filename":"a.png","format":"org.matrix.custom.html",
        "formatted_body":"<i>look</i>"}"#;
    assert_eq!(content("m.room.message", caption).html().unwrap(), "<i>look</i>");
    assert_eq!(content("m.room.message", "{}").html(), None);
}

/// The deepest nesting of the elements of clean HTML.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in
        html.split('<').skip(1).filter(|tag| !["br", "hr", "img"].iter().any(|void| tag.starts_with(void)))
    {
        depth = if tag.starts_with('/') { depth - 1 } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    assert_eq!(depth, 0, "each element is ended");
    deepest
}

#[test]
fn depth_is_bounded_and_the_text_stays() {
    for tag in ["div", "b", "ul", "details", "blockquote"] {
        let nested = |depth: usize| {
            format!("{}a<br>{}b", format!("<{tag}>").repeat(depth), format!("</{tag}>").repeat(depth))
        };
        assert_eq!(html_of(&nested(99)).unwrap(), nested(99), "{tag}");
        let html = html_of(&nested(10_000)).unwrap();
        assert_eq!((depth(&html), html.contains('a'), html.ends_with('b')), (100, true, true), "{tag}");
    }
}

/// Each of them takes a parser of HTML seconds where its nesting is not bounded first, or once did.
#[test]
fn hostile_html_takes_no_time() {
    let mut attributes = String::from("<b ");
    for number in 0..10_000 {
        let _ = write!(attributes, "a{number}=1 ");
    }
    attributes.push('>');
    for html in [
        "<div>",
        "<b>",
        "<a href=https://x.org>",
        "<b><p>",
        "<a><div>",
        "<table>",
        "<table><tr><td>",
        "<div><table></div>",
        "<mx-reply>",
        "<svg>",
        "<li>",
        "<b></p>",
        "<b><p></b>",
        "<i><b></i>",
        "<div></b>",
        "<a '><div>",
        "<select><option>",
        "<!--><div>",
        "<",
        "<a ",
        "&",
        &attributes,
    ] {
        let begun = Instant::now();
        let html = html.repeat((65_000 / html.len()).max(1));
        assert!(depth(&html_of(&html).unwrap()) <= 100);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(15), "{took:?} for {}", &html[..20]);
    }
}

proptest! {
    #[test]
    fn any_tags_become_clean_html(
        tags in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..9), times in 1..60_usize,
    ) {
        let html = html_of(&tags.concat().repeat(times)).unwrap();
        for html in [html_of(&html).unwrap(), html] {
            prop_assert!(depth(&html) <= 100, "{}", depth(&html));
            for harm in ["<script", "javascript:", "onclick", "<!--", "<svg"] {
                prop_assert!(!html.contains(harm), "{harm} in {html}");
            }
        }
    }
}
