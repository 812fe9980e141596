"""A model that is not left to itself: it answers questions, and nothing else is asked of it."""

from __future__ import annotations

import dataclasses

from brain.errors import BadAnswer, RequestRefused
from brain.model import Completion, Conversation, Reader, Role
from brain.models.around import Around
from brain.prompting.fencing import has_question


class OnlyAsked(Around):
    """`model`, which has no judgement, or a weak one. What an agent remembers, and what it does by
    itself, is not for it to say, also where the models before it in a chain have failed.
    """

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """Raises `RequestRefused` where nobody asks, `BadAnswer` for nothing but calls of tools
        that it was not given.
        """
        said = (m.text for m in conversation.messages if m.role is Role.USER)
        if not any(map(has_question, said)):
            raise RequestRefused(f"{self.label} answers questions only")
        completion = await self._model.query(conversation, reader)
        given = {tool.name for tool in conversation.tools}
        calls = tuple(call for call in completion.tool_calls if call.name in given)
        if len(calls) == len(completion.tool_calls):
            return completion
        if not calls and not completion.text.strip():
            raise BadAnswer(f"{self.label} called a tool that it was not given")
        return dataclasses.replace(completion, tool_calls=calls)
