"""Reads what a client sends, and collects all that is wrong with it in Discord's error tree.

The codes and sentences of field errors are those that Discord answers ("Reference", section
"Error Messages").
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bots.sandbox.errors import invalid_form

_LARGEST_SNOWFLAKE = (1 << 63) - 1


class Problems:
    """What is wrong with one request, by path (``embeds.0.title``)."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}

    def add(self, path: str, code: str, message: str) -> None:
        node = self.tree
        for step in filter(None, path.split(".")):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def check(self) -> None:
        """:raises ApiError: 50035, if anything was added"""
        if self.tree:
            raise invalid_form(self.tree)


class Form:
    """One JSON object of a request, read field by field; a wrong field reads as its default."""

    def __init__(self, body: Mapping[str, Any], problems: Problems, at: str = "") -> None:
        self._body = body
        self.problems = problems
        self.at = at

    def __contains__(self, key: str) -> bool:
        return key in self._body

    def names(self) -> list[str]:
        """The fields that are there and not null."""
        return [key for key, value in self._body.items() if value is not None]

    def given(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._body.get(key) is not None

    def raw(self, key: str) -> Any:
        return self._body.get(key)

    def path(self, key: str) -> str:
        return ".".join(filter(None, (self.at, key)))

    def wrong(self, key: str, code: str, message: str) -> None:
        self.problems.add(self.path(key), code, message)

    def require(self, *keys: str) -> None:
        for key in keys:
            if not self.given(key):
                self.wrong(key, "BASE_TYPE_REQUIRED", "This field is required")

    def text(self, key: str, *, least: int = 0, most: int, default: str = "") -> str:
        """A string of `least` to `most` characters."""
        value = self._body.get(key)
        if value is None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.wrong(key, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
            return default
        if len(value) < least:
            message = f"Must be between {least} and {most} in length."
            self.wrong(key, "BASE_TYPE_BAD_LENGTH", message)
        elif len(value) > most:
            self.wrong(key, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def optional_text(self, key: str, *, most: int) -> str | None:
        return self.text(key, most=most) if self.given(key) else None

    def integer(
        self, key: str, *, least: int | None = None, most: int | None = None, default: int = 0
    ) -> int:
        """A whole number between the bounds; digits in a string count."""
        value = self._body.get(key)
        if value is None:
            return default
        try:
            number = default if isinstance(value, bool | float) else int(value)
            readable = not isinstance(value, bool | float)
        except (TypeError, ValueError):
            number, readable = default, False
        if not readable:
            self.wrong(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif least is not None and number < least:
            message = f"int value should be greater than or equal to {least}."
            self.wrong(key, "NUMBER_TYPE_MIN", message)
        elif most is not None and number > most:
            message = f"int value should be less than or equal to {most}."
            self.wrong(key, "NUMBER_TYPE_MAX", message)
        return number

    def snowflake(self, key: str) -> int | None:
        """An id, as a string or as a number."""
        value = self._body.get(key)
        if value is None:
            return None
        found = snowflake(value)
        if found is None:
            self.wrong(key, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return found

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self._body.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.wrong(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
        return default

    def choice(self, key: str, choices: Collection[int], *, default: int) -> int:
        value = self.integer(key, default=default)
        if value not in choices:
            listed = ", ".join(map(str, choices))
            self.wrong(key, "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")
            return default
        return value

    def form(self, key: str) -> Form | None:
        """The object below `key`."""
        value = self._body.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return None
        return Form(value, self.problems, self.path(key))

    def items(self, key: str, *, most: int) -> list[Any]:
        value = self._body.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if len(value) > most:
            self.wrong(key, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def forms(self, key: str, *, most: int) -> Iterator[Form]:
        """The objects of the list below `key`."""
        for number, value in enumerate(self.items(key, most=most)):
            path = f"{self.path(key)}.{number}"
            if isinstance(value, Mapping):
                yield Form(value, self.problems, path)
            else:
                self.problems.add(
                    path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"
                )

    def snowflakes(self, key: str, *, most: int = 100) -> list[int]:
        found = []
        for number, value in enumerate(self.items(key, most=most)):
            one = snowflake(value)
            if one is None:
                path = f"{self.path(key)}.{number}"
                self.problems.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
            else:
                found.append(one)
        return found


def snowflake(value: object) -> int | None:
    """The id in `value`, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        return None
    number = int(value)
    return number if 0 <= number <= _LARGEST_SNOWFLAKE else None
