"""What an agent is born with shows nowhere: not in its own form, not in its log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from bots import logs
from bots.agent.spec import AgentSpec
from bots.secrets import HIDDEN, Redactor
from bots.settings import Settings
from tests.short_logs import log_in_short

SECRETS = {
    "nats_password": "nats-4711-value",
    "control_token": "control-4711-value",
    "irc_server_password": "server-4711-value",
    "irc_account_password": "account-4711-value",
    "discord_token": "discord-4711-value",
    "signing_key": "signing-4711-value",
    "hook_token": "hook-4711-value",
    "sender_secrets": "sender-4711-value",
    "model_keys": "model-4711-value",
    "mcp_secrets": "mcp-4711-value",
    "people_secrets": "people-4711-value",
}


@pytest.fixture
def spec(tmp_path: Path) -> AgentSpec:
    agents = [{"name": "captain", "role": "captain", "soul": "captain"}]
    born = AgentSpec(
        name="captain",
        epoch=1,
        settings=Settings.model_validate({"agents": agents}),
        state_folder=tmp_path,
        prompts_folder=tmp_path,
        database_url="sqlite://",
        nats_url="",
        irc_host="",
        irc_port=0,
        operator_key="",
        nats_password=SecretStr(SECRETS["nats_password"]),
        control_token=SecretStr(SECRETS["control_token"]),
        irc_server_password=SecretStr(SECRETS["irc_server_password"]),
        irc_account_password=SecretStr(SECRETS["irc_account_password"]),
        discord_token=SecretStr(SECRETS["discord_token"]),
        signing_key=SecretStr(SECRETS["signing_key"]),
        hook_token=SecretStr(SECRETS["hook_token"]),
        sender_secrets={"github-1": SecretStr(SECRETS["sender_secrets"])},
        model_keys={"env:KEY": SecretStr(SECRETS["model_keys"])},
        mcp_secrets={"env:MCP": SecretStr(SECRETS["mcp_secrets"])},
        people_secrets={"env:SMTP": SecretStr(SECRETS["people_secrets"])},
    )
    # As it comes out of the fork server's socket.
    return AgentSpec.model_validate(json.loads(born.model_dump_json()))


def test_it_knows_all_its_secrets(spec: AgentSpec) -> None:
    assert sorted(spec.secrets()) == sorted(SECRETS.values())


def test_each_field_that_holds_one_is_among_them() -> None:
    """Whoever adds a field adds it to `secrets` too."""
    held = {
        name
        for name, field in AgentSpec.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert held == SECRETS.keys()


def test_its_form_shows_none(spec: AgentSpec) -> None:
    assert "4711" not in f"{spec!r} {spec} {spec.model_dump()}"


def test_its_log_shows_none(spec: AgentSpec, tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    path = tmp_path / "agent.log"
    logs.configure(path, bytes=20_000, files=1, redactor=Redactor(spec.secrets()))
    try:
        for name, value in SECRETS.items():
            structlog.get_logger().warning("said", what=value, **{f"{name}_{value}": 1})
            logging.getLogger("a.library").warning("with %s in the middle", value)
            structlog.get_logger().error("broke", exc_info=ValueError(f"bad {value}"))
    finally:
        for handler in [h for h in logging.getLogger().handlers if h not in before]:
            logging.getLogger().removeHandler(handler)
            handler.close()
        log_in_short()
    written = path.read_text()
    assert "4711" not in written
    assert written.count(HIDDEN) >= 3 * len(SECRETS)
