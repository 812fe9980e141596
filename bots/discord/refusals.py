"""What Discord's answers mean for a line: arrived, refused, unknown, or never left."""

from __future__ import annotations

import aiohttp
import discord

from bots.discord.requests import Barred
from bots.messages import Delivery

#: Discord's JSON error codes
#: (https://discord.com/developers/docs/topics/opcodes-and-status-codes#json)
_SENTENCES = {
    10003: "the channel does not exist any more",
    10008: "the message does not exist any more",
    10013: "there is no such user",
    40005: "it is too large for Discord",
    40060: "it was answered already",
    50001: "it may not see this channel (permission View Channel)",
    50006: "Discord takes no empty message",
    50007: "this person takes no private messages from it",
    50013: "it lacks a permission in this channel (Send Messages or Attach Files)",
    160005: "the thread is locked",
    50083: "the thread is archived",
}

#: everything that a request may raise because of Discord or the way to it
FAILURES = (
    discord.HTTPException,
    discord.RateLimited,
    Barred,
    aiohttp.ClientError,
    OSError,  # TimeoutError is one
)
#: what discord.py trips over when something else answers, a proxy's page for one: it believes all
STRANGE = (LookupError, TypeError, ValueError)


def sentence(error: BaseException) -> str:
    """Why it did not work, for people."""
    if isinstance(error, discord.HTTPException):
        known = _SENTENCES.get(error.code)
        if known is None and error.status == 413:
            known = _SENTENCES[40005]
        if known is None and error.status == 401:
            known = "Discord does not accept the token any more"
        detail = " ".join(str(error.text or error.response.reason).split())
        return known or f"Discord says {error.status} (code {error.code}): {detail}"
    if isinstance(error, discord.RateLimited):
        return f"Discord wants it to wait {error.retry_after:.0f} s"
    if isinstance(error, Barred):
        return str(error)
    if isinstance(error, TimeoutError):
        return "Discord gave no answer in time"
    if isinstance(error, STRANGE) and not isinstance(error, FAILURES):
        return "what answers there does not speak as Discord does"
    return f"the connection to Discord failed ({type(error).__name__})"


def refused(why: str) -> Delivery:
    return Delivery(sent=False, proof=why)


def unsaid(why: str) -> Delivery:
    return Delivery(sent=False, proof=why, unsaid=True)


def unknown(why: str) -> Delivery:
    return Delivery(sent=False, proof=why, unknown=True)


def delivery_of(error: BaseException) -> Delivery:
    """What became of the line whose request ended so."""
    why = sentence(error)
    if isinstance(error, discord.RateLimited | Barred | aiohttp.ClientConnectorError):
        return unsaid(why)
    if isinstance(error, discord.HTTPException) and error.status == 429:
        return unsaid(why)
    if isinstance(error, discord.HTTPException) and error.status < 500:
        return refused(why)
    return unknown(why)
