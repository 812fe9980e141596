from __future__ import annotations

from typing import Any

import pytest

from bots.console import naming, slash
from bots.console.model import Channel, Guild, Kind, Member
from bots.console.slash import Command, Lookup, SlashError, call, fill, find, read_index
from bots.console.suggestions import choice_rows, suggest

INDEX: dict[str, Any] = {
    "applications": [],
    "application_commands": [
        {
            "id": "1",
            "application_id": "9",
            "version": "4",
            "name": "ask",
            "description": "Ask an agent",
            "options": [
                {"type": 3, "name": "agent", "required": True, "autocomplete": True},
                {"type": 3, "name": "question", "required": True},
                {"type": 5, "name": "loud"},
            ],
        },
        {"id": "2", "application_id": "9", "name": "whoami"},
        {
            "id": "3",
            "application_id": "9",
            "name": "model",
            "options": [
                {
                    "type": 3,
                    "name": "which",
                    "choices": [{"name": "Small", "value": "s"}, {"name": "Large", "value": "l"}],
                },
                {"type": 4, "name": "count"},
                {"type": 6, "name": "who"},
                {"type": 7, "name": "where"},
                {"type": 8, "name": "role"},
                {"type": 10, "name": "share"},
                {"type": 11, "name": "file"},
            ],
        },
        {
            "id": "4",
            "application_id": "9",
            "name": "plan",
            "options": [
                {
                    "type": 2,
                    "name": "work",
                    "options": [
                        {
                            "type": 1,
                            "name": "add",
                            "options": [{"type": 3, "name": "what", "required": True}],
                        }
                    ],
                },
                {"type": 1, "name": "show"},
            ],
        },
        {"id": "5", "application_id": "9", "name": "a menu entry", "type": 3},
    ],
}
COMMANDS = read_index(INDEX)


def guild() -> Guild:
    made = Guild(1, me=5)
    for number, name in ((5, "you"), (6, "captain"), (7, "tech-lead")):
        made.members[number] = Member(id=number, name=name, bot=number > 5)
    made.channels[20] = Channel(id=20, kind=Kind.TEXT, name="lobby")
    made.roles[30] = "operators"
    return made


LOOKUP: Lookup = naming.lookup(guild())


def options(line: str) -> list[dict[str, Any]]:
    return list(call(line, COMMANDS, LOOKUP)[1]["options"])


def test_the_index_becomes_flat_commands_without_menus() -> None:
    assert [c.name for c in COMMANDS] == ["ask", "model", "plan show", "plan work add", "whoami"]
    assert COMMANDS[0].usage == "agent question [loud]"


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("/ask captain what is new", {"agent": "captain", "question": "what is new"}),
        (
            "/ask agent:captain question:what: is new",
            {"agent": "captain", "question": "what: is new"},
        ),
        ("/ask question:why agent:captain", {"agent": "captain", "question": "why"}),
        ('/ask "the captain" why  not', {"agent": "the captain", "question": "why  not"}),
        ("/ask captain why loud:yes", {"agent": "captain", "question": "why", "loud": True}),
        ("/ask agent:captain why question:x", None),
        ("/model small", {"which": "s"}),
        ("/model count:3 share:0.5", {"count": 3, "share": 0.5}),
        (
            "/model who:@captain where:#lobby role:operators",
            {"who": "6", "where": "20", "role": "30"},
        ),
        ("/whoami", {}),
    ],
)
def test_options_are_named_or_in_order(line: str, values: dict[str, Any] | None) -> None:
    given = {o["name"]: o["value"] for o in options(line)}
    assert given == values if values is not None else given["question"] == "x"


def test_subcommands_are_nested_as_discord_wants_them() -> None:
    command, data = call("/plan work add what:a thing", COMMANDS, LOOKUP)
    assert (command.application_id, data["id"], data["name"]) == ("9", "4", "plan")
    (group,) = data["options"]
    assert (group["type"], group["name"]) == (2, "work")
    (sub,) = group["options"]
    assert (sub["type"], sub["name"]) == (1, "add")
    assert sub["options"] == [{"type": 3, "name": "what", "value": "a thing"}]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/nothing", "There is no command /nothing"),
        ("/ask captain", "/ask needs question"),
        ("/ask", "/ask needs agent, question"),
        ("/model huge", "which is one of: Small, Large"),
        ("/model count:many", "count is a number"),
        ("/model who:nobody", "Nobody here is called nobody"),
        ("/model where:#none", "There is no channel #none"),
        ("/model role:none", "There is no role none"),
        ("/model file:x", "cannot put a file"),
        ("/ask captain why loud:perhaps", "loud is yes or no"),
        ("/", "There is no command /"),
    ],
)
def test_what_is_wrong_is_said(line: str, sentence: str) -> None:
    with pytest.raises(SlashError, match=sentence):
        call(line, COMMANDS, LOOKUP)


def test_the_option_that_is_being_typed_is_focused() -> None:
    found = find("/ask agent:cap", COMMANDS)
    assert found is not None
    command, start = found
    filled = fill("/ask agent:cap", command, start)
    data = slash.asking(command, filled, filled[-1])
    assert data["options"] == [{"type": 3, "name": "agent", "value": "cap", "focused": True}]


def rows(text: str) -> list[str]:
    return [r.lead + r.rest for r in suggest(text, COMMANDS, guild()).rows]


def test_offers_follow_what_is_typed() -> None:
    assert rows("/") == ["/ask", "/model", "/plan show", "/plan work add", "/whoami"]
    assert rows("/w") == ["/whoami", "/plan show", "/plan work add"]
    assert rows("/plan wo") == ["/plan work add"]
    assert rows("/model ") == ["Small", "Large"]
    assert rows("/model small ") == ["count:", "who:", "where:", "role:", "share:", "file:"]
    assert rows("/model who:@c") == ["@captain", "@tech-lead"]
    assert rows("/model where:#lo") == ["#lobby"]
    assert rows("/ask captain why loud:") == ["yes", "no"]
    assert rows("hello @te") == ["@tech-lead"]
    assert rows("mail@te") == []
    assert rows("hello") == []


def test_an_application_completes_its_own_options() -> None:
    offer = suggest("/ask agent:ca", COMMANDS, guild())
    assert offer.ask is not None
    _, _, current = offer.ask
    (row,) = choice_rows(current, [("captain", "captain")])
    assert (row.lead, row.rest, row.insert, row.start) == ("ca", "ptain", "captain ", 11)
    assert suggest("/ask ", COMMANDS, guild()).ask is not None


def test_taking_an_offer_puts_it_where_it_was_typed() -> None:
    text = "please ask @tech"
    (row,) = suggest(text, COMMANDS, guild()).rows
    assert text[: row.start] + row.insert == "please ask @tech-lead "


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("@captain, hi", "<@6>, hi"),
        ("@tech-lead.", "<@7>."),
        ("@CAPTAIN @nobody", "<@6> @nobody"),
        ("see #lobby and #none", "see <#20> and #none"),
        ("`@captain` ```\n@captain\n``` @captain", "`@captain` ```\n@captain\n``` <@6>"),
        ("mail me@captain", "mail me@captain"),
        ("<@6>", "<@6>"),
    ],
)
def test_names_become_mentions_outside_code(text: str, content: str) -> None:
    assert naming.with_ids(text, guild()) == content


def test_a_command_needs_its_whole_name() -> None:
    assert find("/asking x", COMMANDS) is None
    found = find("/plan work add x", COMMANDS)
    assert isinstance(found, tuple)
    assert isinstance(found[0], Command)
