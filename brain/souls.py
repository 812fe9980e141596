"""Souls: who an agent is, from `prompts/souls/NAME.md`.

A soul file begins with a front part between two lines of ``---`` that holds ``key: value``
lines: ``description`` (what the agent is for, one line) and ``introduction`` (how it presents
itself, in its own voice). The rest is the body, which a language model gets as part of its
system prompt.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from brain.errors import SoulMissing

_FENCE = "---"


@dataclass(frozen=True, kw_only=True)
class Soul:
    name: str
    #: what it is for, one line
    description: str
    #: how it answers "who are you", in its own voice
    introduction: str
    #: voice, duties and limits, Markdown
    body: str


def load(folder: Path, name: str) -> Soul:
    """The soul `name` in `folder`; raises `SoulMissing` with the nearest name or what is wrong
    with the file.
    """
    path = folder / f"{name}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        near = difflib.get_close_matches(name, names(folder), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SoulMissing(f"there is no readable soul {name!r} in {folder.name}{hint}") from None
    return parse(name, text)


def names(folder: Path) -> list[str]:
    """Names of all souls in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.md"))


def parse(name: str, text: str) -> Soul:
    """A soul from the text of its file; raises `SoulMissing` when the front part is not as it must
    be.
    """
    lines = text.strip().splitlines()
    if not lines or lines[0].strip() != _FENCE or _FENCE not in [x.strip() for x in lines[1:]]:
        raise SoulMissing(f"soul {name!r} must begin with a front part between two lines of ---")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == _FENCE)
    front = dict(_pair(name, line) for line in lines[1:end] if line.strip())
    body = "\n".join(lines[end + 1 :]).strip()
    for key in ("description", "introduction"):
        if not front.get(key):
            raise SoulMissing(f"soul {name!r} has no {key!r} in its front part")
    if not body:
        raise SoulMissing(f"soul {name!r} has nothing below its front part")
    return Soul(
        name=name,
        description=front["description"],
        introduction=front["introduction"],
        body=body,
    )


def _pair(name: str, line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon:
        raise SoulMissing(f"soul {name!r}: {line.strip()!r} is not 'key: value'")
    return key.strip(), value.strip()
