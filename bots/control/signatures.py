"""Operator signatures for commands typed into a chat: short, good once, good for two minutes.

`run.py sign "kill all"` prints ``!kill all signed:<issued>.<nonce>.<signature>``. The signature is
Ed25519 over the swarm's name, the time, the nonce and the command's words; agents hold the public
key only, so none of them can sign for an operator.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bots.state import write_private

LIFE = timedelta(seconds=120)
#: clocks of two machines may differ by so much
SKEW = timedelta(seconds=30)
_TOKEN = re.compile(
    r"signed:(?P<at>\d{1,11})\.(?P<nonce>[\w-]{8,32})\.(?P<sig>[\w-]{86})", re.ASCII
)


class SignatureRefused(Exception):
    """The signature is forged, too old, from the future, or was used before."""


@dataclass(frozen=True)
class Signed:
    #: the command without its signature
    words: str
    issued_at: datetime
    nonce: str
    signature: bytes

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + LIFE + SKEW


def parse(text: str) -> Signed | None:
    """The signature at the end of a command, None when there is none of that form."""
    words, _, token = text.strip().rpartition(" ")
    match = _TOKEN.fullmatch(token)
    if match is None or not words.strip():
        return None
    return Signed(
        words.strip(),
        datetime.fromtimestamp(int(match["at"]), UTC),
        match["nonce"],
        base64.urlsafe_b64decode(match["sig"] + "=="),
    )


def verify(signed: Signed, *, swarm: str, public_key: str, now: datetime) -> None:
    """Raise `SignatureRefused` unless the signature is genuine and fresh; the nonce is the caller's
    to use up.
    """
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    try:
        key.verify(signed.signature, _message(swarm, signed.issued_at, signed.nonce, signed.words))
    except InvalidSignature:
        raise SignatureRefused("this signature is not the operator's") from None
    if now > signed.issued_at + LIFE + SKEW:
        raise SignatureRefused("this signature is too old: sign the command again")
    if now < signed.issued_at - SKEW:
        raise SignatureRefused("this signature is from the future: look at the clocks")


def sign(words: str, key: Ed25519PrivateKey, *, swarm: str, now: datetime) -> str:
    """`words` with a signature at the end; `words` is a command without its prefix, such as ``kill
    all``.
    """
    words = " ".join(words.split())
    issued = now.replace(microsecond=0)
    nonce = secrets.token_urlsafe(9)
    signature = base64.urlsafe_b64encode(key.sign(_message(swarm, issued, nonce, words)))
    return f"{words} signed:{int(issued.timestamp())}.{nonce}.{signature.decode().rstrip('=')}"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in this file; made (0600) when there is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem.decode())
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureRefused(f"{path.name} holds another kind of key than Ed25519")
    return key


def public_half(key: Ed25519PrivateKey) -> str:
    """Base64 of the 32 public bytes."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _message(swarm: str, issued_at: datetime, nonce: str, words: str) -> bytes:
    fields = ("parley command 1", swarm, str(int(issued_at.timestamp())), nonce, words)
    return "\n".join(fields).encode()
