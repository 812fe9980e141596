from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.model import Overwrite
from bots.sandbox.permissions import EVERYTHING, Permission, in_channel, in_guild

P = Permission
EVERYONE, AGENTS, OTHERS, ME = 1, 2, 3, 9
TALK = P.VIEW_CHANNEL | P.SEND_MESSAGES | P.ATTACH_FILES

bits = st.integers(0, int(EVERYTHING)).map(lambda n: n & ~int(P.ADMINISTRATOR))


def of(target: int, *, allow: int = 0, deny: int = 0) -> Overwrite:
    return Overwrite(id=target, type=1 if target == ME else 0, allow=allow, deny=deny)


def here(base: Permission, *overwrites: Overwrite) -> Permission:
    return in_channel(base, overwrites, everyone_id=EVERYONE, role_ids=[AGENTS], user_id=ME)


def test_roles_add_up() -> None:
    assert in_guild([P.VIEW_CHANNEL, P.SEND_MESSAGES]) == P.VIEW_CHANNEL | P.SEND_MESSAGES


def test_administrators_and_the_owner_may_everything_whatever_a_channel_denies() -> None:
    for held in (in_guild([P.ADMINISTRATOR]), in_guild([0], owner=True)):
        assert here(held, of(EVERYONE, deny=int(EVERYTHING))) == EVERYTHING


def test_a_role_overrides_everyone_and_oneself_overrides_roles() -> None:
    closed = of(EVERYONE, deny=P.VIEW_CHANNEL)
    opened = of(AGENTS, allow=P.VIEW_CHANNEL)
    mute = of(ME, deny=P.SEND_MESSAGES)
    assert here(TALK, closed) == P(0)
    assert here(TALK, closed, opened) == TALK
    assert here(TALK, closed, opened, mute) == P.VIEW_CHANNEL


def test_the_order_in_which_overwrites_are_listed_means_nothing() -> None:
    closed = of(EVERYONE, deny=P.VIEW_CHANNEL)
    opened = of(AGENTS, allow=P.VIEW_CHANNEL)
    assert here(TALK, opened, closed) == here(TALK, closed, opened)


def test_overwrites_of_roles_that_one_does_not_hold_mean_nothing() -> None:
    assert here(TALK, of(OTHERS, deny=P.VIEW_CHANNEL)) == TALK


def test_who_may_not_send_may_not_attach_or_call_everyone_either() -> None:
    held = here(TALK | P.MENTION_EVERYONE, of(EVERYONE, deny=P.SEND_MESSAGES))
    assert held == P.VIEW_CHANNEL


@given(bits, bits, bits)
def test_without_view_channel_nothing_is_left(base: int, allow: int, deny: int) -> None:
    hidden = of(ME, allow=allow & ~int(P.VIEW_CHANNEL), deny=deny | P.VIEW_CHANNEL)
    assert here(P(base), hidden) == P(0)
