from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox import commands, components, drafts
from bots.sandbox.errors import ApiError
from bots.sandbox.forms import Form, Problems, snowflake

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = (
    "content",
    "embeds",
    "components",
    "flags",
    "nonce",
    "allowed_mentions",
    "message_reference",
    "attachments",
    "tts",
    "enforce_nonce",
)
COMMAND_FIELDS = ("name", "type", "description", "options", "nsfw", "default_member_permissions")


def refused(body: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ApiError) as error:
        drafts.read(body)
    return error.value.body


def button(custom_id: str, **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "go", "custom_id": custom_id, **more}


def row(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inside)}


def test_an_error_names_its_place_its_code_and_its_reason_as_discord_does() -> None:
    assert refused({"content": "x" * 2_001}) == {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {
            "content": {
                "_errors": [
                    {
                        "code": "BASE_TYPE_MAX_LENGTH",
                        "message": "Must be 2000 or fewer in length.",
                    }
                ]
            }
        },
    }


def test_two_thousand_characters_are_not_too_many() -> None:
    assert drafts.read({"content": "x" * 2_000}).content == "x" * 2_000


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n "}, {"embeds": []}])
def test_an_empty_message_has_its_own_code(body: dict[str, Any]) -> None:
    assert refused(body)["code"] == 50006


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"description": "x" * 4_097}]}, "embeds.0.description"),
        ({"embeds": [{"fields": [{"name": "n"}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"description": "x" * 3_001}] * 2}, "embeds"),
        ({"embeds": [{"title": "x"}] * 11}, "embeds"),
        ({"components": [row(*[button(str(n)) for n in range(6)])]}, "components.0.components"),
        ({"components": [row(button("a"), button("a"))]}, "components"),
        ({"components": [row(button("x" * 101))]}, "components.0.components.0.custom_id"),
        ({"components": [button("bare")]}, "components.0.type"),
        ({"nonce": "x" * 26, "content": "x"}, "nonce"),
        ({"message_reference": {}, "content": "x"}, "message_reference.message_id"),
        ({"allowed_mentions": {"parse": ["cats"]}, "content": "x"}, "allowed_mentions.parse.0"),
        ({"allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "allowed_mentions"),
    ],
)
def test_what_is_wrong_is_found_where_it_is(body: dict[str, Any], path: str) -> None:
    node: Any = refused(body)["errors"]
    for step in path.split("."):
        node = node[step]
    assert node["_errors"]


@given(st.dictionaries(st.sampled_from(FIELDS), values))
def test_whatever_is_sent_is_a_draft_or_a_refusal(body: dict[str, Any]) -> None:
    with contextlib.suppress(ApiError):
        drafts.read(body)


@given(st.dictionaries(st.sampled_from(COMMAND_FIELDS), values))
def test_whatever_is_registered_is_read_without_a_crash(body: dict[str, Any]) -> None:
    commands.read(Form(body, Problems()))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("12", 12),
        (12, 12),
        (0, 0),
        (True, None),
        ("x", None),
        ("-1", None),
        (-1, None),
        ("²", None),
        (1.5, None),
        (None, None),
        (2**63, None),
        ("9" * 30, None),
    ],
)
def test_an_id_is_a_string_of_digits_or_a_whole_number(value: object, read: int | None) -> None:
    assert snowflake(value) == read


def test_a_component_is_found_wherever_it_lies_and_not_when_it_is_disabled() -> None:
    section = {"type": 9, "components": [], "accessory": button("deep")}
    shown = [{"type": 17, "components": [section]}, row(button("off", disabled=True))]
    assert components.by_custom_id(shown, "deep") is section["accessory"]
    assert components.by_custom_id(shown, "off") is None
    assert components.by_custom_id(shown, "forged") is None


def test_components_get_ids_in_reading_order() -> None:
    form = Form({"components": [row(button("a"), button("b")), row(button("c"))]}, Problems())
    shown = components.of_message(form, layout=False)
    assert [c["id"] for c in components.each(shown)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["ask", "kill-autonomous", "größe", "質問", "a_b", "ไทย"])
def test_names_of_commands(name: str) -> None:
    assert commands.is_command_name(name)


@pytest.mark.parametrize("name", ["", "Ask", "two words", "a/b", "!ask", "ÄB"])
def test_what_is_no_name_of_a_command(name: str) -> None:
    assert not commands.is_command_name(name)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "No"}, "name"),
        ({"description": ""}, "description"),
        ({"description": "x" * 101}, "description"),
        ({"options": [{"type": 3, "name": "a", "description": "d"}] * 26}, "options"),
        (
            {
                "options": [
                    {"type": 3, "name": "a", "description": "d"},
                    {"type": 3, "name": "b", "description": "d", "required": True},
                ]
            },
            "options.1",
        ),
        ({"options": [{"type": 3, "name": "a"}]}, "options.0.description"),
        (
            {
                "options": [
                    {
                        "type": 3,
                        "name": "a",
                        "description": "d",
                        "choices": [{"name": str(n), "value": str(n)} for n in range(26)],
                    }
                ]
            },
            "options.0.choices",
        ),
        (
            {"options": [{"type": 5, "name": "a", "description": "d", "autocomplete": True}]},
            "options.0",
        ),
    ],
)
def test_what_is_wrong_with_a_command_is_named(change: dict[str, Any], path: str) -> None:
    problems = Problems()
    commands.read(Form({"name": "ask", "description": "Asks"} | change, problems))
    node: Any = problems.tree
    for step in path.split("."):
        node = node[step]
    assert node["_errors"]
