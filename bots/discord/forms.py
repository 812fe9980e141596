"""The modals behind a card's buttons: why not, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import discord

from bots.discord.cards import COST, REASON, REASON_CHARACTERS, RETURN, Press, Pressed, custom_id

#: a modal that nobody sends is forgotten after this long
_FORGOTTEN_S: Final = 900.0
_SUM_CHARACTERS: Final = 40
#: button → what its modal is, once filled in
OPENS: Final[Mapping[Press, Press]] = {
    Press.REJECT: Press.REASON,
    Press.COMPLETE: Press.BILL,
}


def form(pressed: Pressed) -> discord.ui.Modal:
    """The modal that this press opens."""
    made = discord.ui.Modal(
        title="Reject" if pressed.press is Press.REJECT else "Complete",
        custom_id=custom_id(pressed.request_id, OPENS[pressed.press]),
        timeout=_FORGOTTEN_S,
    )
    if pressed.press is Press.REJECT:
        made.add_item(
            _input(
                *("Why? It stays on record.", REASON),
                longest=REASON_CHARACTERS,
                style=discord.TextStyle.paragraph,
            )
        )
    else:
        made.add_item(_input("What did it really cost? As in 11.90 EUR", COST, required=True))
        made.add_item(_input("What did it bring, if that is known?", RETURN))
    return made


def _input(
    text: str,
    name: str,
    *,
    longest: int = _SUM_CHARACTERS,
    style: discord.TextStyle = discord.TextStyle.short,
    required: bool = False,
) -> discord.ui.Label[discord.ui.LayoutView]:
    return discord.ui.Label(
        text=text,
        component=discord.ui.TextInput(
            custom_id=name, style=style, required=required, max_length=longest
        ),
    )
