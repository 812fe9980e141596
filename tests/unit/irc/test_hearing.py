from __future__ import annotations

from datetime import UTC, datetime

from irc.features import FeatureSet

from bots.irc.hearing import Hearing
from bots.irc.line import Line
from bots.irc.rules import ServerRules
from bots.messages import Heard

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def hearing(*enabled: str, me: str = "alpha", **features: object) -> Hearing:
    known = FeatureSet()
    for name, value in features.items():
        known.set(name, value)
    made = Hearing(
        network="irc", services_nick="NickServ", rules=ServerRules(known), enabled=set(enabled)
    )
    made.me = me
    return made


def line(command: str, *params: str, sender: str = "bob", **tags: str) -> Line:
    return Line(command=command, params=params, sender=sender, userhost="u@h", tags=tags)


def accounts(made: Hearing, *lines: Line) -> list[str | None]:
    heard: list[Heard] = []
    for each in lines:
        heard += made.hear(each, NOW)
    return [h.account for h in heard if h.text == "hi"]


SAYS = line("PRIVMSG", "#c", "hi")


def test_an_account_comes_from_the_tag_where_tags_are_on() -> None:
    tagged = line("PRIVMSG", "#c", "hi", account="boss")
    assert accounts(hearing("account-tag"), tagged, SAYS) == ["boss", None]
    assert accounts(hearing(), tagged) == [None]
    assert accounts(hearing("account-tag"), line("PRIVMSG", "#c", "hi", account="*")) == [None]


def test_without_tags_joins_and_notices_tell_the_account() -> None:
    made = hearing("extended-join", "account-notify")
    joins = line("JOIN", "#c", "boss", "Bob")
    assert accounts(made, joins, SAYS) == ["boss"]
    assert accounts(made, line("ACCOUNT", "*"), SAYS) == [None]
    assert accounts(made, line("ACCOUNT", "boss"), SAYS) == ["boss"]


def test_an_account_does_not_outlive_the_sight_of_its_owner() -> None:
    made = hearing("extended-join", "account-notify")
    joins = line("JOIN", "#c", "boss", "Bob")
    assert accounts(made, joins, line("QUIT", "bye"), SAYS) == [None]
    assert accounts(made, joins, line("PART", "#c"), SAYS) == [None]


def test_an_account_follows_its_owner_to_another_nick_and_leaves_the_old_one() -> None:
    made = hearing("extended-join", "account-notify")
    renamed = line("PRIVMSG", "#c", "hi", sender="rob")
    told = accounts(made, line("JOIN", "#c", "boss", "Bob"), line("NICK", "rob"), renamed, SAYS)
    assert told == ["boss", None]


def test_one_half_of_the_knowledge_is_none() -> None:
    # without account-notify a logout would go unseen
    assert accounts(hearing("extended-join"), line("JOIN", "#c", "boss", "Bob"), SAYS) == [None]


def test_an_echo_in_private_belongs_to_the_one_we_talked_to() -> None:
    (heard,) = hearing().hear(line("PRIVMSG", "Carol", "hi", sender="Alpha"), NOW)
    assert (str(heard.where), heard.is_own) == ("irc:nick:carol", True)


def test_what_is_said_to_services_is_not_heard_back() -> None:
    for name in ("NickServ", "nickserv@services.example"):
        secret = line("PRIVMSG", name, "IDENTIFY alpha geheim", sender="alpha")
        assert hearing().hear(secret, NOW) == []


def test_a_line_to_the_operators_of_a_channel_was_said_in_it() -> None:
    (heard,) = hearing(statusmsg="@+").hear(line("PRIVMSG", "@#c", "hi"), NOW)
    assert str(heard.where) == "irc:#c"


def test_channel_types_are_what_the_server_says() -> None:
    (heard,) = hearing(chantypes="#").hear(line("PRIVMSG", "&c", "hi"), NOW)
    assert str(heard.where) == "irc:nick:bob"


def test_history_without_msgid_is_not_heard_again() -> None:
    made = hearing("message-tags")
    made.hear(line("BATCH", "+b1", "chathistory", "#c"), NOW)
    assert made.hear(line("PRIVMSG", "#c", "hi", batch="b1"), NOW) == []
    assert len(made.hear(line("PRIVMSG", "#c", "hi", batch="b1", msgid="m"), NOW)) == 1
    made.hear(line("BATCH", "-b1"), NOW)
    assert len(made.hear(line("PRIVMSG", "#c", "hi", batch="b1"), NOW)) == 1


def test_names_are_read_with_every_prefix_and_userhost() -> None:
    made = hearing(prefix={"~": "q", "@": "o", "+": "v"})
    made.hear(line("353", "alpha", "=", "#C", "~@Ann!a@h +bob carol"), NOW)
    assert made.members.nicks("#c") == ["Ann", "bob", "carol"]
    (heard,) = made.hear(line("QUIT", "bye", sender="ann"), NOW)
    assert str(heard.where) == "irc:#c"


def test_our_own_part_empties_the_channel() -> None:
    made = hearing()
    made.hear(line("353", "alpha", "=", "#c", "alpha bob"), NOW)
    made.hear(line("PART", "#c", sender="alpha"), NOW)
    assert made.hear(line("QUIT", "bye"), NOW) == []


def test_bots_are_known_by_tag_and_by_who() -> None:
    made = hearing("message-tags", bot="B")
    (tagged,) = made.hear(
        Line(
            command="PRIVMSG", params=("#c", "hi"), sender="x", userhost="u@h", tags={"bot": None}
        ),
        NOW,
    )
    made.hear(line("352", "alpha", "#c", "u", "h", "srv", "bob", "HB*", "0 Bob"), NOW)
    (flagged,) = made.hear(SAYS, NOW)
    (person,) = made.hear(line("PRIVMSG", "#c", "hi", sender="carol"), NOW)
    assert [tagged.is_bot, flagged.is_bot, person.is_bot] == [True, True, False]


def test_a_changed_host_is_remembered_for_splitting() -> None:
    made = hearing()
    made.hear(line("JOIN", "#c", sender="alpha"), NOW)
    assert made.my_userhost == "u@h"
    made.hear(line("CHGHOST", "new", "cloak.example", sender="alpha"), NOW)
    assert made.my_userhost == "new@cloak.example"
