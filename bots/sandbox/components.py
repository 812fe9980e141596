"""Checks buttons, selects and text inputs, and finds them again when somebody uses one.

Source: Discord's documentation, "Component Reference".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

from bots.sandbox.forms import Form


class ComponentType(IntEnum):
    """The components by Discord's numbers; the ones from 9 on are layout."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18


SELECTS = frozenset({3, 5, 6, 7, 8})
LINK_STYLE = 5
_LAYOUT = frozenset({9, 10, 11, 12, 13, 14, 17})
_MOST_ROWS = 5
_MOST_LAYOUT = 40
_ROW_WIDTH = 5


def of_message(form: Form, *, layout: bool) -> list[dict[str, Any]]:
    """The components of a message form; `layout`: whether it carries IS_COMPONENTS_V2."""
    most = _MOST_LAYOUT if layout else _MOST_ROWS
    allowed = {ComponentType.ACTION_ROW, *(_LAYOUT if layout else ())}
    shown = [_component(part, allowed) for part in form.forms("components", most=most)]
    _check_custom_ids(form, shown)
    return _numbered(shown)


def of_modal(form: Form) -> list[dict[str, Any]]:
    """The components of a modal: rows or labels with an input each."""
    allowed = {ComponentType.ACTION_ROW, ComponentType.LABEL, ComponentType.TEXT_DISPLAY}
    shown = [_component(p, allowed) for p in form.forms("components", most=_MOST_ROWS)]
    if not shown:
        form.wrong("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    _check_custom_ids(form, shown)
    return _numbered(shown)


def _component(form: Form, allowed: Iterable[int]) -> dict[str, Any]:
    form.require("type")
    kind = form.choice("type", sorted(allowed), default=ComponentType.ACTION_ROW)
    shown = {key: form.raw(key) for key in form.names()} | {"type": kind}
    match kind:
        case ComponentType.ACTION_ROW:
            shown["components"] = _row(form)
        case ComponentType.BUTTON:
            _check_button(form)
        case ComponentType.TEXT_INPUT:
            form.require("custom_id", "style")
            form.choice("style", (1, 2), default=1)
            form.text("value", most=4_000)
        case ComponentType.TEXT_DISPLAY:
            form.require("content")
            form.text("content", least=1, most=4_000)
        case ComponentType.LABEL:
            form.require("label", "component")
            form.text("label", least=1, most=45)
            inner = form.form("component")
            if inner is not None:
                inputs = {ComponentType.TEXT_INPUT, *SELECTS}
                shown["component"] = _component(inner, inputs)
        case _ if kind in SELECTS:
            _check_select(form)
        case _:
            shown |= _layout(form)
    if form.given("custom_id"):
        form.text("custom_id", least=1, most=100)
    return shown


def _row(form: Form) -> list[dict[str, Any]]:
    inside = {ComponentType.BUTTON, ComponentType.TEXT_INPUT, *SELECTS}
    shown = [_component(part, inside) for part in form.forms("components", most=_ROW_WIDTH)]
    wide = [c for c in shown if c["type"] != ComponentType.BUTTON]
    if not shown:
        form.wrong("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    elif wide and len(shown) > 1:
        message = "The specified component exceeds the maximum width"
        form.wrong("components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)
    return shown


def _layout(form: Form) -> dict[str, Any]:
    """What lies in a container or section."""
    shown: dict[str, Any] = {}
    if form.given("components"):
        inside = {ComponentType.ACTION_ROW, *_LAYOUT}
        shown["components"] = [
            _component(part, inside) for part in form.forms("components", most=_MOST_LAYOUT)
        ]
    accessory = form.form("accessory")
    if accessory is not None:
        inside = {ComponentType.BUTTON, ComponentType.THUMBNAIL}
        shown["accessory"] = _component(accessory, inside)
    return shown


def _check_button(form: Form) -> None:
    form.require("style")
    style = form.choice("style", (1, 2, 3, 4, 5, 6), default=1)
    form.text("label", most=80)
    if style == LINK_STYLE:
        form.require("url")
        form.text("url", most=512)
        if form.given("custom_id"):
            message = "A custom id and url cannot both be specified"
            form.wrong("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
        return
    if not form.given("custom_id"):
        form.wrong("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id required")
    if not form.given("label") and not form.given("emoji"):
        message = "A label or emoji is required"
        form.wrong("", "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", message)


def _check_select(form: Form) -> None:
    form.require("custom_id")
    form.text("placeholder", most=150)
    form.integer("min_values", least=0, most=25, default=1)
    form.integer("max_values", least=1, most=25, default=1)
    if form.raw("type") != ComponentType.STRING_SELECT:
        return
    form.require("options")
    seen = set()
    for option in form.forms("options", most=25):
        option.require("label", "value")
        option.text("label", least=1, most=100)
        value = option.text("value", least=1, most=100)
        option.text("description", most=100)
        if value in seen:
            message = "The specified option value is already used"
            option.wrong("value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        seen.add(value)


def each(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, the ones inside others too."""
    for component in components:
        yield component
        yield from each(component.get("components") or ())
        yield from each(c for c in (component.get("accessory"), component.get("component")) if c)


def by_custom_id(components: Iterable[dict[str, Any]], custom_id: object) -> dict[str, Any] | None:
    """The component that carries `custom_id` and can be used."""
    for component in each(components):
        if component.get("custom_id") == custom_id and not component.get("disabled"):
            return component
    return None


def _check_custom_ids(form: Form, components: list[dict[str, Any]]) -> None:
    used = [c["custom_id"] for c in each(components) if isinstance(c.get("custom_id"), str)]
    if len(set(used)) != len(used):
        message = "Component custom id cannot be duplicated"
        form.wrong("components", "COMPONENT_CUSTOM_ID_DUPLICATED", message)


def _numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives every component without an id the next free one, as Discord does."""
    every = list(each(components))
    taken = {c["id"] for c in every if isinstance(c.get("id"), int)}
    number = 0
    for component in every:
        if not component.get("id"):
            number = next(n for n in range(number + 1, number + 2 + len(taken)) if n not in taken)
            component["id"] = number
    return components
