"""Interactions: a person uses a command, component or modal, and its application must answer.

Source: Discord's documentation, "Receiving and Responding": 3 s to acknowledge, 15 min of
follow-ups.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from bots.sandbox.errors import refusal
from bots.sandbox.events import Event
from bots.sandbox.model import Channel, Message, User

if TYPE_CHECKING:
    from bots.sandbox.world import World

ACKNOWLEDGE_S = 3.0
TOKEN_LASTS = timedelta(minutes=15)


class InteractionType(IntEnum):
    """What a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


@dataclass(eq=False, kw_only=True)
class Interaction:
    """One use, and what became of it."""

    id: int
    token: str
    type: InteractionType
    application: User
    user: User
    channel: Channel
    data: dict[str, Any]
    created_at: datetime
    #: the person's own mark, given back with the outcome
    nonce: str | int | None = None
    #: the message whose component was used, or from which the modal was opened
    message: Message | None = None
    #: what the person called: the command's name
    name: str | None = None
    acknowledged: bool = False
    #: three seconds went by without an answer
    failed: bool = False
    #: what ``@original`` means
    original: Message | None = None
    #: ids of the messages that the token may change
    message_ids: set[int] = field(default_factory=set)
    #: the modal that answered it
    modal: dict[str, Any] | None = None


def begin(
    world: World,
    kind: InteractionType,
    *,
    application: User,
    user: User,
    channel: Channel,
    data: dict[str, Any],
    nonce: str | int | None,
    message: Message | None = None,
    name: str | None = None,
) -> Interaction:
    """The application has `ACKNOWLEDGE_S` from now on; `dispatch` is still to be called."""
    _forget_old(world)
    interaction = Interaction(
        id=world.snowflakes.next(),
        token=secrets.token_urlsafe(48),
        type=kind,
        application=application,
        user=user,
        channel=channel,
        data=data,
        created_at=world.clock(),
        nonce=nonce,
        message=message,
        name=name,
    )
    world.interactions[interaction.token] = interaction
    world.schedule(ACKNOWLEDGE_S, lambda: _expire(world, interaction))
    return interaction


def _forget_old(world: World) -> None:
    oldest = world.clock() - TOKEN_LASTS
    while world.interactions:
        first = next(iter(world.interactions.values()))
        if first.created_at >= oldest:
            return
        del world.interactions[first.token]


def _expire(world: World, interaction: Interaction) -> None:
    if not interaction.acknowledged:
        interaction.failed = True
        tell_user(world, interaction, "INTERACTION_FAILURE", {"reason_code": 2})


def tell_user(
    world: World, interaction: Interaction, name: str, extra: dict[str, Any] | None = None
) -> None:
    """Send `name` to the person who acted, with its nonce."""
    told = {"id": str(interaction.id), "nonce": interaction.nonce, **(extra or {})}
    world.publish(Event(name=name, payload=lambda _: told, to=frozenset({interaction.user.id})))


def to_answer(world: World, interaction_id: int, token: str) -> Interaction:
    """The interaction that still waits for its answer.

    :raises ApiError: 10062 when it is unknown or dead, 40060 when it is answered
    """
    interaction = world.interactions.get(token)
    if interaction is None or interaction.id != interaction_id or interaction.failed:
        raise refusal(10062)
    if interaction.acknowledged:
        raise refusal(40060)
    return interaction


def acknowledge(world: World, interaction: Interaction) -> None:
    """The person's client stops waiting."""
    interaction.acknowledged = True
    if interaction.type != InteractionType.AUTOCOMPLETE:
        tell_user(world, interaction, "INTERACTION_SUCCESS")


def by_token(world: World, application_id: int, token: str) -> Interaction:
    """The answered interaction whose token a follow-up carries.

    :raises ApiError: 50027 for an unknown or expired token, 10015 before the first answer
    """
    found = world.interactions.get(token)
    if found is None or found.created_at < world.clock() - TOKEN_LASTS:
        raise refusal(50027)
    if found.application.id != application_id or not found.acknowledged:
        raise refusal(10015)
    return found
