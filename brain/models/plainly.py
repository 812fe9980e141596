"""A model that takes words as they are: what is fenced for others is bare to it."""

from __future__ import annotations

import dataclasses

from brain.model import Completion, Conversation, Message, Reader, Role
from brain.models.around import Around
from brain.prompting.fencing import plain, question_in


class Plainly(Around):
    """`model` in a chain behind others: it gets the questions alone, and findings without marks."""

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        bare = tuple(map(_bare, conversation.messages))
        return await self._model.query(dataclasses.replace(conversation, messages=bare), reader)


def _bare(message: Message) -> Message:
    if message.role is Role.USER:
        return dataclasses.replace(message, text=question_in(message.text))
    if message.role is Role.TOOL:
        return dataclasses.replace(message, text=plain(message.text))
    return message
