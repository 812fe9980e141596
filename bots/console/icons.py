"""Icons of our own drawing: strokes on a 24 by 24 grid, as inline SVG."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "parley": "M4 4h11v8H9l-3 3v-3H4z M18 9h2v8h-2v3l-3-3h-5v-2",
    "chat": "M4 5h16v11H10l-4 4v-4H4z M8 9h8 M8 12h5",
    "hash": "M9 4 7 20 M17 4l-2 16 M4 9h17 M3 15h17",
    "scroll": "M7 4h11v13a3 3 0 0 1-3 3H6a2 2 0 0 1-2-2v-2h8v2a2 2 0 0 0 2 2 M7 4a2 2 0 0 0-2 2v10"
    " M10 8h5 M10 12h5",
    "arrows": "M4 9h15l-4-4 M20 15H5l4 4",
    "megaphone": "M4 10v4h3l9 4V6l-9 4z M8 14l1 5h2l-1-4 M19 10v4",
    "thread": "M6 5v9a3 3 0 0 0 3 3h6 M6 7h9 M17 15l3 2-3 3 M18 7a2 2 0 1 1-3 0 2 2 0 0 1 3 0",
    "at": "M16 8v5a2.5 2.5 0 0 0 5 0v-1a9 9 0 1 0-4 7.5 M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0",
    "inbox": "M4 13 7 5h10l3 8v6H4z M4 13h5l1 3h4l1-3h5",
    "search": "M16 11a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0 M15 15l5 5",
    "chevron": "M6 9l6 6 6-6",
    "back": "M14 6l-6 6 6 6",
    "stop": "M8 3h8l5 5v8l-5 5H8l-5-5V8z M9.5 9.5l5 5 M14.5 9.5l-5 5",
    "play": "M7 5l12 7-12 7z",
    "members": "M12 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0 M3 20c0-4 2.5-6 6-6s6 2 6 6 M15 5.5a3 3 0 0 1 0 5"
    " M17 14.5c2.5.6 4 2.4 4 5.5",
    "menu": "M4 6h16 M4 12h16 M4 18h16",
    "close": "M6 6l12 12 M18 6 6 18",
    "check": "M4 12.5l5 5L20 6.5",
    "cross": "M6 6l12 12 M18 6 6 18",
    "eye": "M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6 M15 12a3 3 0 1 1-6 0 3 3 0 0"
    " 1 6 0",
    "smile": "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0 M8.5 14.5c1 1.5 2 2 3.5 2s2.5-.5 3.5-2"
    " M9 9.5v.5 M15 9.5v.5",
    "reply": "M10 6 4 11l6 5v-3c5 0 8 1 10 5 0-6-3-10-10-10z",
    "pencil": "M4 20l1-5L16 4l4 4L9 19z M14 6l4 4",
    "trash": "M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13 M10 11v5 M14 11v5",
    "clip": "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.5 17a1.7 1.7 0"
    " 0 1-2.4-2.4L14 7.5",
    "send": "M4 4l17 8-17 8 3-8z M7 12h14",
    "sun": "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0 M12 2v3 M12 19v3 M2 12h3 M19 12h3 M5 5l2 2 M17 17l2"
    " 2 M19 5l-2 2 M7 17l-2 2",
    "moon": "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5",
    "gear": "M15 12a3 3 0 1 1-6 0 3 3 0 0 1 6 0 M10 3h4l.6 2.7 2 1.2 2.7-.9 2 3.5-2.1"
    " 1.9v2.3l2.1 1.9-2 3.5-2.7-.9-2 1.2L14 22h-4l-.6-2.7-2-1.2-2.7.9-2-3.5"
    " 2.1-1.9v-2.3L2.7 9.5l2-3.5 2.7.9 2-1.2z",
    "hand": "M7 12V6.5a1.5 1.5 0 0 1 3 0V11 M10 11V4.5a1.5 1.5 0 0 1 3 0V11 M13 11V5.5a1.5"
    " 1.5 0 0 1 3 0V12 M16 12V8.5a1.5 1.5 0 0 1 3 0V15c0 4-3 6-6.5 6-3 0-4.5-1-6-4l-2.5-4"
    "c.8-1.5 2.3-1.2 3 0z",
    "timer": "M20 14a8 8 0 1 1-16 0 8 8 0 0 1 16 0 M12 10v4l2.5 1.5 M9 2h6",
    "unplug": "M9 15 4 20 M7 10l7 7 2-2a4 4 0 0 0 0-5l-2-2a4 4 0 0 0-5 0z M15 9l5-5 M5 5l2 2 M19"
    " 19l-2-2",
    "file": "M6 3h8l4 4v14H6z M14 3v4h4",
    "square": "M6 6h12v12H6z",
    "spark": "M12 3v4 M12 17v4 M3 12h4 M17 12h4 M5.6 5.6l2.8 2.8 M15.6 15.6l2.8 2.8"
    " M18.4 5.6l-2.8 2.8 M8.4 15.6l-2.8 2.8",
    "slash": "M15 5 9 19",
    "option": "M5 12h6 M15 12h4 M13 9v6",
    "help": "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0 M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1"
    " .9-1 1.7 M12 16.5v.3",
    "logout": "M10 4H5v16h5 M10 12h10l-4-4 M20 12l-4 4",
    "person": "M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0 M4 21c0-5 3-7 8-7s8 2 8 7",
    "again": "M20 12a8 8 0 1 1-2.5-5.8 M18 3v4h-4",
    "chart": "M4 20V4 M4 20h16 M8 16v-4 M12 16V8 M16 16v-6",
    # roles
    "agent": "M5 9h14v10H5z M12 9V5 M9 13v1.5 M15 13v1.5 M11 4h2",
    "crown": "M4 17 3 7l5 4 4-6 4 6 5-4-1 10z M4 20h16",
    "chip": "M7 7h10v10H7z M10 10h4v4h-4z M9 4v3 M15 4v3 M9 17v3 M15 17v3 M4 9h3 M4 15h3"
    " M17 9h3 M17 15h3",
    "code": "M8 7l-5 5 5 5 M16 7l5 5-5 5",
    "scales": "M12 4v16 M8 20h8 M5 7h14 M5 7l-3 7a3 3 0 0 0 6 0z M19 7l-3 7a3 3 0 0 0 6 0z",
    "lens": "M16 11a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0 M15 15l5 5 M8.5 11l1.5 1.5 2.5-3",
    "database": "M19 6c0 1.7-3 3-7 3S5 7.7 5 6s3-3 7-3 7 1.3 7 3 M5 6v12c0 1.7 3 3 7 3s7-1.3"
    " 7-3V6 M5 12c0 1.7 3 3 7 3s7-1.3 7-3",
    "coins": "M14 8a5 5 0 1 1-10 0 5 5 0 0 1 10 0 M15.5 10a5 5 0 1 1-5 5.5 M9 6v4",
    "quill": "M20 4c-7 0-12 4-13 13l-2 3 M7 17c6 0 9-2 10-6l-3-.5h4c1-2 2-4 2-6.5",
    "book": "M4 5c3-1 6-1 8 1 2-2 5-2 8-1v14c-3-1-6-1-8 1-2-2-5-2-8-1z M12 6v14",
    "soul": "M12 20s-8-4.5-8-10.5A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 8 2.5C20 15.5 12 20 12 20",
    "gauge": "M4 17a8 8 0 1 1 16 0 M12 15l4-5 M11 16h2",
    "translate": "M4 6h9 M8.5 4v2c0 4-2 7-5 8 M6 9c1 3 3 4.5 6 5 M12 20l4-10 4 10 M13.5 17h5",
    "thumb": "M7 11v9H4v-9z M7 11l4-7c2 0 2.5 1.5 2 3l-.7 3H19c1.5 0 2 1 1.7 2.5l-1.5 6c-.3"
    " 1-.8 1.5-2 1.5H7",
}

#: a word in an agent's name → its icon; the first that fits
_ROLES = (
    ("captain", "crown"),
    ("chief", "crown"),
    ("ceo", "crown"),
    ("lead", "chip"),
    ("architect", "chip"),
    ("soul", "soul"),
    ("skill", "book"),
    ("secretar", "quill"),
    ("audit", "scales"),
    ("review", "lens"),
    ("harvest", "database"),
    ("extract", "book"),
    ("buy", "coins"),
    ("treasur", "coins"),
    ("dev", "code"),
    ("engineer", "code"),
    ("ops", "gauge"),
    ("transl", "translate"),
)
#: emoji that every machine shows the same way, since we draw them
EMOJI = {
    "👀": "eye",
    "✅": "check",
    "❌": "cross",
    "👍": "thumb",
    "❤️": "soul",
    "❤": "soul",
    "✋": "hand",
    "⏳": "timer",
}
#: a word in a command's name → its icon
_COMMANDS = (
    ("kill", "stop"),
    ("restart", "again"),
    ("help", "help"),
    ("seen", "eye"),
    ("stats", "chart"),
    ("resume", "play"),
    ("stop", "square"),
    ("ask", "chat"),
    ("search", "search"),
    ("status", "gauge"),
    ("agents", "members"),
    ("summary", "quill"),
    ("audit", "scales"),
    ("whoami", "person"),
    ("model", "chip"),
    ("usage", "coins"),
    ("budget", "coins"),
    ("new", "spark"),
    ("compact", "book"),
)
_CHANNELS = (("log", "scroll"), ("inter-agent", "arrows"), ("announce", "megaphone"))


def icon(name: str, classes: str = "") -> Markup:
    """An ``<svg>`` that says nothing to a screen reader; its neighbour has the words."""
    path = _PATHS.get(name, _PATHS["agent"])
    html = f'<svg class="icon {classes}" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/>'
    return Markup(f"{html}</svg>")  # noqa: S704 - all parts are ours


def of_agent(name: str) -> str:
    """The icon of an agent by its name; the plain one for a name that says nothing."""
    return next((i for word, i in _ROLES if word in name.lower()), "agent")


def of_command(name: str) -> str:
    return next((i for word, i in _COMMANDS if word in name), "slash")


def of_channel(name: str) -> str:
    return next((i for word, i in _CHANNELS if word in name), "hash")
