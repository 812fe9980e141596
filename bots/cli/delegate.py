"""delegate: hand work to an agent from a shell or a script, and wait for what comes of it."""

from __future__ import annotations

import http
import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bots.cli.control import Supervisor
from bots.cli.exits import CommandError, Exit
from bots.cli.hooks import HookClient, NoDoor, Refusal
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.hooks.token import hook_token
from bots.secrets import SecretError, resolve

#: a request is kept waiting so long at most; what takes longer is asked about again
_ONE_WAIT_S = 60.0
#: an agent that has just died is replaced within this time
_PATIENCE_S = 15.0
_LOOK_AGAIN_S = 0.5
#: states of an agent that has no door
_SHUT = ("failed", "stopped", "hung")
_EXITS = {400: Exit.USAGE, 401: Exit.USAGE, 404: Exit.USAGE}

Doors = Callable[[], HookClient]


def delegate(
    agent: Annotated[
        str, typer.Argument(help="Name of the agent, or auto: whoever is best at it.")
    ],
    instruction: Annotated[
        str, typer.Argument(help="What is wanted, in plain words; - reads it from standard input.")
    ],
    channel: Annotated[
        str,
        typer.Option(help="Say the result there too: irc:#reports, discord:#reports, #reports."),
    ] = "",
    *,
    deliver: Annotated[
        bool, typer.Option("--deliver/--no-deliver", help="Whether the result is said anywhere.")
    ] = True,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the result; 0 only hands it over.")
    ] = 60.0,
    priority: Annotated[str, typer.Option(help="high, normal or low.")] = "normal",
    key: Annotated[
        str, typer.Option(help="Idempotency key: the same key gives the first result again.")
    ] = "",
    hook: Annotated[
        str, typer.Option(help="URL of an agent's door on another machine; else the swarm here.")
    ] = "",
    token: Annotated[
        str, typer.Option(help="Its token, by reference: env:NAME, file:PATH or keyring:NAME.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="All that is known, for scripts.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Hand work to an agent and print what comes of it.

    Exit codes: 0 done, and with a channel also said there (without --wait: handed over); 1 failed,
    or not said; 2 not understood, such as an agent that does not exist; 3 no swarm runs here; 4
    killed; 6 not done within --wait, and it goes on.
    """
    words = sys.stdin.read() if instruction == "-" else instruction
    doors = _doors(agent, hook, token, config)
    body: dict[str, Any] = {
        "message": words,
        "agentId": agent,
        "priority": priority,
        "name": "shell",
    }
    if channel and deliver:
        body |= {"deliver": True, "channel": channel}
    if not deliver:
        body["deliver"] = False
    try:
        status, told = _waited(doors, body, wait, key or uuid.uuid4().hex)
    except Refusal as refusal:
        if as_json:
            typer.echo(json.dumps(refusal.answer))
        raise CommandError(str(refusal), _exit_of(refusal)) from None
    is_settled = status == http.HTTPStatus.OK
    typer.echo(json.dumps(told) if as_json else _in_words(told, is_settled=is_settled))
    if not is_settled:
        code = Exit.UNFINISHED if wait > 0 else Exit.OK
    else:
        code = Exit.OK if told["status"] == "done" and not told["undelivered"] else Exit.FAILED
    if code is not Exit.OK:
        raise typer.Exit(code)


def _waited(
    doors: Doors, body: dict[str, Any], wait: float, key: str
) -> tuple[int, dict[str, Any]]:
    """Status and answer once it is settled, or as it is after `wait` seconds.

    The key makes asking again harmless: a door that dies is exchanged for another one.
    """
    until = time.monotonic() + wait
    patient_until = time.monotonic() + _PATIENCE_S
    while True:
        left = max(0.0, until - time.monotonic())
        wait_s = min(left, _ONE_WAIT_S)
        try:
            status, told = doors().post(
                "/hooks/agent", body | {"wait": wait_s}, key=key, wait_s=wait_s
            )
        except NoDoor as error:
            if time.monotonic() > max(until, patient_until):
                raise CommandError(str(error)) from None
            time.sleep(_LOOK_AGAIN_S)
            continue
        if status == http.HTTPStatus.OK or left <= _ONE_WAIT_S:
            return status, told


def _exit_of(refusal: Refusal) -> Exit:
    # A store that does not answer is a 503, too.
    if refusal.answer.get("code") == "killed":
        return Exit.KILLED
    return _EXITS.get(refusal.status, Exit.FAILED)


def _in_words(told: dict[str, Any], *, is_settled: bool) -> str:
    if not is_settled:
        return f"{told['id']}: {told['agent']} has it ({told['status']})."
    if told["status"] != "done":
        return f"{told['id']}: {told['status']}: {told['error']}"
    lines = [told["result"]]
    if told["delivered"]:
        lines.append(f"(said in {told['delivered']['target']})")
    if told["undelivered"]:
        lines.append(f"(not said: {told['undelivered']})")
    return "\n".join(lines)


def _doors(agent: str, hook: str, token: str, config: Path) -> Doors:
    """Gives a door to ask at, whichever is open at the moment."""
    if hook:
        if not token:
            raise CommandError(
                "--hook needs --token: env:NAME, file:PATH or keyring:NAME", Exit.USAGE
            )
        try:
            door = HookClient(hook, resolve(token))
        except SecretError as error:
            raise CommandError(str(error), Exit.USAGE) from None
        return lambda: door
    settings, state = open_project(config)
    Supervisor.require(state)
    try:
        secret = hook_token(settings, state)
    except (SecretError, OSError) as error:
        raise CommandError(f"The hooks' token cannot be had: {error}") from None

    def open_one() -> HookClient:
        agents = {a["name"]: a for a in Supervisor.require(state).get("/status")["agents"]}
        # Who may hand work to everybody comes next to who is meant.
        for name in dict.fromkeys((agent, settings.captain, *agents)):
            known = agents.get(name)
            if known and known["door_url"] and known["state"] not in _SHUT:
                return HookClient(known["door_url"], secret)
        raise NoDoor("No agent of this swarm is up: `run.py status` says why.")

    return open_one
