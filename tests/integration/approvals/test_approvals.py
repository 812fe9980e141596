"""Approval cards: only approvers decide, once, whatever process is alive, and the card says so."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from discord.http import MultipartParameters

from bots.control.requests import CannotAsk
from bots.sandbox.server import build
from storage import audit, requests
from storage.core import HUMAN_REQUEST, run
from storage.latch import Latch
from storage.store import Store
from storage.tables import RequestState
from tests.integration.approvals.rig import (
    GUEST,
    SECRET,
    Captain,
    Someone,
    button,
    is_card,
    question,
)
from tests.integration.discord.stage import permit
from tests.integration.sandbox.stage import Sandbox, config, serving


async def test_an_operator_approves_and_it_is_carried_out(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        embed = card["embeds"][0]
        assert embed["footer"]["text"] == "approval AP-1"
        assert [f["name"] for f in embed["fields"]] == ["Asked by", "Why"]
        assert SECRET not in str(card)
        assert datetime.fromisoformat(embed["timestamp"]) == asked.expires_at

        await you.press(card, "Approve")
        done = await captain.became(asked, RequestState.COMPLETED)
        shown = await you.edited("Restarting secretary.")
        assert shown["components"] == []
        assert shown["embeds"][0]["description"].startswith("Approved by you at ")
        [order] = captain.orders
        assert order["words"] == "restart secretary"
        assert order["discord_roles"] == list(asked.approvers.roles)
        assert order["discord_user"] == you.ear.ready["user"]["id"]
        assert done.outcome == "restarting secretary"
        async with store.reading() as unit:
            entries = await audit.entries(unit, "captain", verb="transition")
            assert [json.loads(e.details)["to"] for e in entries] == [
                *("pending", "approved", "completed")
            ]
            assert await audit.verify(unit, "captain") is None


async def test_a_stranger_is_told_no_and_nothing_is_decided(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    guest = await Someone.come(sandbox, GUEST)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await guest.card()
        for label in ("Approve", "Reject"):
            await guest.press(card, label)
            assert (
                await guest.told()
                == "AP-1 is for the operators to decide, and you are none of them."
            )
        await captain.became(asked, RequestState.PENDING)


async def test_two_operators_press_at_once_and_one_has_decided(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    one, two = await Someone.come(sandbox), await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await one.card()
        await two.card()
        presses = [s.press(card, "Approve") for s in (one, two, one, two)]
        await asyncio.gather(*presses)
        await captain.became(asked, RequestState.COMPLETED)
        assert "was approved by you at" in await one.told()
        assert len(captain.orders) == 1


async def test_a_rejection_asks_for_the_reason_and_keeps_it(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        await you.press(await you.card(), "Reject")
        modal = await you.ear.until("INTERACTION_MODAL_CREATE")
        await you.client.submit(modal, f"not today, {SECRET}")
        rejected = await captain.became(asked, RequestState.REJECTED)
        assert rejected.note == "not today, [hidden]"
        shown = await you.edited("Rejected by you")
        assert shown["embeds"][0]["description"].endswith(": not today, [hidden]")
        assert shown["components"] == []
        assert captain.orders == []


async def test_the_buttons_work_in_the_next_process(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        await captain.became(asked, RequestState.PENDING)
    async with Captain(sandbox, store, tmp_path) as captain:
        await you.press(card, "Approve")
        await captain.became(asked, RequestState.COMPLETED)
        assert len(captain.orders) == 1


async def test_a_modal_of_the_last_process_still_counts(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        await you.press(await you.card(), "Reject")
        modal = await you.ear.until("INTERACTION_MODAL_CREATE")
    async with Captain(sandbox, store, tmp_path) as captain:
        await you.client.submit(modal, "no")
        assert (await captain.became(asked, RequestState.REJECTED)).note == "no"


async def test_silence_is_a_no_and_the_card_says_so(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        captain.clock.ahead = timedelta(seconds=1801)
        captain.nudge()
        shown = await you.edited(f"Rejected itself at {asked.expires_at:%H:%M} UTC")
        assert shown["components"] == []
        # The press was on its way when it expired: the guild no longer knows the button.
        status, _ = await you.client.try_to_interact(
            3,
            card["author"]["id"],
            {"component_type": 2, "custom_id": button(card, "Approve")},
            message_id=card["id"],
            message_flags=0,
        )
        assert status == 400
        await captain.became(asked, RequestState.EXPIRED)


async def test_what_is_due_cannot_be_approved_before_it_is_shown(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        # Nobody has looked for what is due since.
        captain.clock.ahead = timedelta(hours=1)
        await you.press(card, "Approve")
        assert await you.told() == f"AP-1 rejected itself at {asked.expires_at:%H:%M} UTC."
        assert captain.orders == []


async def test_what_fell_due_while_nobody_ran_is_shown_at_the_next_start(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        await you.card()
        await captain.became(asked, RequestState.PENDING)
    later = Captain(sandbox, store, tmp_path)
    later.clock.ahead = timedelta(days=1)
    async with later:
        await you.edited("Rejected itself")


@pytest.mark.parametrize(
    ("custom_id", "sentence"),
    [
        ("parley:approval:999:approve", "That button belongs to no request that I know."),
        ("parley:approval:1:burn", "That button belongs to no request that I know."),
        ("parley:approval:1;drop:approve", "That button belongs to no request that I know."),
        ("parley:approval:1:approve", "That is not the card of this request any more."),
    ],
)
async def test_a_forged_button_does_nothing(
    sandbox: Sandbox, store: Store, tmp_path: Path, custom_id: str, sentence: str
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        await captain.became(asked, RequestState.PENDING)
        client = captain.transport.transport.client
        assert client is not None
        # The guild itself refuses ids that no message has; so this message has one.
        forged = {
            "content": "press me",
            "components": [
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 3, "label": "Approve", "custom_id": custom_id}
                    ],
                }
            ],
        }
        channel = int(card["channel_id"])
        await client.http.send_message(channel, params=_params(forged))
        message = await you.sees(lambda m: m["content"] == "press me")
        await you.client.press(message, custom_id)
        assert await you.told() == sentence
        await captain.became(asked, RequestState.PENDING)
        assert captain.orders == []


def killed(by: str) -> Latch:
    return Latch("all", True, by, "test", "", datetime.now(UTC))


def _params(payload: dict[str, Any]) -> MultipartParameters:
    return MultipartParameters(payload=payload, multipart=None, files=None)


async def test_a_killed_captain_decides_nothing_and_says_by_whom(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await you.card()
        await captain.became(asked, RequestState.PENDING)
        captain.latch = killed("mara")
        for label in ("Approve", "Reject"):
            await you.press(card, label)
            assert await you.told() == "Nothing is decided: captain was killed by mara."
        await captain.became(asked, RequestState.PENDING)


async def test_a_card_that_waits_for_the_rate_limit_when_a_kill_comes_never_leaves(
    store: Store, tmp_path: Path
) -> None:
    one_in_three_s = {"messages": 1, "messages_per_s": 3.0}
    async with (
        serving(build(config(limits=one_in_three_s))) as sandbox,
        Captain(sandbox, store, tmp_path) as captain,
    ):
        transport = captain.transport.transport
        lobby = captain.transport.target("#lobby")
        await transport.say(lobby, ["one"], permit(lobby), keys=["k1"])
        asked = await captain.requests.ask_operators(question())
        async with asyncio.timeout(10):
            while not transport.speech._leaving:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0)
            captain.transport.vetoes.append("killed by you")
            captain.latch = killed("mara")
            transport.hush()
            while asked.id not in captain.approvals._later:  # noqa: ASYNC110 - it was taken back
                await asyncio.sleep(0)
        assert not transport.speech._leaving
        history = await sandbox.person().history(lobby.name)
        assert [m["content"] for m in history] == ["one"]


async def test_what_is_said_to_a_press_is_on_record_with_the_trace_of_its_request(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    guest = await Someone.come(sandbox, GUEST)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        card = await guest.card()
        for label in ("Approve", "Reject"):
            await guest.press(card, label)
            await guest.told()
        async with store.reading() as unit:
            sent = await audit.entries(unit, "captain", verb="send")
        said = [e for e in sent if e.target.startswith("discord:interaction:")]
        assert [e.trace_id for e in said] == [asked.trace_id] * 2


async def test_a_yes_given_elsewhere_shows_and_is_carried_out(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        await you.card()
        async with store.writing() as unit:
            yes = requests.Decision(approved=True, by="mara", note="by telephone")
            assert await requests.decide(unit, asked.id, yes, captain.clock())
        captain.requests.tell()
        shown = await you.edited("Approved by mara")
        assert ": by telephone" in shown["embeds"][0]["description"]
        await captain.became(asked, RequestState.COMPLETED)


async def test_the_captain_that_restarted_itself_does_not_do_it_again(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question(subject="captain"))
        await captain.became(asked, RequestState.PENDING)
    async with store.writing() as unit:
        yes = requests.Decision(approved=True, by="you")
        await requests.decide(unit, asked.id, yes, captain.clock())
    async with Captain(sandbox, store, tmp_path) as captain:
        done = await captain.became(asked, RequestState.COMPLETED)
        assert done.outcome == "Done: this is its new process."
        assert captain.orders == []
        await you.edited("its new process")


async def test_an_old_yes_is_not_acted_on(sandbox: Sandbox, store: Store, tmp_path: Path) -> None:
    captain = Captain(sandbox, store, tmp_path)
    asked = await captain.requests.ask_operators(question())
    async with store.writing() as unit:
        yes = requests.Decision(approved=True, by="you")
        await requests.decide(unit, asked.id, yes, captain.clock())
    captain.clock.ahead = timedelta(minutes=11)
    async with captain:
        done = await captain.became(asked, RequestState.COMPLETED)
        assert done.outcome.startswith("Not done: nobody was there")
        assert captain.orders == []


async def test_the_same_question_is_asked_once_and_nobody_floods_the_operators(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    captain = Captain(sandbox, store, tmp_path)
    first = await captain.requests.ask_operators(question())
    assert await captain.requests.ask_operators(question(asked_by="rook")) == first
    for number in range(4):
        await captain.requests.ask_operators(question(subject=f"a{number}"))
    with pytest.raises(CannotAsk, match="enough to decide"):
        await captain.requests.ask_operators(question(subject="one more"))
    for number in range(5):
        await captain.requests.ask_operators(question(subject=f"b{number}", asked_by="rook"))
    with pytest.raises(CannotAsk, match="enough to decide"):
        await captain.requests.ask_operators(question(subject="c", asked_by="mara"))


async def test_a_card_that_was_posted_by_a_dead_process_is_not_posted_twice(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(question())
        await captain.became(asked, RequestState.PENDING)
        # As if it had died before it could write down which message that was.
        async with store.writing() as unit:
            await run(unit, sa.update(HUMAN_REQUEST).values(shown="", message_id=None))
    card = await you.card()
    async with Captain(sandbox, store, tmp_path) as captain:
        await captain.became(asked, RequestState.PENDING)
        history = await you.client.person.history(card["channel_id"])
        assert len([m for m in history if is_card(m)]) == 1
