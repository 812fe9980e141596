"""What strangers and operators wrote is shown as it is: no markup, no terminal codes."""

from __future__ import annotations

import pytest

from bots.cli.logs import render
from bots.cli.showing import print_status

REPORT = {
    "agents": [
        {
            "name": "captain",
            "state": "failed",
            "irc": "[x]",
            "pid": 1,
            "pss_mb": 2.0,
            "reason": "[/b]",
        }
    ],
    "killed": [{"scope": "all", "by": "[/root]", "at": "now", "reason": "[/x]", "door": "here"}],
    "console_login": None,
    "discord": None,
    "irc": {"host": "127.0.0.1", "port": 6667},
}


def test_markup_in_a_reason_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_status(REPORT)
    shown = capsys.readouterr().out
    assert "[/x]" in shown
    assert "[/b]" in shown
    assert "[/root]" in shown


def test_what_is_kept_in_a_log_has_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://127.0.0.1:8420/"
    report = REPORT | {"console": url, "console_login": f"{url}?token=heron"}
    print_status(report, kept=True)
    kept = capsys.readouterr().out
    assert url in kept
    assert "heron" not in kept
    print_status(report)
    assert f"{url}?token=heron" in capsys.readouterr().out


def test_terminal_codes_in_a_log_line_are_not_sent_to_the_terminal() -> None:
    line = '{"event": "imitation", "says": "x \\u001b]0;owned\\u0007 \\u009b2J"}'
    shown = render("captain", line)
    assert "owned" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b"}
