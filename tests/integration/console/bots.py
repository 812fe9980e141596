"""Small real discord.py bots: what the page is tried against."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import discord
from discord import app_commands


class Question(discord.ui.Modal, title="A question"):
    """A form with two fields."""

    subject: discord.ui.TextInput[Question] = discord.ui.TextInput(label="Subject", max_length=40)
    body: discord.ui.TextInput[Question] = discord.ui.TextInput(
        label="Body", style=discord.TextStyle.paragraph, required=False
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"form: {self.subject.value} / {self.body.value}")


class Desk(discord.ui.View):
    """Buttons and a select."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Approve", style=discord.ButtonStyle.success, custom_id="yes")
    async def approve(self, interaction: discord.Interaction, _: object) -> None:
        embed = interaction.message.embeds[0] if interaction.message else discord.Embed()
        embed.description = f"Approved by {interaction.user.name}"
        await interaction.response.edit_message(embed=embed, view=None)

    @discord.ui.button(label="Reject", style=discord.ButtonStyle.danger, custom_id="no")
    async def reject(self, interaction: discord.Interaction, _: object) -> None:
        await interaction.response.send_modal(Question())

    @discord.ui.button(label="Silent", custom_id="silent")
    async def silent(self, interaction: discord.Interaction, _: object) -> None:
        """Never answers: the person must hear of it."""


class Picks(discord.ui.View):
    """A select."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.select(
        custom_id="pick",
        placeholder="Pick a colour",
        options=[discord.SelectOption(label=c, value=c) for c in ("red", "green")],
    )
    async def pick(
        self, interaction: discord.Interaction, select: discord.ui.Select[Picks]
    ) -> None:
        await interaction.response.send_message(f"picked {select.values[0]}")


def approval(*, seconds: float = 600.0) -> discord.Embed:
    """The card that agents show when a person must decide."""
    embed = discord.Embed(
        title="Publish the weekly report",
        timestamp=datetime.now(UTC) + timedelta(seconds=seconds),
    )
    for name, value in (("Asked by", "secretary"), ("Costs at most", "$1.20"), ("Undo", "yes")):
        embed.add_field(name=name, value=value)
    return embed.set_footer(text="approval AP-118")


class EchoBot(discord.Client):
    """Answers when it is named, in a DM, and by its commands."""

    def __init__(self, guild_id: int, *, commands: bool = True) -> None:
        super().__init__(intents=discord.Intents.all(), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self._guild = discord.Object(guild_id)
        self._with_commands = commands
        self.up = asyncio.Event()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Tests need not wait for Discord's five seconds."""

    async def setup_hook(self) -> None:
        if not self._with_commands:
            return

        @self.tree.command(guild=self._guild, description="Ask an agent a question")
        @app_commands.describe(agent="Who is asked", question="What you want to know")
        async def ask(interaction: discord.Interaction, agent: str, question: str) -> None:
            await interaction.response.send_message(f"{agent}, you are asked: {question}")

        @ask.autocomplete("agent")
        async def names(
            interaction: discord.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            known = ("captain", "secretary", "auditor")
            return [app_commands.Choice(name=n, value=n) for n in known if n.startswith(current)]

        @self.tree.command(guild=self._guild, description="Who the swarm thinks you are")
        async def whoami(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(
                f"You are {interaction.user.name}", ephemeral=True
            )

        @self.tree.command(guild=self._guild, description="Ask for an approval")
        @app_commands.describe(seconds="How long it waits")
        async def propose(interaction: discord.Interaction, seconds: int = 600) -> None:
            await interaction.response.send_message(embed=approval(seconds=seconds), view=Desk())

        @self.tree.command(guild=self._guild, description="Choose a colour")
        async def colours(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("Which one?", view=Picks())

        @self.tree.command(guild=self._guild, description="Stop the answer that is being made")
        @app_commands.describe(agent="Whose; left out: everybody's")
        async def stop(interaction: discord.Interaction, agent: str = "everybody") -> None:
            await interaction.response.send_message(
                f"Nothing of {agent} is being made.", ephemeral=True
            )

        await self.tree.sync(guild=self._guild)

    async def on_ready(self) -> None:
        self.up.set()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or self.user is None:
            return
        if message.guild is not None and self.user not in message.mentions:
            return
        said = message.content.replace(self.user.mention, "").strip()
        if said == "type":
            await message.channel.typing()
        elif said == "edit":
            first = await message.channel.send("first thought")
            await first.edit(content="second thought")
        else:
            await message.reply(f"you said: {said}", mention_author=False)
