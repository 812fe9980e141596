"""What agents ask of people, on cards: what it costs, what was tried, and the bill at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bots.discord.calling import Calling
from bots.people.notifying import Notice
from brain.cases import Case
from brain.money import Money
from storage import requests
from storage.core import HUMAN_REQUEST, run
from storage.request import Approvers, RequestKind
from storage.store import Store
from storage.tables import RequestState
from tests.integration.approvals.rig import GUEST, OPERATORS, Captain, Someone, question
from tests.integration.sandbox.stage import Sandbox

GPU = Case(
    kind=RequestKind.PAYMENT,
    title="GPU hours",
    reason="the index takes nine days <@1> here",
    attempt="asked for a free quota; it was refused",
    cost=Money(12_000_000, "EUR"),
    gain=Money(40_000_000, "EUR"),
    sources=("https://example.org/prices",),
    reference="delegation:D-7k2m9qxa",
)


def payment(**changes: Any) -> Any:
    return question(
        kind="payment", subject="GPU hours", title="GPU hours", facts=(), case=GPU, **changes
    )


async def test_a_card_says_what_is_known_and_takes_the_bill(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you, guest = await Someone.come(sandbox), await Someone.come(sandbox, GUEST)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(payment())
        card = await you.card()
        embed = card["embeds"][0]
        assert embed["description"].startswith("the index takes nine days <\u200b@1> here\n")
        assert {f["name"]: f["value"] for f in embed["fields"]} == {
            "Asked by": "guest",
            "Kind": "payment",
            "Estimated cost": "12.00 EUR",
            "Expected return": "40.00 EUR",
            "Tried first": "asked for a free quota; it was refused",
            "Evidence 1": "https://example.org/prices",
            "Waits": "D-7k2m9qxa",
        }
        await you.press(card, "Approve")
        to_do = await you.edited("To be done by a person")
    # Whoever is the captain when it is done takes the bill.
    async with Captain(sandbox, store, tmp_path) as captain:
        await guest.press(to_do, "Complete")
        assert "you are none of them" in await guest.told()
        await you.press(to_do, "Complete")
        modal = await you.ear.until("INTERACTION_MODAL_CREATE")
        await you.client.submit(modal, "plenty", "")
        assert await you.told() == "Nothing is noted: write a sum as in 12.50 EUR, $1,200 or 0."
        await you.press(to_do, "Complete")
        modal = await you.ear.until("INTERACTION_MODAL_CREATE")
        await you.client.submit(modal, "11.90 EUR", "38")
        done = await captain.became(asked, RequestState.COMPLETED)
        assert (done.paid_micros, done.earned_micros) == (11_900_000, 38_000_000)
        assert done.completed_by == "you"
        shown = await you.edited("Completed by you at ")
        assert shown["components"] == []
        fields = {f["name"]: f["value"] for f in shown["embeds"][0]["fields"]}
        assert (fields["Real cost"], fields["Real return"]) == ("11.90 EUR", "38.00 EUR")


async def test_a_lost_card_of_what_is_still_to_be_done_is_posted_anew(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        asked = await captain.requests.ask_operators(payment())
        await you.press(await you.card(), "Approve")
        await captain.became(asked, RequestState.APPROVED)
    async with store.writing() as unit:
        await requests.note_shown(unit, asked.id, RequestState.APPROVED, "1573361484061212672")
        # Another life: Discord does not know the first card's nonce any more.
        await run(unit, sa.update(HUMAN_REQUEST).values(id=2))
    async with Captain(sandbox, store, tmp_path) as captain:
        card = await you.card()
        assert [b["label"] for b in card["components"][0]["components"]] == ["Complete"]


async def test_a_decision_is_over_with_the_yes(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    async with Captain(sandbox, store, tmp_path) as captain:
        design = replace(GPU, kind=RequestKind.DESIGN, cost=None, gain=None)
        asked = await captain.requests.ask_operators(replace(payment(), kind="design", case=design))
        await you.press(await you.card(), "Approve")
        done = await captain.became(asked, RequestState.COMPLETED)
        assert (done.outcome, done.completed_by) == ("", "")
        assert (await you.edited("Approved by you"))["components"] == []


async def test_approvers_are_told_in_private_and_roles_where_the_card_is(
    sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    you = await Someone.come(sandbox)
    me = str(you.ear.ready["user"]["id"])
    async with Captain(sandbox, store, tmp_path) as captain:
        both = Approvers((me,), OPERATORS.roles)
        asked = await captain.requests.ask_operators(replace(payment(), approvers=both))
        calling = Calling(captain.transport.transport.speech, captain.guard)
        private, place = calling.recipients(asked)
        assert (private, place) == (f"discord:user:{me}", "discord:#lobby")

        for number, recipient in enumerate((private, place), 1):
            notice = Notice(request=asked, recipient=recipient, key=f"notice.{number}", round=0)
            said = await calling.send(notice)
            # The same word of the next process is the same message.
            assert (await calling.send(notice)).proof == said.proof
            assert said.sent
        letter = await you.sees(lambda m: "guild_id" not in m)
        assert letter["content"].startswith("AP-1 waits for your yes or no: payment: GPU hours\n")
        assert "Estimated cost: 12.00 EUR" in letter["content"]
        assert letter["mentions"] == []
        # It rings where the role may be mentioned, as Discord has it; the sandbox's may not.
        [role] = OPERATORS.roles
        await you.sees(
            lambda m: (
                m["content"] == f"<@&{role}> AP-1 waits for your yes or no: payment: GPU hours"
            )
        )

        nobody = Notice(request=asked, recipient="discord:user:4", key="notice.3", round=0)
        refused = await calling.send(nobody)
        assert not refused.sent
        assert not refused.unknown
