from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console import markdown
from bots.console.markdown import Names, begun, ended, plain, render, typed

NAMES = Names(
    user=lambda i: {1: "you", 2: "cap<b>"}.get(i, ""),
    channel=lambda i: {5: "lobby"}.get(i, ""),
    role=lambda i: {7: "operators"}.get(i, ""),
    me=1,
)
LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("hello", "<p>hello</p>"),
        ("**bold** *it* _it_ __un__ ~~no~~", None),
        ("a\nb", "<p>a<br>b</p>"),
        ("2 * 3 * 4 snake_case_name", "<p>2 * 3 * 4 snake_case_name</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("`<b> **x**`", "<p><code>&lt;b&gt; **x**</code></p>"),
        ("```py\na < b\n```", "<pre><code>a &lt; b</code></pre>"),
        ("see\n```\nx\n```\nend", "<p>see</p><pre><code>x</code></pre><p>end</p>"),
        ("> said\n> so", "<blockquote>said<br>so</blockquote>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("## Title", "<strong class='heading'>Title</strong>"),
        ("-# by **night**\n-# shift", "<small>by <strong>night</strong><br>shift</small>"),
        ("- a\n-# b\n-#c", "<ul><li>a</li></ul><small>b</small><p>-#c</p>"),
        ("<@1>", '<p><span class="mention me">@you</span></p>'),
        ("<@!2>", '<p><span class="mention">@cap&lt;b&gt;</span></p>'),
        ("<@99>", '<p><span class="mention">@somebody</span></p>'),
        ("<@&7>", '<p><span class="mention">@operators</span></p>'),
        ("<#5>", '<p><a class="mention" data-channel="5" href="/c/5">#lobby</a></p>'),
        ("<:tick:123>", "<p>:tick:</p>"),
        ("\ue0000\ue001", "<p>0</p>"),
    ],
)
def test_what_people_write_is_marked_up_and_nothing_else(text: str, html: str | None) -> None:
    if html is None:
        expected = "<strong>bold</strong> <em>it</em> <em>it</em> <u>un</u> <s>no</s>"
        html = f"<p>{expected}</p>"
    assert render(text, NAMES) == html


@pytest.mark.parametrize(
    ("text", "url", "rest"),
    [
        ("https://a.example/x_y_z.", "https://a.example/x_y_z", "."),
        ("(https://a.example/)", "https://a.example/", ")"),
        ("<https://a.example/?a=1&b=2>", "https://a.example/?a=1&amp;b=2", ""),
        ('"https://a.example"', "https://a.example", "&quot;"),
    ],
)
def test_links_end_where_people_mean_them_to(text: str, url: str, rest: str) -> None:
    html = render(text, NAMES)
    assert f'<a href="{url}" {LINK}>{url}</a>{rest}' in html


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "[x](javascript:alert(1))", "data:text/html,x"]
)
def test_other_schemes_are_no_links(text: str) -> None:
    assert "<a" not in render(text, NAMES)


def test_a_named_link_keeps_its_label() -> None:
    html = render("[the **report**](https://a.example/r)", NAMES)
    assert html == f'<p><a href="https://a.example/r" {LINK}>the **report**</a></p>'


TAGS = re.compile(r"</?(?:p|br|strong|em|small|u|s|code|pre|blockquote|ul|li|span|a|time)\b[^<>]*>")
TEXTS = st.text(
    st.sampled_from(list("ab<>&\"'`*_~#@-[]()\n \ue000\ue001\ue0021:/")) | st.characters(),
    max_size=80,
) | st.lists(
    st.sampled_from(
        [
            "```",
            "`",
            "**",
            "*",
            "__",
            "> ",
            "- ",
            "-# ",
            "<@1>",
            "<#5>",
            "https://x.y/",
            "<b onclick=x>",
            "[a](https://x.y)",
            "\n",
            " ",
            "word",
            "<t:1:R>",
            "&lt;",
            "\ue0001\ue001",
        ]
    ),
    max_size=14,
).map("".join)


DRAWN = st.tuples(TEXTS, st.booleans()).map(
    lambda drawn: (
        ended(begun(drawn[0], NAMES), "<span>…</span>", in_code=drawn[1])
        if drawn[1]
        else render(drawn[0], NAMES)
    )
)


@given(DRAWN)
def test_no_text_becomes_a_tag_that_is_not_ours(html: str) -> None:
    left = TAGS.sub("", html)
    assert "<" not in left
    assert ">" not in left
    assert not re.search(r"<[^>]*\son\w+=", html)


@given(DRAWN)
def test_tags_are_closed(html: str) -> None:
    for tag in ("p", "pre", "code", "ul", "small", "blockquote", "a", "span"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>"), tag


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("so far", "<p>so far#</p>"),
        ("see\n```py\na = 1", "<p>see</p><pre><code>a = 1#</code></pre>"),
        ("```py", "<pre><code>#</code></pre>"),
        ("```\na\n```\nand", "<pre><code>a</code></pre><p>and#</p>"),
        ("- one", "<ul><li>one#</li></ul>"),
        ("> said", "<blockquote>said#</blockquote>"),
        ("## Title", "<strong class='heading'>Title#</strong>"),
        ("-# small", "<small>small#</small>"),
        ("`code`", "<p><code>code</code>#</p>"),
        ("", "<p>#</p>"),
    ],
)
def test_what_is_begun_has_its_mark_behind_the_last_letter(text: str, html: str) -> None:
    assert ended(begun(text, NAMES), "#", in_code=True) == html


def test_a_mark_that_is_no_code_stands_below_it() -> None:
    html = ended(render("```\na\n```", NAMES), "#", in_code=False)
    assert html == "<pre><code>a</code></pre><p>#</p>"


def test_quotes_and_edits_show_names() -> None:
    text = "<@1> see <#5> `x` **now**\nplease"
    assert plain(text, NAMES) == "@you see #lobby x now please"
    assert plain("so\n-# small", NAMES) == "so small"
    assert typed(text, NAMES) == "@you see #lobby `x` **now**\nplease"
    assert typed("<@99>", NAMES) == "<@99>"


def test_a_time_that_no_calendar_has_is_shown_as_it_is() -> None:
    assert markdown.render("<t:99999999999>", NAMES)
