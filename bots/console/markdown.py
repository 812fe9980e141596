"""Discord's markdown, the part that people use, as safe HTML. Pure.

Everything is escaped before anything is marked up, so that no text can become a tag: bold, italics,
underline, strike-through, spoilers left as text, code, fences, quotes, lists, headings, links,
small print,
mentions, time stamps. Source: Discord's "Markdown Text 101" and "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

_FENCE = re.compile(r"```(?:([A-Za-z0-9_+.#-]*)\n)?(.*?)```", re.DOTALL)
_CODE = re.compile(r"(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
#: a place holder for what is finished: private-use characters that no text keeps
_HELD = re.compile("\ue000(\\d+)[\ue001\ue002]")
_BLOCK = re.compile("\ue000\\d+\ue002")
_LINK = re.compile(
    r"&lt;(https?://[^\s<>]+?)&gt;|(https?://(?:(?!&(?:quot|lt|gt|#x27);)[^\s<>\ue000])+)"
)
_NAMED_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()<>]+)\)")
_MENTION = re.compile(r"&lt;(@!?|@&amp;|#)(\d{1,20})&gt;")
_EMOJI = re.compile(r"&lt;a?:(\w{1,32}):\d{1,20}&gt;")
_STAMP = re.compile(r"&lt;t:(-?\d{1,11})(?::([tTdDfFR]))?&gt;")
_INLINE = (
    (re.compile(r"\*\*\*(?=\S)(.+?)(?<=\S)\*\*\*", re.DOTALL), r"<strong><em>\1</em></strong>"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", re.DOTALL), r"<strong>\1</strong>"),
    (re.compile(r"__(?=\S)(.+?)(?<=\S)__", re.DOTALL), r"<u>\1</u>"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.DOTALL), r"<s>\1</s>"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])(.+?)(?<=[^\s_])_(?![\w_])"), r"<em>\1</em>"),
)
_BULLET = re.compile(r"^\s{0,4}[-*] +(.*)$")
_HEADING = re.compile(r"^(#{1,3}) +(.+)$")
_SMALL = re.compile(r"^-# +(.+)$")
_FENCE_MARK = "```"
#: what may stand behind the last letter
_ENDS = re.compile(r"(?:</code></pre>|</p>|</li></ul>|</blockquote>|</strong>|</small>)?$")
_TRAIL = ".,;:!?'"


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids in a text stand for; each answers an empty text for whom it does not know."""

    user: Callable[[int], str]
    channel: Callable[[int], str]
    role: Callable[[int], str]
    #: the person who reads: mentions of them are marked
    me: int = 0


def render(text: str, names: Names) -> str:
    """HTML of one message's text."""
    held: list[str] = []

    def hold(html: str) -> str:
        held.append(html)
        return f"\ue000{len(held) - 1}\ue001"

    def fence(found: re.Match[str]) -> str:
        body = escape(found[2].strip("\n"))
        block = hold(f"<pre><code>{body}</code></pre>").replace("\ue001", "\ue002")
        return f"\n{block}\n"

    text = re.sub("[\ue000-\ue002]", "", text)
    text = _FENCE.sub(fence, text)
    text = _CODE.sub(lambda m: hold(f"<code>{escape(m[2].strip())}</code>"), text)
    text = _inline(escape(text), names, hold)
    return _unhold(_blocks(text), held)


def begun(text: str, names: Names) -> str:
    """HTML of a text of which more is to come: a fence that is open is drawn as code."""
    open_fence = text.count(_FENCE_MARK) % 2
    return render(f"{text}\n{_FENCE_MARK}" if open_fence else text, names)


def ended(html: str, mark: str, *, in_code: bool) -> str:
    """HTML of a message with `mark`, HTML too, behind its last letter; behind a block of code
    unless it may stand `in_code`.
    """
    if html.endswith("</pre>") and not in_code:
        return f"{html}<p>{mark}</p>"
    return _ENDS.sub(lambda found: mark + found[0], html, count=1) if html else f"<p>{mark}</p>"


def plain(text: str, names: Names) -> str:
    """The same text in one line without mark-up, for a quote or a label."""
    text = re.sub(r"<@!?(\d+)>", lambda m: "@" + (names.user(int(m[1])) or "somebody"), text)
    text = re.sub(r"<#(\d+)>", lambda m: "#" + (names.channel(int(m[1])) or "channel"), text)
    return " ".join(re.sub(r"(?m)```\w*|[*_~`]{1,2}|^-# +", "", text).split())


def typed(text: str, names: Names) -> str:
    """The text as a person would type it: names in place of the ids of mentions."""

    def user(found: re.Match[str]) -> str:
        name = names.user(int(found[1]))
        return f"@{name}" if name else found[0]

    def channel(found: re.Match[str]) -> str:
        name = names.channel(int(found[1]))
        return f"#{name}" if name else found[0]

    return re.sub(r"<#(\d+)>", channel, re.sub(r"<@!?(\d+)>", user, text))


def _inline(text: str, names: Names, hold: Callable[[str], str]) -> str:
    """Mentions and links are held back first, so that their insides stay as they are."""
    text = _MENTION.sub(lambda m: hold(_mention(m[1], int(m[2]), names)), text)
    text = _EMOJI.sub(r":\1:", text)
    text = _STAMP.sub(lambda m: hold(_stamp(int(m[1]), m[2] or "")), text)
    text = _NAMED_LINK.sub(lambda m: hold(_link(m[2], m[1])), text)

    def link(found: re.Match[str]) -> str:
        url = found[1] or found[2]
        kept = url.rstrip(_TRAIL)
        if kept.endswith(")") and "(" not in kept:
            kept = kept[:-1]
        return hold(_link(kept, kept)) + url[len(kept) :]

    text = _LINK.sub(link, text)
    for pattern, html in _INLINE:
        text = pattern.sub(html, text)
    return text


def _link(url: str, label: str) -> str:
    # both are escaped already
    return f'<a href="{url}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'


def _mention(kind: str, number: int, names: Names) -> str:
    if kind == "#":
        name = names.channel(number)
        if not name:
            return '<span class="mention">#unknown</span>'
        return f'<a class="mention" data-channel="{number}" href="/c/{number}">#{escape(name)}</a>'
    if kind == "@&amp;":
        return f'<span class="mention">@{escape(names.role(number) or "role")}</span>'
    me = " me" if number == names.me else ""
    return f'<span class="mention{me}">@{escape(names.user(number) or "somebody")}</span>'


def _stamp(seconds: int, style: str) -> str:
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return escape(str(seconds))
    how = {"R": "relative", "t": "short", "T": "seconds"}.get(style, "long")
    return f'<time datetime="{at.isoformat()}" data-{how}>{at:%Y-%m-%d %H:%M} UTC</time>'


def _blocks(text: str) -> str:
    """Lines as quotes, lists, headings or plain lines."""
    out: list[str] = []
    for kind, lines in _runs(text.split("\n")):
        if kind == "quote":
            out.append(f"<blockquote>{'<br>'.join(lines)}</blockquote>")
        elif kind == "list":
            out.append("<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>")
        elif kind == "small":
            out.append(f"<small>{'<br>'.join(lines)}</small>")
        elif kind == "heading":
            out.extend(f"<strong class='heading'>{line}</strong>" for line in lines)
        elif kind == "held":
            out.extend(lines)
        else:
            out.append(f"<p>{'<br>'.join(lines)}</p>")
    return "".join(out)


def _runs(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Neighbouring lines of one kind together; empty lines around blocks are dropped."""
    runs: list[tuple[str, list[str]]] = []
    for line in lines:
        kind, shown = _kind_of(line)
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(shown)
        else:
            runs.append((kind, [shown]))
    kept: list[tuple[str, list[str]]] = []
    for kind, group in runs:
        shown_lines = group
        if kind == "plain":
            while shown_lines and not shown_lines[0].strip():
                shown_lines = shown_lines[1:]
            while shown_lines and not shown_lines[-1].strip():
                shown_lines = shown_lines[:-1]
        if shown_lines:
            kept.append((kind, shown_lines))
    return kept


def _kind_of(line: str) -> tuple[str, str]:
    if _BLOCK.fullmatch(line):
        return "held", line
    if line.startswith("&gt; "):
        return "quote", line[5:]
    if found := _BULLET.match(line):
        return "list", found[1]
    if found := _HEADING.match(line):
        return "heading", found[2]
    if found := _SMALL.match(line):
        return "small", found[1]
    return "plain", line


def _unhold(text: str, held: list[str]) -> str:
    # what is held may hold something itself: a link's label
    while _HELD.search(text):
        text = _HELD.sub(lambda m: held[int(m[1])], text)
    return text
