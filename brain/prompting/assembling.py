"""Prompts out of their parts. What seldom changes stands first and what changes each time last, so
that a provider's prompt cache is of use. Everything from outside is fenced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from brain.model import Message, Role
from brain.prompting.fencing import Fence, defused, label, one_line, redacted
from brain.prompting.scene import Asked, Look, Persona, Place
from brain.prompting.silence import SILENCE
from brain.prompting.templates import Prompt, Templates
from brain.tools.period import clock
from storage.sessions import History
from storage.tables import Message as Line

#: characters of one question, and of one line of talk, that are read
LONGEST_QUESTION: Final = 16_000
LONGEST_LINE: Final = 600


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """What a model is opened with."""

    system: str
    #: in turns of user and assistant, the last one a user's
    messages: tuple[Message, ...]
    #: kept with the turn: template, version, and a hash over all files that had a part in it
    reference: str


class Assembler:
    """`redact` hides secrets in a text: the last thing that happens to a prompt."""

    def __init__(self, templates: Templates, fence: Fence, redact: Callable[[str], str]) -> None:
        self._templates = templates
        self._fence = fence
        self._redact = redact

    def question(self, persona: Persona, place: Place, asked: Asked) -> Assembled:
        """The opening of a turn in which somebody asks; raises `PromptMissing`."""
        turn = self._templates.render(
            "turn",
            now=asked.now,
            thread=place.thread and self._fence.wrap(place.thread, source="thread"),
            topic=asked.topic and self._fence.wrap(asked.topic, source="topic", most=LONGEST_LINE),
            talk=self._talk(asked.talk, asked.now, place.channel or ""),
            market=self._facts(asked.market, "market"),
            by_agent=asked.by_agent,
            question=self._question(asked.text, asked.asker),
        )
        spoken = [*self._history(asked.history), Message(role=Role.USER, text=turn.text)]
        system = self._system(persona, place)
        return self._whole([*system, turn], spoken, persona)

    def look(self, persona: Persona, look: Look) -> Assembled:
        """The opening of a turn that nobody asked for; raises `PromptMissing`."""
        channels = [
            {
                "name": label(heard.name),
                "talk": self._talk(heard.talk, look.now, heard.name),
            }
            for heard in look.channels
        ]
        heartbeat = self._templates.render(
            "heartbeat",
            now=look.now,
            since=look.since,
            state=[one_line(fact) for fact in look.state],
            events=self._facts(look.events, "events"),
            market=self._facts(look.market, "market"),
            channels=channels,
            silence=SILENCE,
        )
        system = self._system(persona, None)
        message = Message(role=Role.USER, text=heartbeat.text)
        return self._whole([*system, heartbeat], [message], persona, named=heartbeat)

    def found(self, source: str, text: str) -> str:
        """What a tool found, as a model may read it: what the loop fences results with."""
        return self.clean(self._fence.wrap(text, source=source))

    def remembered(self, history: History, by: str) -> list[str]:
        """A conversation as material for a `task`, oldest first: the digest, then each question
        with what `by` answered.
        """
        pieces = [self._fence.wrap(history.digest, source="summary")] if history.digest else []
        for turn in history.turns:
            said = f"{turn.asker}: {turn.asked}\n{by}: {turn.answer or '(nothing)'}"
            at = f"{turn.finished_at:%Y-%m-%d %H:%M}"
            pieces.append(self._fence.wrap(said, source="turn", most=LONGEST_QUESTION, at=at))
        return pieces

    def task(self, name: str, data: Mapping[str, Any], material: Sequence[str]) -> Assembled:
        """A task that is done in one go, such as ``summarise``: the template `name`, filled with
        our own `data`, is the system prompt, `material` (fenced already) what it is done on.
        Raises `PromptMissing`.
        """
        prompt = self._templates.render(name, **data)
        message = Message(role=Role.USER, text="\n\n".join(material))
        return self._whole([prompt], [message], None)

    def _system(self, persona: Persona, place: Place | None) -> list[Prompt]:
        """The system prompt, and what it was made of behind it."""
        addition = self._addition(place)
        system = self._templates.render(
            "system",
            silence=SILENCE,
            swarm=persona.swarm,
            name=persona.name,
            nick=label(persona.nick),
            role=persona.role,
            soul=persona.soul.body,
            peers=[peer for peer in persona.peers if peer.name != persona.name],
            has_tools=persona.has_tools,
            place=place,
            channel=label(place.channel or "") if place else "",
            is_thread=bool(place and place.thread),
            addition=addition.text if addition else "",
        )
        return [system, addition] if addition else [system]

    def _addition(self, place: Place | None) -> Prompt | None:
        if place is None or place.channel is None:
            return None
        name = f"channels/{place.channel.lstrip('#&').lower()}"
        # Whoever names a channel names no file: only what is there already is looked for.
        return self._templates.render(name) if name in self._templates.names() else None

    def _history(self, history: History) -> list[Message]:
        spoken: list[Message] = []
        if history.digest:
            digest = self._fence.wrap(history.digest, source="summary")
            text = f"What you remember of this conversation:\n{digest}"
            spoken.append(Message(role=Role.USER, text=text))
        for turn in history.turns:
            asked = self._question(turn.asked, turn.asker)
            spoken.append(Message(role=Role.USER, text=asked))
            # A turn in silence leaves its question standing before the next one.
            if turn.answer.strip():
                answer = defused(turn.answer.strip())
                spoken.append(Message(role=Role.ASSISTANT, text=answer))
        return spoken

    def _question(self, text: str, asker: str) -> str:
        return self._fence.wrap(text, source="question", most=LONGEST_QUESTION, sender=asker)

    def _talk(self, lines: Sequence[Line], now: datetime, channel: str) -> str:
        said = "\n".join(told(line, now) for line in lines)
        return self._fence.wrap(said, source="talk", channel=channel) if said else ""

    def _facts(self, facts: Sequence[str], source: str) -> str:
        said = "\n".join(f"- {one_line(fact)}" for fact in facts)
        return self._fence.wrap(said, source=source) if said else ""

    def _whole(
        self,
        made_of: Sequence[Prompt],
        spoken: Sequence[Message],
        persona: Persona | None,
        *,
        named: Prompt | None = None,
    ) -> Assembled:
        soul = [_of_soul(persona)] if persona else []
        digest = hashlib.sha256("\n".join([*(p.digest for p in made_of), *soul]).encode())
        first = named or made_of[0]
        return Assembled(
            system=self.clean(made_of[0].text),
            messages=tuple(replace(m, text=self.clean(m.text)) for m in _alternating(spoken)),
            reference=f"{first.name}@{first.version}:{digest.hexdigest()[:8]}",
        )

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        return redacted(text, self._redact)


def told(line: Line, now: datetime) -> str:
    """``14:02 <alice> text`` in one line, ``14:02 <rook, an agent> text`` for one of us."""
    who = f"{label(line.sender)}, an agent" if line.agent else label(line.sender)
    text = one_line(line.text)
    shown = text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…"
    return f"{clock(line.said_at, now)} <{who}> {shown}"


def _of_soul(persona: Persona) -> str:
    return hashlib.sha256(persona.soul.body.encode()).hexdigest()


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """`messages` with neighbours of one role joined: some servers take strict turns only."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role is message.role:
            before = joined.pop()
            joined.append(replace(before, text=f"{before.text}\n\n{message.text}"))
        else:
            joined.append(message)
    return joined
