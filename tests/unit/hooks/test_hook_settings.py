"""``[hooks]``: wider than this machine only with TLS, and never for strangers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bots.hook_settings import HookSettings

TLS = {"tls_certificate": "a.pem", "tls_key": "b.pem"}
WIDE = {"listen": "0.0.0.0", "names": ["hooks.example.org"], **TLS}
SENDERS = {"cron": {"may_delegate_to": ["captain"]}}


def test_loopback_is_what_one_gets() -> None:
    settings = HookSettings()
    assert not settings.is_wide
    assert not HookSettings(listen="::1").is_wide


@pytest.mark.parametrize("more", [{"token": "env:HOOK_TOKEN"}, {"senders": SENDERS}])
def test_wide_with_everything(more: dict[str, Any]) -> None:
    assert HookSettings.model_validate({**WIDE, **more}).is_wide


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (WIDE, "needs a token or senders"),
        ({"listen": "0.0.0.0", "token": "env:X"}, "needs tls_certificate and tls_key"),
        ({"listen": "192.0.2.1", "token": "env:X"}, "needs tls_certificate and tls_key"),
        ({"listen": "::", "token": "env:X", **TLS}, "needs names"),
        ({"tls_key": "b.pem"}, "go together"),
        ({"listen": "everywhere"}, "an address is wanted"),
        ({"token": "hunter2"}, "a secret is given by reference only"),
        ({"senders": {"Token": {}}}, "what a script with the token is called"),
        ({"channel": "reports"}, "pattern"),
        ({"body_bytes": 0}, "greater than or equal to 1024"),
        ({"per_minute": 0}, "greater than 0"),
    ],
)
def test_what_would_be_open_is_refused(raw: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        HookSettings.model_validate(raw)
