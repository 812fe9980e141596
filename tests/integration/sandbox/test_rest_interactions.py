"""Interactions request by request: a person on one side, an application that is only HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    GUEST,
    ROOK_ID,
    YOU,
    Person,
    Sandbox,
    Socket,
)

BOT = f"Bot {CAPTAIN}"
EPHEMERAL, LOADING = 1 << 6, 1 << 7
COMMAND = {
    "name": "delegate",
    "description": "Hands work over",
    "options": [
        {"type": 3, "name": "task", "description": "d", "required": True, "max_length": 10},
        {"type": 4, "name": "credits", "description": "d", "min_value": 1, "max_value": 5},
        {"type": 6, "name": "to", "description": "d"},
        {
            "type": 3,
            "name": "speed",
            "description": "d",
            "choices": [{"name": "Fast", "value": "fast"}],
        },
        {"type": 11, "name": "file", "description": "d"},
    ],
}
CARD = {
    "content": "Spend 5?",
    "components": [
        {
            "type": 1,
            "components": [
                {"type": 2, "style": 3, "label": "Yes", "custom_id": "yes"},
                {"type": 2, "style": 3, "label": "Old", "custom_id": "old", "disabled": True},
            ],
        },
        {
            "type": 1,
            "components": [
                {
                    "type": 3,
                    "custom_id": "pick",
                    "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}],
                }
            ],
        },
    ],
}
MODAL = {
    "custom_id": "why",
    "title": "Why?",
    "components": [
        {
            "type": 18,
            "label": "Reason",
            "component": {"type": 4, "custom_id": "reason", "style": 1, "min_length": 3},
        }
    ],
}


class Table:
    """A person and an application, and what each of them sends and hears."""

    def __init__(self, sandbox: Sandbox, you: Person, ears: Socket, bot: Socket) -> None:
        self.sandbox, self.you, self.ears, self.bot = sandbox, you, ears, bot
        [lobby] = [c for c in ears.guild["channels"] if c["name"] == "lobby"]
        self.lobby = str(lobby["id"])
        self.command: dict[str, Any] = {}
        self.app = sandbox.person(BOT)

    async def register(self) -> None:
        path = f"/applications/{CAPTAIN_ID}/guilds/{self.sandbox.guild_id}/commands"
        [self.command] = await self.app.ask("PUT", path, json=[COMMAND])

    async def act(self, kind: int, data: Any, **more: Any) -> tuple[int, Any]:
        body = {
            "type": kind,
            "application_id": str(CAPTAIN_ID),
            "guild_id": str(self.sandbox.guild_id),
            "channel_id": self.lobby,
            "session_id": "s",
            "nonce": "n-1",
            "data": data,
        }
        return await self.you.try_to("POST", "/interactions", json=body | more)

    async def run(self, *options: dict[str, Any], kind: int = 2) -> tuple[int, Any]:
        return await self.act(kind, {"id": self.command["id"], "options": list(options)})

    async def asked(self) -> dict[str, Any]:
        """The interaction as the application gets it, of a good command."""
        status, body = await self.run({"name": "task", "value": "x"})
        assert status == 204, body
        return await self.bot.until("INTERACTION_CREATE")

    async def answer(
        self, interaction: dict[str, Any], kind: int, data: Any = None
    ) -> tuple[int, Any]:
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        return await self.app.try_to("POST", path, json={"type": kind, "data": data})

    async def card(self) -> dict[str, Any]:
        return dict(await self.app.ask("POST", f"/channels/{self.lobby}/messages", json=CARD))

    async def press(self, message: dict[str, Any], data: Any, **more: Any) -> tuple[int, Any]:
        return await self.act(3, data, message_id=message["id"], **more)


@pytest.fixture
async def table(sandbox: Sandbox) -> Table:
    ears, bot = await sandbox.listening(), await sandbox.socket()
    await bot.identify(CAPTAIN, 0)
    made = Table(sandbox, sandbox.person(), ears, bot)
    await made.register()
    return made


async def test_an_application_hears_who_asks_where_and_with_which_permissions(
    table: Table,
) -> None:
    status, _ = await table.run(
        {"name": "task", "value": "sweep"},
        {"name": "credits", "value": 3},
        {"name": "to", "value": str(ROOK_ID)},
        {"name": "speed", "value": "fast"},
    )
    assert status == 204
    heard = await table.bot.until("INTERACTION_CREATE")
    assert (heard["type"], heard["application_id"]) == (2, str(CAPTAIN_ID))
    await table.answer(heard, 4, {"content": "done"})
    # of its own acts a person hears the outcome, nothing before it
    told = await table.ears.receive()
    while not str(told["t"]).startswith("INTERACTION"):
        told = await table.ears.receive()
    assert told["t"] == "INTERACTION_SUCCESS"
    assert heard["member"]["user"]["username"] == "you"
    assert int(heard["member"]["permissions"]) & 1 << 3
    assert len(heard["member"]["roles"]) == 1
    assert heard["channel"]["name"] == "lobby"
    assert {o["name"]: o["value"] for o in heard["data"]["options"]} == {
        "task": "sweep",
        "credits": 3,
        "to": str(ROOK_ID),
        "speed": "fast",
    }
    assert heard["data"]["resolved"]["users"][str(ROOK_ID)]["username"] == "rook"
    assert heard["attachment_size_limit"] == 25 * 1024 * 1024


@pytest.mark.parametrize(
    "options",
    [
        [],
        [{"name": "task", "value": "x" * 11}],
        [{"name": "task", "value": "x"}, {"name": "task", "value": "y"}],
        [{"name": "task", "value": "x"}, {"name": "nope", "value": "y"}],
        [{"name": "task", "value": "x"}, {"name": "credits", "value": 6}],
        [{"name": "task", "value": "x"}, {"name": "credits", "value": "many"}],
        [{"name": "task", "value": "x"}, {"name": "to", "value": "77"}],
        [{"name": "task", "value": "x"}, {"name": "speed", "value": "slow"}],
        [{"name": "task", "value": "x"}, {"name": "file", "value": 0}],
        [7],
    ],
)
async def test_options_that_do_not_fit_the_command_are_not_delivered(
    table: Table, options: list[Any]
) -> None:
    status, body = await table.run(*options)
    assert (status, body["code"]) == (400, 50035)
    # the next thing that the application hears is the good one
    assert (await table.asked())["data"]["options"][0]["value"] == "x"


async def test_unknown_things_have_their_own_codes(table: Table) -> None:
    for data, more, expected in (
        ({"id": "5"}, {}, (404, 10063)),
        ({"id": table.command["id"]}, {"application_id": "5"}, (404, 10002)),
        ({"id": table.command["id"]}, {"channel_id": "5"}, (404, 10003)),
        ({"id": table.command["id"]}, {"application_id": str(ROOK_ID)}, (404, 10063)),
    ):
        status, body = await table.act(2, data, **more)
        assert (status, body["code"]) == expected


async def test_bots_do_not_act_as_people(table: Table) -> None:
    status, body = await table.app.try_to("POST", "/interactions", json={})
    assert (status, body["code"]) == (403, 20001)


async def test_a_command_for_administrators_is_refused_to_a_guest(table: Table) -> None:
    path = f"/applications/{CAPTAIN_ID}/commands"
    rows = [{"name": "kill", "description": "d", "default_member_permissions": "0"}]
    [kill] = await table.app.ask("PUT", path, json=rows)
    table.you = table.sandbox.person(GUEST)
    status, body = await table.act(2, {"id": kill["id"]})
    assert (status, body["code"]) == (403, 50013)


async def test_a_deferred_answer_is_filled_in_by_the_first_follow_up(table: Table) -> None:
    asked = await table.asked()
    assert await table.answer(asked, 5, {"flags": EPHEMERAL}) == (204, None)
    thinking = await table.ears.until("MESSAGE_CREATE")
    assert thinking["flags"] == EPHEMERAL | LOADING
    path = f"/webhooks/{CAPTAIN_ID}/{asked['token']}"
    filled = await table.app.ask("POST", path, json={"content": "done"})
    assert (filled["id"], filled["flags"]) == (thinking["id"], EPHEMERAL)
    assert filled["edited_timestamp"] is None
    more = await table.app.ask("POST", path, json={"content": "and more"})
    assert more["message_reference"]["message_id"] == filled["id"]
    original = await table.app.ask("GET", f"{path}/messages/@original")
    assert original["content"] == "done"
    assert [m["content"] for m in await table.you.history(table.lobby)] == ["and more"]
    await table.app.ask("DELETE", f"{path}/messages/@original")
    assert (await table.ears.until("MESSAGE_DELETE"))["id"] == filled["id"]


async def test_only_the_tokens_own_messages_are_within_its_reach(table: Table) -> None:
    said = await table.you.say(table.lobby, "mine")
    asked = await table.asked()
    path = f"/webhooks/{CAPTAIN_ID}/{asked['token']}"
    early = await table.app.try_to("POST", path, json={"content": "x"})
    assert (early[0], early[1]["code"]) == (404, 10015)
    await table.answer(asked, 4, {"content": "hello"})
    for place in (said["id"], "12"):
        status, body = await table.app.try_to("DELETE", f"{path}/messages/{place}")
        assert (status, body["code"]) == (404, 10008)
    status, body = await table.app.try_to(
        "POST", f"/webhooks/{CAPTAIN_ID}/forged", json={"content": "x"}
    )
    assert (status, body["code"]) == (401, 50027)


async def test_a_token_ends_after_fifteen_minutes(table: Table) -> None:
    asked = await table.asked()
    await table.answer(asked, 4, {"content": "hello"})
    path = f"/webhooks/{CAPTAIN_ID}/{asked['token']}"
    world = table.sandbox.server._world
    now = world.clock()
    world.clock = lambda: now + timedelta(minutes=14, seconds=59)
    assert await table.app.ask("POST", path, json={"content": "in time"})
    world.clock = lambda: now + timedelta(minutes=15, seconds=1)
    status, body = await table.app.try_to("POST", path, json={"content": "too late"})
    assert (status, body["code"]) == (401, 50027)


@pytest.mark.parametrize(("kind", "data"), [(6, None), (7, {"content": "x"}), (8, {}), (1, None)])
async def test_an_answer_of_the_wrong_kind_is_refused_and_the_question_stays_open(
    table: Table, kind: int, data: Any
) -> None:
    asked = await table.asked()
    status, body = await table.answer(asked, kind, data)
    assert (status, body["code"]) == (400, 50035)
    assert await table.answer(asked, 4, {"content": "x"}) == (204, None)


async def test_a_wrong_answer_is_refused_with_its_place(table: Table) -> None:
    asked = await table.asked()
    status, body = await table.answer(asked, 4, {"content": "x" * 2_001})
    assert status == 400
    assert body["errors"]["data"]["content"]["_errors"]
    assert (await table.answer(asked, 4, {}))[1]["code"] == 50006
    wrong = {"id": asked["id"], "token": "forged"}
    status, body = await table.answer(wrong, 4, {"content": "x"})
    assert (status, body["code"]) == (404, 10062)


async def test_too_many_choices_are_refused(table: Table) -> None:
    status, _ = await table.run({"name": "task", "value": "x", "focused": True}, kind=4)
    assert status == 204
    asked = await table.bot.until("INTERACTION_CREATE")
    rows = [{"name": str(n), "value": str(n)} for n in range(26)]
    status, body = await table.answer(asked, 8, {"choices": rows})
    assert (status, body["code"]) == (400, 50035)
    assert await table.answer(asked, 8, {"choices": rows[:25]}) == (204, None)
    told = await table.ears.until("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    assert (len(told["choices"]), told["nonce"]) == (25, "n-1")


@pytest.mark.parametrize(
    "data",
    [
        {"component_type": 2, "custom_id": "forged"},
        {"component_type": 2, "custom_id": "old"},
        {"component_type": 3, "custom_id": "yes", "values": ["a"]},
        {"component_type": 3, "custom_id": "pick", "values": ["c"]},
        {"component_type": 3, "custom_id": "pick", "values": ["a", "b"]},
        {"component_type": 3, "custom_id": "pick", "values": []},
        {"component_type": 2},
    ],
)
async def test_components_that_a_message_does_not_offer_are_not_delivered(
    table: Table, data: dict[str, Any]
) -> None:
    card = await table.card()
    status, body = await table.press(card, data)
    assert (status, body["code"]) == (400, 50035)
    status, _ = await table.press(card, {"component_type": 2, "custom_id": "yes"})
    assert status == 204
    heard = await table.bot.until("INTERACTION_CREATE")
    assert heard["data"]["custom_id"] == "yes"
    assert heard["message"]["id"] == card["id"]


async def test_a_card_is_pressed_in_the_name_of_its_own_bot_only(table: Table) -> None:
    card = await table.card()
    data = {"component_type": 2, "custom_id": "yes"}
    status, body = await table.press(card, data, application_id=str(ROOK_ID))
    assert (status, body["code"]) == (400, 50035)


async def test_somebody_elses_ephemeral_card_cannot_be_pressed(table: Table) -> None:
    asked = await table.asked()
    await table.answer(asked, 4, CARD | {"flags": EPHEMERAL})
    shown = await table.ears.until("MESSAGE_CREATE")
    data = {"component_type": 2, "custom_id": "yes"}
    table.you = table.sandbox.person(GUEST)
    status, body = await table.press(shown, data)
    assert (status, body["code"]) == (404, 10008)
    table.you = table.sandbox.person(YOU)
    assert (await table.press(shown, data))[0] == 204


async def test_a_select_hands_over_what_was_picked(table: Table) -> None:
    card = await table.card()
    data = {"component_type": 3, "custom_id": "pick", "values": ["b"]}
    assert (await table.press(card, data))[0] == 204
    asked = await table.bot.until("INTERACTION_CREATE")
    assert asked["data"]["values"] == ["b"]
    assert await table.answer(asked, 6) == (204, None)
    edit = {"content": "picked b", "components": []}
    path = f"/webhooks/{CAPTAIN_ID}/{asked['token']}/messages/@original"
    assert (await table.app.ask("PATCH", path, json=edit))["id"] == card["id"]


async def test_a_modal_is_filled_in_by_whom_it_was_shown_to_and_once(table: Table) -> None:
    asked = await table.asked()
    assert await table.answer(asked, 9, MODAL) == (204, None)
    shown = await table.ears.until("INTERACTION_MODAL_CREATE")
    assert shown["application"]["name"] == "captain"

    def filled(value: str) -> dict[str, Any]:
        field = {"type": 4, "custom_id": "reason", "value": value}
        rows = [{"type": 18, "component": field}]
        return {"id": shown["id"], "custom_id": "why", "components": rows}

    for value in ("", "no"):
        status, body = await table.act(5, filled(value))
        assert (status, body["code"]) == (400, 50035)
    table.you = table.sandbox.person(GUEST)
    assert (await table.act(5, filled("because")))[0] == 400
    table.you = table.sandbox.person(YOU)
    assert (await table.act(5, filled("because")))[0] == 204
    heard = await table.bot.until("INTERACTION_CREATE")
    assert heard["type"] == 5
    assert heard["data"]["components"][0]["component"]["value"] == "because"
    assert (await table.act(5, filled("again")))[0] == 400


async def test_a_command_works_in_a_direct_message_when_it_is_global(table: Table) -> None:
    path = f"/applications/{CAPTAIN_ID}/commands"
    [hello] = await table.app.ask("PUT", path, json=[{"name": "hello", "description": "d"}])
    body = {"recipient_id": str(CAPTAIN_ID)}
    dm = await table.you.ask("POST", "/users/@me/channels", json=body)
    status, _ = await table.act(2, {"id": hello["id"]}, channel_id=dm["id"], guild_id=None)
    assert status == 204
    asked = await table.bot.until("INTERACTION_CREATE")
    assert asked["user"]["username"] == "you"
    assert "member" not in asked
    assert "guild_id" not in asked
    await table.answer(asked, 4, {"content": "hi"})
    assert (await table.ears.until("MESSAGE_CREATE"))["content"] == "hi"
    status, body = await table.act(2, {"id": table.command["id"]}, channel_id=dm["id"])
    assert (status, body["code"]) == (404, 10063)
