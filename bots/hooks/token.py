"""The bearer token with which scripts open the agents' hooks, the same for all of a swarm."""

from __future__ import annotations

import secrets

from bots.secrets import resolve
from bots.settings import Settings
from bots.state import StateFolder, write_private


def hook_token(settings: Settings, state: StateFolder) -> str:
    """The one that `hooks.token` names, or else the state folder's own, made at the first call
    (0600). Raises `bots.secrets.SecretError`, and `OSError` when it cannot be written.
    """
    if settings.hooks.token is not None:
        return resolve(settings.hooks.token)
    if not state.hook_token.exists():
        write_private(state.hook_token, secrets.token_urlsafe(24))
    return resolve(f"file:{state.hook_token}")
