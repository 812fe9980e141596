"""Prompts as files: Jinja templates in `prompts/`, each with a version, every variable strict.

A file begins with a front part between two lines of ``---`` that says ``version: 3``. Templates run
in a sandbox that can change nothing. They are read once: an edit counts from the next start.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    meta,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from brain.errors import PromptMissing

_FRONT: Final = "---"
#: what an include may end with, so that it reads as the file's name
_SUFFIX: Final = ".md"
#: folders below the prompts' own that hold templates
_FOLDERS: Final = ("", "channels/")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A rendered template."""

    text: str
    name: str
    version: int
    #: sha256 over the sources it was made of: its own, and those of what it includes
    digest: str


@dataclass(frozen=True)
class _Source:
    version: int
    #: what is rendered
    body: str
    #: the whole file
    text: str


class Templates:
    """The templates of one folder, its ``*.md`` and ``channels/*.md``, by name without ``.md``."""

    def __init__(self, folder: Path) -> None:
        """Reads the files; one that cannot be read or used is found out when it is asked for."""
        self._texts = dict(_files(folder))
        self._sources: dict[str, _Source] = {}
        self._digests: dict[str, str] = {}
        # Prompts are no HTML: what is escaped, and how, is the fence's business.
        self._environment = ImmutableSandboxedEnvironment(
            loader=FunctionLoader(self._load),
            undefined=StrictUndefined,
            autoescape=False,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def names(self) -> list[str]:
        """Names of all templates, sorted."""
        return sorted(self._texts)

    def render(self, name: str, /, **data: Any) -> Prompt:
        """The template `name`, filled with `data`. Raises `PromptMissing`: with the nearest name
        when there is none, or what is wrong with it or missing for it.
        """
        source = self._source(name)
        digest = self._digest(name)
        try:
            text = self._environment.get_template(name).render(**data)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise _unusable(name, error) from None
        return Prompt(text=text.strip(), name=name, version=source.version, digest=digest)

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        return self._source(name.removesuffix(_SUFFIX)).body, name, lambda: True

    def _source(self, name: str) -> _Source:
        if name not in self._sources:
            text = self._texts.get(name)
            if text is None:
                near = difflib.get_close_matches(name, self._texts, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise PromptMissing(f"there is no readable prompt {name!r}{hint}")
            self._sources[name] = _parsed(name, text)
        return self._sources[name]

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            parts = sorted(self._parts(name, ()))
            texts = "\0".join(f"{part}\0{self._source(part).text}" for part in parts)
            self._digests[name] = hashlib.sha256(texts.encode()).hexdigest()
        return self._digests[name]

    def _parts(self, name: str, above: tuple[str, ...]) -> set[str]:
        """Names of the template and of everything that it includes."""
        if name in above:
            raise PromptMissing(f"prompt {name!r} includes itself: {' → '.join([*above, name])}")
        try:
            tree = self._environment.parse(self._source(name).body)
        except TemplateSyntaxError as error:
            raise _unusable(name, error) from None
        found = {name}
        for part in meta.find_referenced_templates(tree):
            if part is None:
                raise PromptMissing(f"prompt {name!r} must name what it includes in plain words")
            found |= self._parts(part.removesuffix(_SUFFIX), (*above, name))
        return found


def _files(folder: Path) -> Iterable[tuple[str, str]]:
    for inside in _FOLDERS:
        for path in sorted((folder / inside).glob(f"*{_SUFFIX}")):
            try:
                yield f"{inside}{path.stem}", path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue  # it counts as missing, which is said when it is asked for


def _parsed(name: str, text: str) -> _Source:
    lines = text.strip().splitlines()
    marks = [number for number, line in enumerate(lines) if line.strip() == _FRONT][:2]
    if len(marks) < 2 or marks[0] != 0:
        raise PromptMissing(f"prompt {name!r} must begin with a front part between lines of ---")
    pairs = [line.partition(":") for line in lines[1 : marks[1]] if line.strip()]
    front = {key.strip(): value.strip() for key, _, value in pairs}
    version = front.get("version", "")
    if not version.isascii() or not version.isdecimal():
        raise PromptMissing(f"prompt {name!r} needs 'version: NUMBER' in its front part")
    return _Source(version=int(version), body="\n".join([*lines[marks[1] + 1 :], ""]), text=text)


def _unusable(name: str, error: Exception) -> PromptMissing:
    if isinstance(error, UndefinedError):
        return PromptMissing(f"prompt {name!r} asks for something that nobody gives: {error}")
    line = ""
    if isinstance(error, TemplateSyntaxError):
        line = f", line {error.lineno} below its front part,"
    return PromptMissing(f"prompt {name!r}{line} cannot be used: {error}")
