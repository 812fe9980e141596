"""Who knows about something: by what people said, and by what agents declare."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

from brain.conversations import is_question
from brain.tools.context import AgentCard, Context
from brain.tools.quoting import counted, of_people, quote
from brain.tools.registry import Effects, ToolResult, tool
from brain.words import stems
from storage import search as full_text
from storage.search import Found

LOOKED_AT = 200
SHOWN = 3


@tool(effects=Effects.READS, guard_class="memory")
async def who_knows(
    context: Context, topic: Annotated[str, "the subject, in a few words"]
) -> ToolResult:
    """Who talked most knowledgeably about a subject, with a line of each, and which agents deal
    with it.
    """
    async with context.store.reading() as unit:
        found = await full_text.find(unit, topic, limit=LOOKED_AT)
    wanted = set(stems(topic))
    talk = of_people(context)
    said = [f for f in found if context.may_quote(f.network, f.channel) and talk(f.sender, f.text)]
    whole = [f for f in said if wanted <= set(stems(f.text))]
    rows, evidence = _people(context, whole or said, wanted)
    agents = [_agent(card) for card in able(context.roster(), topic)]
    if not rows and not agents:
        return ToolResult(
            text=f"I have heard nobody talk about “{topic}”, and no agent deals with it."
        )
    head = f"Who knows about “{topic}”, by what they said (UTC):" if rows else ""
    nobody = "" if rows else f"I have heard nobody talk about “{topic}”."
    lines = [head or nobody, *rows, *agents]
    return ToolResult(text="\n".join(lines), evidence_ids=evidence)


def _people(
    context: Context, said: Sequence[Found], wanted: set[str]
) -> tuple[list[str], tuple[int, ...]]:
    lines: defaultdict[str, list[Found]] = defaultdict(list)
    for found in said:
        lines[found.sender].append(found)
    ranked = sorted(lines, key=lambda nick: -sum(_weight(f, wanted) for f in lines[nick]))
    now = context.now()
    rows, evidence = [], []
    for nick in ranked[:SHOWN]:
        best = max(lines[nick], key=lambda f: _weight(f, wanted))
        row = quote(
            best.text,
            at=best.said_at,
            nick=nick,
            now=now,
            channel=best.channel,
            around=" ".join(wanted),
        )
        rows.append(f"{nick} ({counted(len(lines[nick]), 'line')}): {row}")
        evidence.append(best.id)
    return rows, tuple(evidence)


def _weight(found: Found, wanted: set[str]) -> float:
    """Telling somebody shows knowledge, asking shows the want of it; a longer line says more."""
    bag = stems(found.text)
    asks = 0.25 if is_question(found.text) else 1.0
    return asks * math.sqrt(min(len(bag), 15)) * (1 + len(wanted & set(bag)))


def able(roster: Sequence[AgentCard], topic: str) -> list[AgentCard]:
    """Agents whose capabilities, role or description share a word with `topic`, best first."""
    wanted = set(stems(topic))
    scores = [(_fit(card, wanted), card) for card in roster]
    return [card for score, card in sorted(scores, key=lambda s: (-s[0], s[1].name)) if score]


def _fit(card: AgentCard, wanted: set[str]) -> int:
    declared = set(stems(" ".join(card.capabilities).replace("-", " ")))
    told = set(stems(f"{card.name} {card.role} {card.description}".replace("-", " ")))
    return 3 * len(wanted & declared) + len(wanted & told)


def _agent(card: AgentCard) -> str:
    return f"Agent {card.nick}: {card.description}"
