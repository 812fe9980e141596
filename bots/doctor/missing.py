"""What to do about a secret that cannot be had."""

from __future__ import annotations

import shlex

from bots.secrets import KEYRING_SERVICE


def how_to_give(reference: str) -> str:
    """What a person types so that `reference` (``env:NAME``, …) leads to a secret."""
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        return f"in the shell that starts the swarm: export {name}=…"
    if scheme == "file":
        path = shlex.quote(name)
        return f"write the secret into it and nothing else, then: chmod 600 {path}"
    if scheme == "keyring":
        entry = f"{KEYRING_SERVICE} {shlex.quote(name)}"
        return f"keyring set {entry} (asks for it), or name it by env: or file: instead"
    return "name it: env:NAME, file:PATH or keyring:NAME"
