from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bots.console import reducer
from bots.console.model import KEPT, Change, Guild, Kind

GUILD, LOBBY, ME, BOT = 10, 20, 1, 2


def user(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {"id": str(number), "username": name, "bot": bot}


def line(number: int, text: str = "hi", *, by: int = BOT, **more: Any) -> dict[str, Any]:
    body = {"id": str(number), "channel_id": str(LOBBY), "content": text, "mentions": []}
    return body | {"author": user(by, f"user{by}", bot=by == BOT)} | more


def guild(**more: Any) -> Guild:
    """A guild after READY and GUILD_CREATE."""
    made = Guild(GUILD)
    reducer.apply(made, "READY", {"user": user(ME, "you"), "session_id": "s"}, 0.0)
    told = {
        "id": str(GUILD),
        "name": "parley",
        "roles": [{"id": "7", "name": "operators"}],
        "members": [
            {"user": user(ME, "you"), "roles": ["7"]},
            {"user": user(BOT, "captain", bot=True), "roles": []},
        ],
        "presences": [{"user": {"id": str(BOT)}, "status": "online", "activities": []}],
        "channels": [
            {"id": "15", "type": 4, "name": "command", "position": 0},
            {"id": str(LOBBY), "type": 0, "name": "lobby", "parent_id": "15", "position": 1},
            {"id": "21", "type": 0, "name": "alone", "position": 9, "last_message_id": "90"},
        ],
        "threads": [],
    } | more
    assert reducer.apply(made, "GUILD_CREATE", told, 0.0) == (Change("everything"),)
    return made


def test_a_guild_begins_with_everything_read() -> None:
    made = guild()
    groups = [(h.name if h else "", [c.name for c in cs]) for h, cs in made.categories()]
    assert groups == [("", ["alone"]), ("command", ["lobby"])]
    assert not made.channels[21].unread
    assert made.members[BOT].status == "online"
    assert made.roles == {7: "operators"}
    first = made.first_channel()
    assert first is not None
    assert first.name == "alone"


def test_another_guild_and_unknown_events_change_nothing() -> None:
    made = guild()
    assert reducer.apply(made, "GUILD_CREATE", {"id": "11"}, 0.0) == ()
    assert reducer.apply(made, "VOICE_STATE_UPDATE", {}, 0.0) == ()


def test_a_message_of_another_is_unread_and_ones_own_reads_the_channel() -> None:
    made = guild()
    changes = reducer.apply(made, "MESSAGE_CREATE", line(100), 0.0)
    lobby = made.channels[LOBBY]
    assert Change("message", LOBBY, 100) in changes
    assert (lobby.unread, lobby.mentions) == (True, 0)
    reducer.apply(made, "MESSAGE_CREATE", line(101, mentions=[user(ME, "you")]), 0.0)
    assert lobby.mentions == 1
    reducer.apply(made, "MESSAGE_CREATE", line(102, by=ME), 0.0)
    assert (lobby.unread, lobby.mentions) == (False, 0)


def test_reading_is_told_once() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100, mention_everyone=True), 0.0)
    lobby = made.channels[LOBBY]
    assert lobby.mentions == 1
    assert reducer.mark_read(lobby, 100) == (Change("channels"),)
    assert reducer.mark_read(lobby, 100) == ()
    assert not lobby.unread


def test_an_edit_changes_and_a_deletion_removes() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100), 0.0)
    edit = {"id": "100", "channel_id": str(LOBBY), "content": "new", "edited_timestamp": "t"}
    assert reducer.apply(made, "MESSAGE_UPDATE", edit, 0.0) == (Change("message", LOBBY, 100),)
    assert made.channels[LOBBY].messages[100]["content"] == "new"
    gone = {"id": "100", "channel_id": str(LOBBY)}
    assert reducer.apply(made, "MESSAGE_DELETE", gone, 0.0) == (Change("message", LOBBY, 100),)
    assert reducer.apply(made, "MESSAGE_DELETE", gone, 0.0) == ()
    assert reducer.apply(made, "MESSAGE_UPDATE", edit, 0.0) == ()
    assert reducer.apply(made, "MESSAGE_DELETE_BULK", {"ids": ["1"], "channel_id": "999"}, 0) == ()


def test_a_dm_from_a_bot_opens_itself_and_counts_as_a_mention() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100, channel_id="33"), 0.0)
    dm = made.channels[33]
    assert (dm.kind, dm.mentions, made.title_of(dm)) == (Kind.DM, 1, "captain")
    assert [c.id for c in made.dms()] == [33]


def test_typing_ends_by_time_and_by_a_message() -> None:
    made = guild()
    start = {"channel_id": str(LOBBY), "user_id": str(BOT)}
    assert reducer.apply(made, "TYPING_START", start, 5.0) == (Change("typing", LOBBY),)
    assert [m.name for m in made.typing_in(LOBBY, 6.0)] == ["captain"]
    assert made.typing_in(LOBBY, 15.1) == []
    reducer.apply(made, "MESSAGE_CREATE", line(100), 6.0)
    assert made.typing_in(LOBBY, 6.0) == []
    reducer.apply(made, "TYPING_START", start | {"user_id": str(ME)}, 5.0)
    assert made.typing_in(LOBBY, 6.0) == []


def test_a_thread_lies_below_its_channel_and_counts_its_replies() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100), 0.0)
    thread = {"id": "100", "type": 11, "name": "t", "parent_id": str(LOBBY), "message_count": 0}
    changes = reducer.apply(made, "THREAD_CREATE", thread, 0.0)
    assert Change("message", LOBBY, 100) in changes
    assert [t.name for t in made.threads()[LOBBY]] == ["t"]
    starter = line(101, type=21, channel_id="100")
    reducer.apply(made, "MESSAGE_CREATE", starter, 0.0)
    changes = reducer.apply(made, "MESSAGE_CREATE", line(102, channel_id="100"), 0.0)
    assert made.channels[100].message_count == 1
    assert Change("message", LOBBY, 100) in changes
    reducer.apply(made, "THREAD_UPDATE", thread | {"thread_metadata": {"archived": True}}, 0.0)
    assert made.threads() == {}


def test_members_change_and_roles_come_and_go() -> None:
    made = guild()
    reducer.apply(made, "GUILD_MEMBER_UPDATE", {"user": user(3, "new"), "nick": "nicked"}, 0.0)
    assert made.name_of(3) == "nicked"
    told = {"role": {"id": "8", "name": "guests"}}
    assert reducer.apply(made, "GUILD_ROLE_CREATE", told, 0.0) == (Change("members"),)
    assert made.roles == {7: "operators", 8: "guests"}
    assert reducer.apply(made, "GUILD_ROLE_DELETE", {"role_id": "7"}, 0.0) == (Change("members"),)
    assert made.roles == {8: "guests"}
    presence = {
        "user": {"id": str(BOT)},
        "status": "dnd",
        "activities": [{"name": "Custom Status", "state": "killed by you"}],
    }
    reducer.apply(made, "PRESENCE_UPDATE", presence, 0.0)
    assert (made.members[BOT].status, made.members[BOT].activity) == ("dnd", "killed by you")


def test_a_channel_keeps_a_bounded_number_of_messages() -> None:
    made = guild()
    for number in range(100, 100 + KEPT + 20):
        reducer.apply(made, "MESSAGE_CREATE", line(number), 0.0)
    kept = made.channels[LOBBY].messages
    assert len(kept) == KEPT
    assert next(iter(kept)) == 120


def test_history_never_overwrites_what_the_gateway_said() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100, "newer"), 0.0)
    reducer.learn(made, made.channels[LOBBY], [line(100, "older"), line(50, "first", by=4)])
    assert list(made.channels[LOBBY].messages) == [50, 100]
    assert made.channels[LOBBY].messages[100]["content"] == "newer"
    assert made.name_of(4) == "user4"


def test_a_new_session_forgets_messages_and_keeps_dms() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100, channel_id="33"), 0.0)
    made.channels[33].loaded = True
    reducer.apply(made, "READY", {"user": user(ME, "you"), "session_id": "s"}, 0.0)
    assert list(made.channels) == [33]
    assert (made.channels[33].loaded, made.channels[33].messages) == (False, {})


def reaction(by: int, emoji: str) -> dict[str, Any]:
    told = {"channel_id": str(LOBBY), "message_id": "100", "user_id": str(by)}
    return told | {"emoji": {"id": None, "name": emoji}}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 3]), st.sampled_from("👀✅"))))
def test_reactions_count_who_reacted(deeds: list[tuple[bool, int, str]]) -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100), 0.0)
    truth: dict[str, set[int]] = {}
    for on, who, emoji in deeds:
        held = truth.setdefault(emoji, set())
        if on == (who in held):
            continue  # the guild tells only what changed
        held.symmetric_difference_update({who})
        name = "MESSAGE_REACTION_ADD" if on else "MESSAGE_REACTION_REMOVE"
        reducer.apply(made, name, reaction(who, emoji), 0.0)
    shown = made.channels[LOBBY].messages[100].get("reactions") or []
    assert {r["emoji"]["name"]: (r["count"], r["me"]) for r in shown} == {
        e: (len(who), ME in who) for e, who in truth.items() if who
    }


def test_reactions_can_be_cleared() -> None:
    made = guild()
    reducer.apply(made, "MESSAGE_CREATE", line(100), 0.0)
    for emoji in "👀✅":
        reducer.apply(made, "MESSAGE_REACTION_ADD", reaction(3, emoji), 0.0)
    reducer.apply(made, "MESSAGE_REACTION_REMOVE_EMOJI", reaction(0, "👀"), 0.0)
    shown = made.channels[LOBBY].messages[100]
    assert [r["emoji"]["name"] for r in shown["reactions"]] == ["✅"]
    reducer.apply(made, "MESSAGE_REACTION_REMOVE_ALL", reaction(0, ""), 0.0)
    assert shown["reactions"] == []
    assert (
        reducer.apply(made, "MESSAGE_REACTION_ADD", reaction(3, "x") | {"message_id": "1"}, 0) == ()
    )
