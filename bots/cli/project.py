"""Where this project, its configuration and its state folder lie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bots.settings import Settings, load
from bots.state import StateFolder, state_of

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_CONFIG = ROOT / "swarm.toml"

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        help="The swarm's settings; its state folder lies beside this file.",
        show_default="swarm.toml of the project",
    ),
]


def open_project(config: Path) -> tuple[Settings, StateFolder]:
    """Settings of this file and the state folder they name (not created here).

    Raises `bots.settings.SettingsError` when the file cannot be used.
    """
    settings = load(config)
    return settings, state_of(config, settings)
