"""What docs/APPROVALS.md shows can be written so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from bots.escalation_settings import PLACEHOLDERS
from bots.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "APPROVALS.md").read_text(encoding="utf-8")


def test_the_settings_are_taken_as_they_stand() -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    agents = {"agents": [{"name": "captain", "role": "captain"}]}
    settings = Settings.model_validate(agents | tomllib.loads(shown))
    assert [step.via for step in settings.escalation.steps] == [
        *("discord", "email", "webhook", "webhook")
    ]
    assert settings.escalation.secrets == ("env:SMTP_PASSWORD", "env:NTFY_TOKEN")


def test_what_texts_may_name_is_all_there() -> None:
    assert [name for name in PLACEHOLDERS if f"`{{{name}}}`" not in PAGE] == []
