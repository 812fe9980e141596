"""What the doctor says of ``[hooks]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bots.doctor import configuration
from bots.settings import Settings

AGENTS = [{"name": "captain", "role": "captain"}]


def settings(**hooks: Any) -> Settings:
    return Settings.model_validate({"agents": AGENTS, "hooks": hooks})


def test_a_token_that_cannot_be_had_is_told() -> None:
    [found] = configuration.secrets(settings(token="env:NO_SUCH_HOOK_TOKEN"))
    assert found.level.name == "FAIL"
    assert "hooks.token = env:NO_SUCH_HOOK_TOKEN" in found.says


def test_certificate_and_key_are_looked_at(tmp_path: Path) -> None:
    public, private = tmp_path / "hooks.pem", tmp_path / "hooks.key"
    asked = settings(tls_certificate=str(public), tls_key=str(private))
    assert len(list(configuration.certificates(asked))) == 2
    public.write_text("")
    private.write_text("")
    private.chmod(0o644)
    public.chmod(0o644)
    [found] = configuration.certificates(asked)
    assert found.mend == f"chmod 600 {private}"
    private.chmod(0o600)
    assert list(configuration.certificates(asked)) == []
