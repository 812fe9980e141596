"""Checks a message's embeds (Discord's documentation, "Embed Limits")."""

from __future__ import annotations

from typing import Any

from bots.sandbox.forms import Form

_MOST_EMBEDS = 10
_MOST_CHARACTERS = 6_000
_TEXTS = {"title": 256, "description": 4_096}


def read(form: Form) -> list[dict[str, Any]]:
    """The embeds of `form`, as they will be shown; what is wrong is added to its problems."""
    shown, characters = [], 0
    for embed in form.forms("embeds", most=_MOST_EMBEDS):
        one, size = _embed(embed)
        shown.append(one)
        characters += size
    if characters > _MOST_CHARACTERS:
        message = f"Embed size exceeds maximum size of {_MOST_CHARACTERS}"
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", message)
    return shown


def _embed(form: Form) -> tuple[dict[str, Any], int]:
    texts = {key: form.text(key, most=most) for key, most in _TEXTS.items() if form.given(key)}
    size = sum(map(len, texts.values()))
    shown: dict[str, Any] = {"type": "rich", **texts, **_links(form, ("url", "timestamp"))}
    if form.given("color"):
        shown["color"] = form.integer("color", least=0, most=0xFFFFFF)
    for key, inner, most in (("footer", "text", 2_048), ("author", "name", 256)):
        part = form.form(key)
        if part is not None:
            part.require(inner)
            text = part.text(inner, most=most)
            shown[key] = {inner: text} | _links(part, ("url", "icon_url"))
            size += len(text)
    for key in ("image", "thumbnail"):
        part = form.form(key)
        if part is not None:
            shown[key] = _links(part, ("url",))
    fields = [_field(f) for f in form.forms("fields", most=25)]
    if fields:
        shown["fields"] = fields
        size += sum(len(f["name"]) + len(f["value"]) for f in fields)
    return shown, size


def _field(form: Form) -> dict[str, Any]:
    form.require("name", "value")
    return {
        "name": form.text("name", most=256),
        "value": form.text("value", most=1_024),
        "inline": form.flag("inline"),
    }


def _links(form: Form, keys: tuple[str, ...]) -> dict[str, str]:
    return {key: form.text(key, most=2_048) for key in keys if form.given(key)}
