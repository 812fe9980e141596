from __future__ import annotations

import random

from bots.irc.casemapping import fold
from bots.irc.members import Members
from bots.irc.rooms import Rooms


def rooms() -> Rooms:
    made = Rooms(first_s=1.0, most_s=100.0, rng=random.Random(1))
    made.want("#a", "#A")
    return made


def waits(made: Rooms, count: int, *, slow: bool = False) -> list[float]:
    found = [made.kept_out("#a", "no", slow=slow, now_s=0.0) for _ in range(count)]
    return [wait_s for wait_s in found if wait_s is not None]


def test_each_refusal_doubles_the_pause_up_to_the_cap() -> None:
    for number, wait_s in enumerate(waits(rooms(), 12)):
        whole_s = min(100.0, 2.0**number)
        assert whole_s / 2 <= wait_s <= whole_s


def test_a_ban_is_tried_more_slowly() -> None:
    (wait_s,) = waits(rooms(), 1, slow=True)
    assert 3.0 <= wait_s <= 6.0


def test_who_could_stay_a_while_starts_anew() -> None:
    made = rooms()
    waits(made, 8)
    made.joined("#a", now_s=0.0)
    wait_s = made.kept_out("#a", "kicked", slow=False, now_s=61.0)
    assert wait_s is not None
    assert wait_s <= 1.0


def test_who_is_thrown_out_at_once_does_not() -> None:
    made = rooms()
    waits(made, 8)
    made.joined("#a", now_s=0.0)
    wait_s = made.kept_out("#a", "kicked", slow=False, now_s=1.0)
    assert wait_s is not None
    assert wait_s >= 50.0


def test_a_room_that_nobody_wants_is_not_tried() -> None:
    assert rooms().kept_out("#b", "no", slow=False, now_s=0.0) is None


def test_troubles_are_told_until_we_are_in() -> None:
    made = rooms()
    waits(made, 1)
    assert made.troubles() == ["#A: no"]
    assert made.missing() == ["#a"]
    made.joined("#a", now_s=0.0)
    assert (made.troubles(), made.missing(), made.present()) == ([], [], ("#a",))
    made.disconnected()
    assert made.present() == ()


def test_rooms_are_known_under_the_servers_folding() -> None:
    made = Rooms(first_s=1.0, most_s=1.0, rng=random.Random(1))
    made.want(fold("#x[]"), "#x[]")
    made.refold(lambda name: fold(name, "ascii"))
    assert made.missing() == ["#x[]"]


def test_members_come_go_and_are_renamed() -> None:
    members = Members()
    for channel in ("#a", "#b"):
        members.join(channel, "ann", "Ann")
    members.join("#a", "bob", "bob")
    assert members.rename("ann", "eve", "Eve") == ["#a", "#b"]
    members.part("#b", "eve")
    assert members.channels_of("eve") == ["#a"]
    members.leave("#a")
    assert members.quit("bob") == []
    assert members.nicks("#a") == []
