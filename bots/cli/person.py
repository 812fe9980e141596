"""Who sits at the command line."""

from __future__ import annotations

import getpass


def person() -> str:
    """The account's name, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"
