"""People are told ever louder, each word once: by e-mail and by gateways to phones."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.escalation_settings import EscalationSettings, WebhookStep
from bots.people.escalation import Escalation
from bots.people.mail import Mail
from bots.people.notifying import Notifier
from bots.people.webhook import Webhook
from brain.guard import Guard, LatchPolicy
from storage import audit, request_notices, requests
from storage.latch import Latch
from storage.request import Approvers, Decision, NewRequest, Request, RequestKind
from storage.request_tables import RequestNotice
from storage.store import Store
from tests.integration.irc.authority import Authority
from tests.integration.people.gateways import Gateway, MailServer, gateway, mail_server

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "smtp-4711-value"
PAYMENT = NewRequest(
    agent="captain",
    kind=RequestKind.PAYMENT,
    subject="GPU hours",
    title="GPU hours — für den Index",
    reason='nine days {code} "here"\nBcc: everybody@example.org',
    currency="EUR",
    cost_micros=12_000_000,
    asked_by="buyer",
    approvers=Approvers(("45",), ("67",)),
    network="discord",
    channel="#ceo-office",
    expires_at=NOON + timedelta(hours=2),
    trace_id="t1",
)


class Office:
    """One life of the captain's process, as far as telling people goes."""

    def __init__(self, store: Store, steps: Sequence[dict[str, Any]], epoch: int = 1) -> None:
        self.store, self.now = store, NOON
        self.latch: Latch | None = None
        settings = EscalationSettings.model_validate({"steps": steps})
        self.guard = Guard(
            store, [LatchPolicy(lambda _: self.latch)], time.monotonic, lambda: self.now
        )
        self.escalation = Escalation(
            store,
            "captain",
            f"captain.{epoch}",
            [(step, self._way(step)) for step in settings.steps],
            latch=lambda: self.latch,
            clock=lambda: self.now,
            log=structlog.get_logger(),
        )

    def _way(self, step: Any) -> Callable[[], Notifier | None]:
        halted = lambda: self.latch is not None  # noqa: E731  said once
        if isinstance(step, WebhookStep):
            hook = Webhook(step=step, secret="tk_4711", guard=self.guard, halted=halted)
            return lambda: hook
        password = PASSWORD if step.password else None
        mail = Mail(
            step=step, password=password, guard=self.guard, clock=lambda: self.now, halted=halted
        )
        return lambda: mail

    async def asked(self, new: NewRequest = PAYMENT) -> Request:
        async with self.store.writing() as unit:
            return await requests.open_one(unit, new, NOON)

    async def at(self, minutes: float) -> None:
        """Look, so long after the question was asked."""
        self.now = NOON + timedelta(minutes=minutes)
        await self.escalation.look()

    async def notices(self) -> list[RequestNotice]:
        return await self.store.read(lambda unit: request_notices.of_requests(unit, [1]))

    async def states(self) -> list[tuple[int, int, str]]:
        return [(n.step, n.round, n.state) for n in await self.notices()]


def mails(server: MailServer, **more: Any) -> dict[str, Any]:
    return {
        "via": "email",
        "after_s": 600,
        "host": "localhost" if server.tls else "127.0.0.1",
        "port": server.port,
        "security": "starttls" if server.tls else "none",
        "sender": "parley@example.org",
        "to": ["ops@example.org"],
    } | more


def calls(phone: Gateway, **more: Any) -> dict[str, Any]:
    return {"via": "webhook", "after_s": 1200, "url": phone.url} | more


async def test_each_step_has_its_time_and_ends_with_the_decision(store: Store) -> None:
    async with mail_server() as server, gateway() as phone:
        office = Office(store, [mails(server), calls(phone, times=3, every_s=600)])
        request = await office.asked()
        await office.at(9)
        assert (server.messages, phone.calls) == ([], [])
        await office.at(10)
        await office.at(11)
        assert len(server.messages) == 1
        await office.at(20)
        await office.at(30)
        assert (len(server.messages), len(phone.calls)) == (1, 2)
        async with store.writing() as unit:
            yes = Decision(approved=True, by="you")
            await requests.decide(unit, request.id, yes, office.now)
        await office.at(40)
        assert len(phone.calls) == 2
        assert await office.states() == [(0, 0, "sent"), (1, 0, "sent"), (1, 1, "sent")]
        async with store.reading() as unit:
            sent = await audit.entries(unit, "captain", verb="send")
            assert [e.target for e in sent] == [
                *("email:ops@example.org", "webhook:127.0.0.1", "webhook:127.0.0.1")
            ]


async def test_a_mail_says_what_waits_and_how_it_is_decided(store: Store, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("localhost"))
    async with mail_server(tls=context, user="parley", password=PASSWORD) as server:
        step = mails(server, user="parley", password="env:SMTP", after_s=0)
        office = Office(store, [step | {"tls_authority": str(authority.certificate)}])
        await office.asked()
        await office.at(0)
        [(sender, recipient, raw)] = server.messages
        assert (sender, recipient) == ("parley@example.org", "ops@example.org")
        assert raw.isascii()
        message = email.message_from_string(raw, policy=email.policy.default)
        assert message["Subject"] == (
            "AP-1 waits for your yes or no: payment: GPU hours — für den Index"
        )
        assert message["Message-ID"] == "<notice.1@example.org>"
        assert message["Bcc"] is None
        text = message.get_content()
        assert "Estimated cost: 12.00 EUR" in text
        assert "Rejects itself: 2026-11-20 14:00 UTC" in text
        assert "/approve AP-1 or /reject AP-1 REASON" in text
        [notice] = await office.notices()
        assert notice.proof == "smtp:250 taken as 4711"


async def test_a_server_that_nobody_vouches_for_gets_no_password(
    store: Store, tmp_path: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Authority(tmp_path).issue("localhost"))
    async with mail_server(tls=context, user="parley", password=PASSWORD) as server:
        step = mails(server, user="parley", password="env:SMTP", after_s=0)
        office = Office(store, [step])
        await office.asked()
        await office.at(0)
        assert "AUTH" not in server.said
        [notice] = await office.notices()
        assert (notice.state, PASSWORD in notice.proof) == ("waiting", False)
        # Nor does one that offers no TLS at all.
        server.tls = None
        await office.at(1)
        assert "AUTH" not in server.said


@pytest.mark.parametrize(
    ("fault", "states"),
    [
        ({"RCPT": "450 later"}, ["waiting", "waiting", "sent"]),
        ({"MAIL": "hang up"}, ["waiting", "waiting", "sent"]),
        ({"DATA": "451 later"}, ["waiting", "waiting", "sent"]),
        ({"message": "452 full"}, ["waiting", "waiting", "sent"]),
        ({"RCPT": "550 nobody"}, ["failed", "failed", "failed"]),
        ({"message": "554 no"}, ["failed", "failed", "failed"]),
        # It has the whole message, and nobody knows what it did with it.
        ({"message": "hang up"}, ["unknown", "unknown", "unknown"]),
    ],
)
async def test_a_mail_is_sent_again_only_if_it_surely_did_not_leave(
    store: Store, fault: dict[str, str], states: list[str]
) -> None:
    async with mail_server(faults=fault) as server:
        office = Office(store, [mails(server, after_s=0)])
        await office.asked()
        seen = []
        for minutes in (0.0, 0.1, 1.0):
            if minutes == 1.0:
                server.faults = {}
            await office.at(minutes)
            seen.append((await office.notices())[0].state)
        assert seen == states
        async with store.reading() as unit:
            warned = await audit.entries(unit, "captain", verb="notice")
        assert len(warned) == (0 if states[-1] == "sent" else 1)


async def test_what_did_not_leave_is_looked_at_as_soon_as_it_may_be_tried_again(
    store: Store,
) -> None:
    async with mail_server(faults={"RCPT": "450 later"}) as server:
        office = Office(store, [mails(server, after_s=0)])
        await office.asked()
        await office.at(0)
        office.now = NOON + timedelta(seconds=16)
        assert await office.escalation.look() == 4


async def test_what_never_leaves_is_given_up_and_told(store: Store) -> None:
    async with mail_server() as server:
        port = server.port
    step = {"via": "email", "host": "127.0.0.1", "port": port, "security": "none", "after_s": 0}
    office = Office(store, [step | {"sender": "a@example.org", "to": ["b@example.org"]}])
    await office.asked()
    for minutes in range(40):
        await office.at(minutes)
    [notice] = await office.notices()
    assert (notice.state, notice.tries) == ("failed", 6)
    async with store.reading() as unit:
        [warned] = await audit.entries(unit, "captain", verb="notice")
    assert warned.reason.startswith("word of AP-1 to email:b@example.org was not sent: ")


async def test_ntfy_and_signal_get_what_they_ask_for(store: Store) -> None:
    async with gateway() as phone:
        ntfy = calls(
            phone,
            after_s=0,
            secret="env:NTFY",
            headers={"Authorization": "Bearer {secret}", "X-About": "{title}"},
            body={
                "topic": "parley",
                "title": "{code} {kind}",
                "message": "{reason}",
                "priority": 5,
            },
        )
        signal_cli = calls(
            phone,
            after_s=0,
            url=f"{phone.url}/v2/send?about={{title}}",
            body={"message": "{text}", "number": "+4900", "recipients": ["+4911"]},
        )
        office = Office(store, [ntfy, signal_cli])
        await office.asked()
        await office.at(0)
        (path, headers, body), (path2, headers2, body2) = phone.calls
        assert path == "/"
        assert headers["Authorization"] == "Bearer tk_4711"
        assert headers["X-About"] == "GPU hours ? f?r den Index"
        assert headers["Idempotency-Key"] == "notice.1"
        # What an agent wrote stands for nothing, and ends no text.
        assert body == {
            "topic": "parley",
            "title": "AP-1 payment",
            "message": 'nine days {code} "here" Bcc: everybody@example.org',
            "priority": 5,
        }
        assert path2 == "/v2/send?about=GPU%20hours%20%E2%80%94%20f%C3%BCr%20den%20Index"
        assert "Authorization" not in headers2
        assert (body2["number"], body2["recipients"]) == ("+4900", ["+4911"])
        assert "Silence is a no." in body2["message"]


@pytest.mark.parametrize(
    ("status", "state", "came"),
    [
        (500, "unknown", 1),
        (0, "unknown", 1),
        (503, "sent", 2),
        (429, "sent", 2),
        (403, "failed", 1),
        (307, "failed", 1),
    ],
)
async def test_a_gateway_is_called_again_only_if_it_did_nothing(
    store: Store, status: int, state: str, came: int
) -> None:
    async with gateway() as phone:
        phone.answers = [status]
        office = Office(store, [calls(phone, after_s=0)])
        await office.asked()
        await office.at(0)
        await office.at(1)
        assert await office.states() == [(0, 0, state)]
        assert len(phone.calls) == came


async def test_a_killed_captain_tells_nobody(store: Store) -> None:
    async with mail_server() as server:
        office = Office(store, [mails(server, after_s=0)])
        await office.asked()
        office.latch = Latch(
            scope="all", killed=True, by="you", door="t", reason="", changed_at=NOON
        )
        await office.at(0)
        assert await office.notices() == []
        office.latch = None
        await office.at(1)
        assert len(server.messages) == 1


async def test_a_captain_that_was_away_says_the_newest_word_only(store: Store) -> None:
    async with gateway() as phone:
        office = Office(store, [calls(phone, after_s=60, times=5, every_s=60)])
        await office.asked()
        await office.at(3.5)
        assert await office.states() == [(0, 2, "sent")]
        await office.at(100)
        await office.at(119)
        assert await office.states() == [(0, 2, "sent"), (0, 4, "sent")]


async def test_kill_9_over_a_word_leaves_it_unknown_and_it_is_not_said_again(
    store: Store, empty_database: str
) -> None:
    # The server has the message and does not answer: there the sender dies.
    gate = asyncio.Event()
    async with mail_server(hold=gate) as server:
        office = Office(store, [])
        await office.asked()
        sender = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("sender.py")),
            *(empty_database, json.dumps([mails(server, after_s=0)])),
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        async with asyncio.timeout(30):
            await server.came.wait()
        sender.send_signal(signal.SIGKILL)
        await sender.wait()
        gate.set()
        assert await office.states() == [(0, 0, "sending")]

        after = Office(store, [mails(server, after_s=0)], epoch=2)
        await after.at(1)
        await after.at(30)
        assert await after.states() == [(0, 0, "unknown")]
        assert len(server.messages) == 1
        async with store.reading() as unit:
            [warned] = await audit.entries(unit, "captain", verb="notice")
        assert "may not have arrived" in warned.reason
