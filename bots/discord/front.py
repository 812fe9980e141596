"""Where slash commands, buttons and modals arrive: a kill first, everything else acknowledged at
once and then answered by the desk.

An interaction dies with its process: its token is written down nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import discord

from bots.commands.asked import Asked
from bots.commands.parse import parse
from bots.commands.registry import Arguments, Command, Unclear
from bots.commands.steering import ScopeError, scope_of
from bots.control.operators import NotAnOperator, Operators
from bots.control.switch import KillSwitch
from bots.discord.answers import Answers
from bots.discord.completion import choices
from bots.discord.interactions import Reader, focused, name_of
from bots.irc.wire import Log
from bots.metrics import ERRORS
from brain.errors import Refused
from brain.guard import ALLOWED_WHEN_KILLED, UNRECORDED
from storage.errors import PermitRefused, StorageError

#: gives the answer to a command, see `bots.answering.desk.Desk.answer`
Answer = Callable[[Command, Asked, Arguments], Awaitable[str]]
#: carries out a press or a filled-in modal, the answer to it included
Handler = Callable[[discord.Interaction], Awaitable[None]]


class Front:
    """One application's end of its interactions."""

    def __init__(
        self,
        commands: Sequence[Command],
        answer: Answer,
        *,
        reader: Reader,
        answers: Answers,
        operators: Operators,
        switch: KillSwitch,
        agents: Sequence[str],
        channels: Callable[[], Sequence[str]],
        listen_only: Callable[[str], bool],
        serves: Callable[[int], bool],
        log: Log,
    ) -> None:
        """`commands` are those that this application carries; `agents` and `channels` are offered
        while options are typed. Where agents only listen, answers are seen by the asker alone.
        `serves` says whether the guild with this id is ours: in others it does nothing but kill.
        """
        self._commands = {command.slash_name: command for command in commands}
        self._answer = answer
        self._reader = reader
        self._answers = answers
        self._operators = operators
        self._switch = switch
        self._agents = tuple(agents)
        self._channels = channels
        self._listen_only = listen_only
        self._serves = serves
        self._log = log
        #: custom id up to its first colon → who handles the component or modal
        self.components: dict[str, Handler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: what makes answers that a kill takes back
        self._answering: set[asyncio.Task[str]] = set()

    def on_interaction(self, interaction: discord.Interaction) -> None:
        """Take one interaction; called by the transport, which does not wait."""
        self._start(self._guarded(interaction))

    def hush(self) -> None:
        """A kill: end what is being answered, but for what a killed agent still answers."""
        for task in list(self._answering):
            task.cancel()

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, interaction: discord.Interaction) -> None:
        try:
            await self._take(interaction)
        except Exception as error:  # noqa: BLE001 - the outermost frame of one piece of work
            ERRORS.labels("interaction").inc()
            self._log.warning(
                "interaction_failed", interaction=str(interaction.id), error=repr(error)
            )
            if (
                interaction.response.type
                is discord.InteractionResponseType.deferred_channel_message
            ):
                # No "thinking…" may stand there for an answer that does not come.
                await self._answers.withdraw(interaction)

    async def _take(self, interaction: discord.Interaction) -> None:
        if not self._is_for_us(interaction):
            await self._turn_away(interaction)
            return
        match interaction.type:
            case discord.InteractionType.application_command:
                await self._command(interaction)
            case discord.InteractionType.autocomplete:
                await self._complete(interaction)
            case discord.InteractionType.component | discord.InteractionType.modal_submit:
                await self._component(interaction)

    def _is_for_us(self, interaction: discord.Interaction) -> bool:
        """Asked in private or in our guild; a kill counts wherever an operator is."""
        guild = interaction.guild_id
        if guild is None or self._serves(guild):
            return True
        command = self._commands.get(name_of(interaction))
        is_command = interaction.type is discord.InteractionType.application_command
        return is_command and command is not None and command.name == "kill"

    async def _turn_away(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            await self._answers.complete(interaction, [])
        else:
            await self._refuse(interaction, "I work in another guild; here I only obey a kill.")

    # --- commands ---------------------------------------------------------------------------------

    async def _command(self, interaction: discord.Interaction) -> None:
        command = self._commands.get(name_of(interaction))
        if command is None:
            # An entry of another version of us; its registration is on its way.
            await self._refuse(interaction, "I do not know that command any more; type / anew.")
            return
        try:
            arguments = self._reader.arguments(command, interaction)
        except Unclear as error:
            await self._refuse(interaction, str(error))
            return
        asked = self._reader.asked(command, arguments, interaction)
        private = self._is_private(command, asked)
        # A kill waits for nothing: not for Discord's receipt, not for the store.
        killing = self._start(self._kill(asked)) if command.name == "kill" else None
        if killing is not None:
            await asyncio.sleep(0)
        there = await self._answers.acknowledge(interaction, private=private)
        if killing is not None:
            await asyncio.wait({killing})
        if not there:
            return
        text = await self._unless_killed(command, asked, arguments)
        if text is None:
            await self._told_killed(interaction, asked, private=private)
            return
        await self._say(interaction, asked, text, command=command.name, private=private)

    def _is_private(self, command: Command, asked: Asked) -> bool:
        if command.steering and not self._may_steer(asked):
            return True
        return command.private or self._listen_only(asked.channel)

    def _may_steer(self, asked: Asked) -> bool:
        try:
            self._operators.vouch(asked.evidence)
        except NotAnOperator:
            return False
        return True

    async def _kill(self, asked: Asked) -> None:
        """Kill if an operator says so; the command's answer, or its refusal, comes by the desk."""
        try:
            by = self._operators.vouch(asked.evidence)
            spoken = parse(asked.words, "")
            if spoken is None:
                return
            scope, reason = scope_of(spoken, frozenset(self._agents))
        except (NotAnOperator, ScopeError) as error:
            self._log.warning("kill.refused", sender=asked.sender, why=str(error))
            return
        await self._switch.kill(scope, f"{asked.sender} ({by})", asked.session, reason)

    async def _unless_killed(
        self, command: Command, asked: Asked, arguments: Arguments
    ) -> str | None:
        """The answer; None when a kill ended the work on it."""
        if command.when_killed:
            return await self._text(command, asked, arguments)
        task = asyncio.create_task(self._text(command, asked, arguments))
        self._answering.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            us = asyncio.current_task()
            if us is not None and us.cancelling():
                task.cancel()
                raise
            return None
        finally:
            self._answering.discard(task)

    async def _text(self, command: Command, asked: Asked, arguments: Arguments) -> str:
        try:
            return await self._answer(command, asked, arguments)
        except Refused as error:
            return f"No: {error.reason}."
        except StorageError as error:
            return f"I cannot reach what I remember: {error}"

    async def _say(
        self,
        interaction: discord.Interaction,
        asked: Asked,
        text: str,
        *,
        command: str,
        private: bool,
    ) -> None:
        """Say it; where the guard lets nothing be said, take back the promise of an answer."""
        if self._switch.latch is not None and command not in ALLOWED_WHEN_KILLED:
            # All that a killed agent says is by whom and when: its status.
            command = "status"
        why = f"{asked.sender}: {asked.text.partition(' ')[0]}"
        try:
            permit = await self._answers.permit(
                interaction, text, command=command, why=why, trace_id=asked.trace_id
            )
            await self._answers.say(interaction, text, permit, private=private)
        except (Refused, PermitRefused) as error:
            self._log.warning("interaction_refused", why=str(error), trace_id=asked.trace_id)
            if isinstance(error, Refused) and error.policy == UNRECORDED:
                await self._answers.withdraw(interaction)
                return
            await self._told_killed(interaction, asked, private=private)

    async def _told_killed(
        self, interaction: discord.Interaction, asked: Asked, *, private: bool
    ) -> None:
        """A kill came while the answer was made."""
        latch = self._switch.latch
        if latch is None:
            await self._answers.withdraw(interaction)
            return
        text = f"Killed by {latch.by} at {latch.changed_at:%Y-%m-%d %H:%M:%S} UTC."
        try:
            permit = await self._answers.permit(
                interaction, text, command="status", why="killed", trace_id=asked.trace_id
            )
            await self._answers.say(interaction, text, permit, private=private)
        except (Refused, PermitRefused):
            await self._answers.withdraw(interaction)

    async def _refuse(self, interaction: discord.Interaction, text: str) -> None:
        """Say to the asker alone why nothing is done."""
        if not await self._answers.acknowledge(interaction, private=True):
            return
        try:
            permit = await self._answers.permit(
                interaction,
                text,
                command="status",
                why=f"refused {name_of(interaction)}",
                trace_id="",
            )
            await self._answers.say(interaction, text, permit, private=True)
        except (Refused, PermitRefused) as error:
            self._log.warning("interaction_refused", why=str(error))
            await self._answers.withdraw(interaction)

    # --- what is typed, pressed and filled in -----------------------------------------------------

    async def _complete(self, interaction: discord.Interaction) -> None:
        command = self._commands.get(name_of(interaction))
        name, typed = focused(interaction)
        options = {option.name: option for option in command.options} if command else {}
        names: list[str] = []
        if name in options:
            names = choices(
                options[name].kind, typed, agents=self._agents, channels=self._channels()
            )
        await self._answers.complete(interaction, names)

    async def _component(self, interaction: discord.Interaction) -> None:
        handler = self.components.get(name_of(interaction).partition(":")[0])
        if handler is None:
            await self._refuse(interaction, "That does nothing here any more.")
            return
        await handler(interaction)
