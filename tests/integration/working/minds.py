"""Minds as an agent's process makes them from its spec, with a store and no network."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from bots.agent.mind import Body
from bots.agent.spec import AgentSpec
from bots.answering.cards import Cards
from bots.clock import utc_now
from bots.roster import Roster
from bots.secrets import Redactor
from bots.settings import Settings
from brain.guard import Guard, LatchPolicy
from brain.model import Conversation, Message, Occasion, Role
from brain.prompting.fencing import Fence
from storage.store import Store

ROOT = Path(__file__).parents[3]
PRICE = {"input": 1, "output": 1}
KEYS = {"env:ONE": "the-key-of-anthropic", "env:TWO": "the-key-of-openai"}


def models(anthropic: str = "", openai: str = "", **more: Any) -> dict[str, Any]:
    """One model of each kind that the stub of the vendors knows."""
    return {
        "claude": {
            "provider": "anthropic",
            "model": "claude-sonnet-5",
            "keys": ["env:ONE"],
            "base_url": anthropic,
            "price": PRICE,
        },
        "gpt": {
            "provider": "openai",
            "model": "gpt-5-mini",
            "keys": ["env:TWO"],
            "base_url": openai,
            "price": PRICE,
        },
        "ollama": {
            "provider": "compatible",
            "model": "qwen3:8b",
            "base_url": openai or "http://127.0.0.1:9",
            "price": PRICE,
        },
        "small": {
            "provider": "compatible",
            "model": "qwen2.5:0.5b",
            "tools": True,
            "base_url": openai or "http://127.0.0.1:9",
            "price": PRICE,
        },
        "tiny": {"provider": "local"},
    } | more


def settings(captain: dict[str, Any], **more: Any) -> Settings:
    """A captain that thinks so, and a rook."""
    agents = [
        {"name": "captain", "role": "captain", "soul": "captain"} | captain,
        {"name": "rook", "role": "search", "soul": "secretary", "brain": "gpt"},
    ]
    return Settings.model_validate({"models": models(), "agents": agents} | more)


def spec(folder: Path, found: Settings, **more: Any) -> AgentSpec:
    """What the captain is born with, as it comes through the fork server."""
    given: dict[str, Any] = {
        "model_keys": {name: SecretStr(value) for name, value in KEYS.items()},
        "local_api": "http://127.0.0.1:9/v1",
    }
    born = AgentSpec(
        name="captain",
        epoch=1,
        settings=found,
        state_folder=folder,
        prompts_folder=ROOT / "prompts",
        database_url=f"sqlite:///{folder / 'parley.db'}",
        nats_url="",
        nats_password=SecretStr("nats-password"),
        irc_host="",
        irc_port=0,
        control_token=SecretStr("control-token"),
        operator_key="",
        **(given | more),
    )
    return AgentSpec.model_validate(json.loads(born.model_dump_json()))


async def nobody(_wish: dict[str, Any]) -> str:
    return ""


def body(born: AgentSpec, store: Store, **more: Any) -> Body:
    roster = Roster(born.settings)
    given: dict[str, Any] = {"ask": nobody, "redactor": Redactor(born.secrets())}
    return Body(
        spec=born,
        store=store,
        guard=Guard(store, [LatchPolicy(lambda _: None)], time.monotonic, utc_now),
        roster=roster,
        cards=Cards(born.settings, born.prompts_folder, roster),
        is_open=lambda _network, _channel: True,
        log=structlog.get_logger(),
        **(given | more),
    )


def asked(text: str = "hello") -> Conversation:
    """A person's question, as the prompts have it."""
    fenced = Fence(b"k").wrap(text, source="question", sender="ada")
    occasion = Occasion(agent="captain", session="irc:#lobby", task="inbox:1", trace_id="t")
    return Conversation(
        system="s", messages=(Message(role=Role.USER, text=fenced),), occasion=occasion
    )
