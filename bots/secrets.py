"""Secrets by reference: read where they are needed, hidden wherever they would be shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from bots.private_file import too_open
from bots.settings import environment

#: service under which `keyring:NAME` is looked up
KEYRING_SERVICE = "parley"
HIDDEN = "[hidden]"
#: shorter values would hide ordinary words
SHORTEST_HIDDEN = 4


class SecretError(Exception):
    """A secret cannot be had; the message names the reference and the way to mend it."""


def resolve(reference: str) -> str:
    """The secret behind ``env:NAME``, ``file:PATH`` or ``keyring:NAME``.

    A file's content counts without the blanks and line ends around it, and the file must be closed
    to others. Raises `SecretError`; its message never holds the secret.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        return _from_environment(name)
    if scheme == "file":
        return _from_file(Path(name).expanduser())
    if scheme == "keyring":
        return _from_keyring(name)
    raise SecretError("a secret is given by reference only: env:NAME, file:PATH or keyring:NAME")


def resolve_each(references: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets behind these references, and in a sentence each why the others cannot be had;
    both by reference, in the order given.
    """
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for reference in dict.fromkeys(references):
        try:
            found[reference] = resolve(reference)
        except SecretError as error:
            missing[reference] = str(error)
    return found, missing


def _from_environment(name: str) -> str:
    value = environment(name)
    if not value:
        raise SecretError(f"env:{name}: this variable is not set; export it before `run.py up`")
    return value


def _from_file(path: Path) -> str:
    try:
        if too_open(path):
            raise SecretError(
                f"file:{path}: others can read this secret; mend it: chmod 600 {path}"
            )
        value = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise SecretError(f"file:{path}: no such file") from None
    except OSError as error:
        raise SecretError(f"file:{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"file:{path}: is not UTF-8 text") from None
    if not value:
        raise SecretError(f"file:{path}: is empty")
    return value


def _from_keyring(name: str) -> str:
    # keyring looks for back ends when it is imported (0.1 s); only who has such a secret pays.
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        value = keyring.get_password(KEYRING_SERVICE, name)
    except KeyringError as error:
        raise SecretError(
            f"keyring:{name}: no key ring answers here ({type(error).__name__}); "
            "use env:NAME or file:PATH"
        ) from None
    if not value:
        raise SecretError(
            f"keyring:{name}: not in the key ring; put it there: "
            f"keyring set {KEYRING_SERVICE} {name}"
        )
    return value


#: (what a secret looks like, what remains of it); the first group is kept
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # keys of model providers, GitHub, Slack
        r"()\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}",
        r"()\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"()\bxox[abprs]-[A-Za-z0-9-]{10,}",
        # Discord bot token: three base64url parts
        r"()\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}",
        r"((?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}",
        # IRC: server password, operator password, SASL payload, NickServ
        r"((?<![^\s'\":])PASS\s+:?)[^\s'\"]+",
        r"((?<!\w)OPER\s+\S+\s+:?)[^\s'\"]+",
        r"((?<!\w)AUTHENTICATE\s+)(?!PLAIN\b|EXTERNAL\b|\+)[A-Za-z0-9+/=]+",
        r"((?i:(?<!\w)identify)\s+)[^'\"\r\n]+",
        # user:password@ in an address
        r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)",
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?=-----END|\Z)",
        # name: value, as settings and headers are printed
        r"((?i:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;}&]{4,}",
    )
)


class Redactor:
    """Hides secrets in text: the ones it was told of, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide this value from now on, also quoted, escaped or in base64."""
        if len(secret) < SHORTEST_HIDDEN:
            return
        encoded = base64.b64encode(secret.encode()).decode()
        self._spellings |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], encoded}
        # Longest first: one secret may begin another.
        ordered = sorted(self._spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered)))

    def redact(self, text: str) -> str:
        """`text` with every secret replaced by ``[hidden]``."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern in PATTERNS:
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
        return text
