from __future__ import annotations

import pytest

from bots.sandbox.errors import ApiError
from bots.sandbox.mentions import Allowed, called
from bots.sandbox.reactions import known_emoji

NOBODY = Allowed(everyone=False, users=frozenset(), roles=frozenset(), replied_user=False)


def test_all_that_is_named_is_called_once_in_order() -> None:
    found = called("<@2> <@!1> <@2> <@&7> @everyone", Allowed())
    assert (found.users, found.roles, found.everyone) == ((2, 1), (7,), True)


def test_nobody_is_called_when_nobody_may_be() -> None:
    found = called("<@2> <@&7> @everyone @here", NOBODY)
    assert (found.users, found.roles, found.everyone) == ((), (), False)


def test_only_those_are_called_who_may_be() -> None:
    assert called("<@1> <@2>", Allowed(users=frozenset({2}))).users == (2,)


@pytest.mark.parametrize("text", ["@everyonelse", "<@x>", "<@>", "@ everyone", "<@&>"])
def test_what_calls_nobody(text: str) -> None:
    found = called(text, Allowed())
    assert (found.users, found.roles, found.everyone) == ((), (), False)


@pytest.mark.parametrize("emoji", ["👀", "✅", "❌", "1️⃣", "👩‍🚀", "👍🏽", "🇨🇭", "❤️"])
def test_emojis(emoji: str) -> None:
    assert known_emoji(emoji) == emoji


@pytest.mark.parametrize("emoji", ["", "a", "eyes", "eyes:123", "é", "👀" * 20, "質"])
def test_what_is_no_emoji(emoji: str) -> None:
    with pytest.raises(ApiError) as error:
        known_emoji(emoji)
    assert error.value.body["code"] == 10014
