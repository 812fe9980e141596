"""The page in the person's browser."""

from __future__ import annotations

import webbrowser
from typing import Any

import typer


def open_page(status: dict[str, Any]) -> None:
    """Show the page in the person's browser, where there are both."""
    if status["console_login"] is None:
        typer.echo("There is no page: it needs the sandbox guild and console.enabled.", err=True)
    elif not webbrowser.open(status["console_login"]):
        typer.echo("No browser could be opened; the address above does it by hand.", err=True)
