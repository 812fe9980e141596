"""Nothing acts without a permit: a rule over the source of every room, read as a syntax tree.

A function that calls an effect primitive takes a `Permit`, and only the guard makes one. Code
that acts without being an agent's act (processes of the operator, the protocol's own chores) is
named here, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bots", "brain", "market", "storage")
GUARD = "brain/guard.py"

#: methods and functions that reach outside the process, by their last name
PRIMITIVES = frozenset(
    {
        # chat
        "privmsg",
        "notice",
        "action",
        "ctcp",
        "ctcp_reply",
        "send_message",
        "edit_original_response",
        "send_modal",
        "edit_message",
        "delete_message",
        "add_reaction",
        "send_typing",
        "start_thread_with_message",
        "edit_profile",
        # programs
        "create_subprocess_exec",
        "create_subprocess_shell",
        "Popen",
        "execv",
        "execve",
        "execvp",
        "spawnv",
        "system",
        "startfile",
        # HTTP
        "post",
        "put",
        "patch",
        "request",
        "urlopen",
        # mail
        "sendmail",
        # the function behind a tool
        "function",
    }
)
#: every function of these modules is one
PRIMITIVE_MODULES = frozenset({"subprocess"})
#: what a line to people begins with on IRC, wherever it is written to a wire by `send`
SPOKEN = ("PRIVMSG ", "NOTICE ", "TOPIC ", "KICK ")

#: file or folder, perhaps with ``:function`` → why it may act without a permit
ALLOWED = {
    "bots/supervisor": "starts and ends the swarm's own processes, for the operator who ran it",
    "bots/cli": "runs in the operator's terminal on the operator's word; no agent is involved",
    "bots/replay": "speaks as the people of a log, on the operator's word; no agent is involved",
    "bots/tour": "plays people and the operator of a swarm of its own; no agent is involved",
    "bots/doctor": "asks the machine how it is, on the operator's word",
    "bots/console": "carries what a person does in the page to the guild and the control door",
    "bots/sandbox": "plays Discord for others: it does what its clients ask, no agent runs in it",
    "brain/models/openai_client.py:ask": "reached through Metered alone, which asks the guard",
    "bots/service.py": "asks systemd on the operator's word",
    "bots/discord/avatars.py:show": "wears the picture that the operator configured",
    "bots/irc/speech.py:_write": "reached through IrcTransport.say alone, which checks the permit",
    "bots/irc/session.py:_answer": "CTCP PING and VERSION: the protocol's own chores, rate limited",
    "bots/irc/session.py:_ready": "proves to the network's services who we are",
    "bots/irc/regain.py:_try": "asks the network's services for our own nick",
}


@dataclass(frozen=True)
class Offence:
    place: str
    what: str


def offences(source: str, path: str) -> Iterator[Offence]:
    """What `source` does without a permit, and permits that it makes itself."""
    yield from _walk(ast.parse(source), path, "", permitted=False)


def _walk(node: ast.AST, path: str, function: str, *, permitted: bool) -> Iterator[Offence]:
    for child in ast.iter_child_nodes(node):
        name, allowed = function, permitted
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name, allowed = child.name, permitted or _takes_permit(child)
        if isinstance(child, ast.Call):
            called = _dotted(child.func)
            if called.rpartition(".")[2] == "Permit" and path != GUARD:
                yield Offence(f"{path}:{name}", "makes a Permit")
            if not allowed and _is_effect(child, called):
                yield Offence(f"{path}:{name}", f"calls {called}")
        yield from _walk(child, path, name, permitted=allowed)


def _takes_permit(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return any(a.annotation and ast.unparse(a.annotation).endswith("Permit") for a in every)


def _is_effect(call: ast.Call, called: str) -> bool:
    module, _, last = called.rpartition(".")
    if last in PRIMITIVES or module in PRIMITIVE_MODULES:
        return True
    return last == "send" and any(
        isinstance(n, ast.Constant) and isinstance(n.value, str) and _is_spoken(n.value)
        for argument in call.args
        for n in ast.walk(argument)
    )


def _is_spoken(text: str) -> bool:
    return text.startswith(SPOKEN)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _allowance(offence: Offence) -> str | None:
    """The entry of `ALLOWED` that covers it."""
    if offence.what == "makes a Permit":
        return None
    file = offence.place.partition(":")[0]
    for entry in ALLOWED:
        if entry in (offence.place, file) or file.startswith(f"{entry}/"):
            return entry
    return None


def _found() -> list[Offence]:
    files = [p for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))]
    return [
        offence
        for path in files
        for offence in offences(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def test_every_function_that_acts_takes_a_permit_and_only_the_guard_makes_one() -> None:
    assert [o for o in _found() if _allowance(o) is None] == []


def test_no_allowance_outlives_its_reason() -> None:
    used = {_allowance(offence) for offence in _found()}
    existing = {entry for entry in ALLOWED if (ROOT / entry.partition(":")[0]).exists()}
    assert existing - used == set()


@pytest.mark.parametrize(
    "source",
    [
        "async def shout(transport): await transport.privmsg('#lobby', 'hello')",
        "def shout(wire): wire.send(f'PRIVMSG {place} :hello')",
        "def shout(wire): wire.send('PRIVMSG #lobby :' + text)",
        "async def run(): await asyncio.create_subprocess_exec('ls')",
        "def run(): subprocess.run(['ls'])",
        "async def fetch(session): await session.post('http://example.org')",
        "def outer(permit: Permit): pass\ndef inner(c): c.notice('a', 'b')",
        "async def use(tool, context): return await tool.function(context)",
        "permit = Permit(act=act, audit_hash='', good_until_s=1e9)",
        "def forge(permit: Permit): return acts.Permit(act=permit.act)",
        "subprocess.Popen(['ls'])",
    ],
)
def test_the_rule_bites(source: str) -> None:
    assert list(offences(source, "bots/anything.py"))


@pytest.mark.parametrize(
    "source",
    [
        "async def say(self, permit: Permit): await self.transport.privmsg('#lobby', 'hello')",
        "def run(self, *, permit: acts.Permit): subprocess.run(['ls'])",
        "def say(permit: Permit):\n    def later(): wire.send('PRIVMSG #a :x')",
        "def ping(wire): wire.send('PING :token')",
        "async def say(mouth, permit: Permit): await mouth.say('hello', permit)",
    ],
)
def test_the_rule_lets_pass_what_has_a_permit_or_acts_on_nobody(source: str) -> None:
    assert not list(offences(source, "bots/anything.py"))
