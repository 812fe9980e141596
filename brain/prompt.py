"""The system prompt: a template from `prompts/templates`, filled with who, where and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from string import Template

from brain.loop import Question
from brain.souls import Soul
from brain.tools.context import AgentCard


class SystemPrompt:
    """`template` names values as ``$name``; one that nobody fills is an error, never a blank."""

    def __init__(self, template: str, soul: Soul) -> None:
        self._template = Template(template)
        self._soul = soul

    @classmethod
    def load(cls, prompts: Path, soul: Soul) -> SystemPrompt:
        """From the folder `prompts`; raises `OSError` when the template is missing."""
        path = prompts / "templates" / "system.txt"
        return cls(path.read_text(encoding="utf-8"), soul)

    def render(self, question: Question, roster: Sequence[AgentCard], now: datetime) -> str:
        """The prompt for one question; raises `KeyError` for a value the template misspells."""
        own = next((card for card in roster if card.name == question.agent), None)
        others = [card for card in roster if card.name != question.agent]
        return self._template.substitute(
            nick=own.nick if own else question.agent,
            role=own.role if own else self._soul.description,
            soul=self._soul.body,
            place=question.channel or "a private conversation",
            asker=question.asker,
            now=f"{now:%Y-%m-%d %H:%M}",
            agents="\n".join(f"- {card.nick}: {card.description}" for card in others) or "- none",
        )
