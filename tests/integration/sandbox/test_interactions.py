"""Slash commands, buttons and modals: discord.py on one side, a person's REST on the other."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from tests.integration.sandbox.bot import Bot
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import GUEST, YOU, Sandbox


class Ask(discord.ui.Modal, title="Why not?"):
    reason: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Reason", custom_id="reason")

    def __init__(self) -> None:
        super().__init__(custom_id="reject-reason")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        text = f"rejected: {self.reason.value}"
        await interaction.response.edit_message(content=text, view=None)


class Card(discord.ui.View):
    """Persistent: its custom ids are fixed and it never times out."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Approve", custom_id="approve", style=discord.ButtonStyle.green)
    async def approve(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.edit_message(content="approved", view=None)

    @discord.ui.button(label="Reject", custom_id="reject", style=discord.ButtonStyle.red)
    async def reject(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.send_modal(Ask())


class Commander(Bot):
    """A bot with a few commands in its guild."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="ask", description="Asks an agent")(ask)
        self.tree.command(name="secret", description="Whispers")(secret)
        self.tree.command(name="slow", description="Takes its time")(slow)
        self.tree.command(name="card", description="Shows an approval card")(card)
        self.tree.command(name="private", description="Shows a card to one person")(private)
        self.tree.command(name="deaf", description="Never answers")(deaf)

    async def setup_hook(self) -> None:
        self.add_view(Card())
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self.interactions.add(interaction)


async def agents(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    names = ("captain", "rook", "rocket")
    return [app_commands.Choice(name=n, value=n) for n in names if n.startswith(current)]


@app_commands.autocomplete(agent=agents)
async def ask(interaction: discord.Interaction, agent: str, times: int = 1) -> None:
    assert isinstance(interaction.user, discord.Member)
    roles = ",".join(r.name for r in interaction.user.roles)
    await interaction.response.send_message(f"{interaction.user.name}/{roles}: {agent} x{times}")


async def secret(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("between us", ephemeral=True)
    await interaction.followup.send("and this too", ephemeral=True)


async def slow(interaction: discord.Interaction) -> None:
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content="at last")
    await interaction.followup.send("and more")


async def card(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Spend 5 credits?", view=Card())


async def private(interaction: discord.Interaction) -> None:
    await interaction.response.defer(ephemeral=True)
    await interaction.followup.send("Only you may press.", view=Card())


async def deaf(interaction: discord.Interaction) -> None:
    """Discord tells the person after three seconds."""


async def _client(sandbox: Sandbox, token: str = YOU) -> Client:
    ear = await sandbox.listening(token)
    [lobby] = [c for c in ear.guild["channels"] if c["name"] == "lobby"]
    return Client(sandbox.person(token), ear, sandbox.guild_id, int(lobby["id"]))


@pytest.fixture
async def commander(sandbox: Sandbox) -> Bot:
    return await sandbox.bot(bot=Commander())


@pytest.fixture
async def you(sandbox: Sandbox, commander: Bot) -> Client:
    return await _client(sandbox)


async def test_a_command_reaches_its_bot_with_who_asked_and_is_answered(you: Client) -> None:
    nonce = await you.use("ask", agent="rook", times=2)
    answer = await you.ear.until("MESSAGE_CREATE")
    assert answer["content"] == "you/@everyone,operators: rook x2"
    assert answer["author"]["username"] == "captain"
    assert nonce


async def test_success_is_told_to_the_one_who_asked(you: Client) -> None:
    nonce = await you.use("ask", agent="rook")
    told = await you.ear.until("INTERACTION_SUCCESS")
    assert told["nonce"] == nonce


async def test_options_are_completed(you: Client) -> None:
    nonce = await you.use("ask", kind=4, agent=("ro",))
    told = await you.ear.until("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    assert [c["value"] for c in told["choices"]] == ["rook", "rocket"]
    assert told["nonce"] == nonce


async def test_an_ephemeral_answer_is_for_one_person_only(sandbox: Sandbox, you: Client) -> None:
    guest = await sandbox.listening(GUEST)
    await you.use("secret")
    first = await you.ear.until("MESSAGE_CREATE")
    more = await you.ear.until("MESSAGE_CREATE")
    assert [first["content"], more["content"]] == ["between us", "and this too"]
    assert first["flags"] & 64
    assert more["flags"] & 64
    place = first["channel_id"]
    await you.person.say(place, "in the open")
    assert (await guest.until("MESSAGE_CREATE"))["content"] == "in the open"
    for person in (sandbox.person(GUEST), sandbox.person(YOU)):
        assert "between us" not in [m["content"] for m in await person.history(place)]


async def test_a_deferred_answer_comes_as_an_edit_and_then_more(you: Client) -> None:
    await you.use("slow")
    thinking = await you.ear.until("MESSAGE_CREATE")
    assert thinking["flags"] & 128
    edited = await you.ear.until("MESSAGE_UPDATE")
    assert (edited["id"], edited["content"]) == (thinking["id"], "at last")
    assert (await you.ear.until("MESSAGE_CREATE"))["content"] == "and more"


async def test_a_button_edits_its_message(you: Client) -> None:
    await you.use("card")
    shown = await you.ear.until("MESSAGE_CREATE")
    assert [b["custom_id"] for b in shown["components"][0]["components"]] == ["approve", "reject"]
    await you.press(shown, "approve")
    edited = await you.ear.until("MESSAGE_UPDATE")
    assert (edited["content"], edited["components"]) == ("approved", [])


async def test_a_modal_is_shown_filled_in_and_acted_on(you: Client) -> None:
    await you.use("card")
    shown = await you.ear.until("MESSAGE_CREATE")
    await you.press(shown, "reject")
    modal = await you.ear.until("INTERACTION_MODAL_CREATE")
    assert (modal["title"], modal["custom_id"]) == ("Why not?", "reject-reason")
    await you.submit(modal, "too dear")
    edited = await you.ear.until("MESSAGE_UPDATE")
    assert edited["content"] == "rejected: too dear"


async def test_a_forged_custom_id_is_refused_and_not_delivered(commander: Bot, you: Client) -> None:
    await you.use("card")
    shown = await you.ear.until("MESSAGE_CREATE")
    data = {"component_type": 2, "custom_id": "approve-everything"}
    status, body = await you.try_to_interact(
        3, shown["author"]["id"], data, message_id=shown["id"], message_flags=0
    )
    assert status == 400, body
    assert [i.type.name for i in commander.interactions.all] == ["application_command"]


async def test_an_interaction_not_acknowledged_in_three_seconds_is_dead(
    commander: Bot, you: Client
) -> None:
    nonce = await you.use("deaf")
    interaction = await commander.interactions.first()
    failed = await you.ear.until("INTERACTION_FAILURE")
    assert failed["nonce"] == nonce
    with pytest.raises(discord.NotFound) as late:
        await interaction.response.send_message("sorry, I was asleep")
    assert late.value.code == 10062


async def test_a_second_answer_is_refused(commander: Bot, you: Client) -> None:
    await you.use("deaf")
    interaction = await commander.interactions.first()
    await interaction.response.send_message("one")
    interaction.response._response_type = None
    with pytest.raises(discord.HTTPException) as twice:
        await interaction.response.send_message("two")
    assert twice.value.code == 40060


async def test_a_button_of_before_the_restart_still_works(
    sandbox: Sandbox, commander: Bot, you: Client
) -> None:
    await you.use("card")
    shown = await you.ear.until("MESSAGE_CREATE")
    await commander.close()
    await sandbox.bot(bot=Commander())
    await you.press(shown, "approve")
    assert (await you.ear.until("MESSAGE_UPDATE"))["content"] == "approved"


async def test_an_ephemeral_card_is_pressed_by_its_owner_and_by_nobody_else(
    sandbox: Sandbox, you: Client
) -> None:
    guest = await _client(sandbox, GUEST)
    await you.use("private")
    shown = await you.ear.until("MESSAGE_CREATE")
    while not shown["components"]:
        shown = await you.ear.until("MESSAGE_UPDATE")
    data = {"component_type": 2, "custom_id": "approve"}
    status, _ = await guest.try_to_interact(
        3, shown["author"]["id"], data, message_id=shown["id"], message_flags=64
    )
    assert status in (400, 404)
    await you.press(shown, "approve")
    while (edited := await you.ear.until("MESSAGE_UPDATE"))["content"] != "approved":
        pass
    assert edited["id"] == shown["id"]


async def test_unchanged_commands_keep_their_ids_over_a_sync(commander: Bot, you: Client) -> None:
    assert isinstance(commander, Commander)
    before = {c.name: c.id for c in await commander.tree.sync()}
    assert {c.name: c.id for c in await commander.tree.fetch_commands()} == before
    assert str(before["ask"]) == (await you.command("ask"))["id"]


async def test_a_command_in_a_closed_channel_or_of_nobody_is_refused(
    commander: Bot, you: Client
) -> None:
    application = str(commander.application_id)
    data = {"id": "1", "version": "1", "name": "none", "type": 1, "options": []}
    assert (await you.try_to_interact(2, application, data))[0] in (400, 404)
    assert (await you.try_to_interact(2, "7", data))[0] in (400, 404)
    command = await you.command("ask")
    data = {"id": command["id"], "version": command["version"], "name": "ask", "type": 1}
    status, body = await you.try_to_interact(2, application, data | {"options": []})
    assert status == 400, body
    assert commander.interactions.all == []
