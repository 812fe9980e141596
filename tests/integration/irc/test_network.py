"""The transport on a modern network: inspircd with atheme-services, TLS, SASL and IRCv3."""

from __future__ import annotations

from datetime import UTC, datetime

from bots.messages import Target
from storage.tables import LineKind
from tests.integration.irc.authority import Authority, fingerprint
from tests.integration.irc.network import Network
from tests.integration.irc.stage import Ear, MakeEar, MakePeer, until

PASSWORD = "correct-horse"


def tls(network: Network) -> dict[str, object]:
    """Settings for the TLS port under the name on its certificate."""
    return {
        "host": "localhost",
        "port": network.tls_port,
        "tls": True,
        "tls_authority": network.authority.certificate,
    }


async def fatal(ear: Ear) -> str:
    return str(await until(lambda: ear.transport.health.fatal, "giving up"))


async def test_tls_is_used_when_the_authority_and_the_name_are_right(
    network: Network, ears: MakeEar
) -> None:
    ear = ears(nick="tls-right", **tls(network))
    await ear.seated("#lobby")


async def test_a_server_under_another_name_is_refused(network: Network, ears: MakeEar) -> None:
    ear = ears(nick="tls-name", **tls(network) | {"host": "127.0.0.1"})
    assert "certificate is not trusted" in await fatal(ear)


async def test_a_server_of_an_unknown_authority_is_refused(network: Network, ears: MakeEar) -> None:
    folder = network.folder / "stranger"
    folder.mkdir()
    stranger = Authority(folder, "Somebody else").certificate
    ear = ears(nick="tls-ca", **tls(network) | {"tls_authority": stranger})
    assert "certificate is not trusted" in await fatal(ear)
    assert ear.task is not None
    await ear.task


async def test_sasl_plain_logs_in_to_the_account(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    owner = await peers("plainbot", network.port)
    await owner.register_account(PASSWORD)
    watcher = await peers("watcher1", network.port)
    await owner.close()

    ear = ears(nick="plain-nick", account="plainbot", account_password=PASSWORD, **tls(network))
    await ear.seated("#lobby")

    watcher.send("WHOIS plain-nick")
    await watcher.sees(" 330 watcher1 plain-nick plainbot ")


async def test_a_wrong_sasl_password_is_fatal_and_said(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    owner = await peers("wrongbot", network.port)
    await owner.register_account(PASSWORD)

    ear = ears(nick="wrong-nick", account="wrongbot", account_password="no", **tls(network))

    assert "SASL" in await fatal(ear)


async def test_sasl_external_logs_in_by_certificate(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    certificate = network.authority.issue("certbot")
    owner = await peers("certbot", network.port)
    await owner.register_account(PASSWORD)
    owner.send(f"PRIVMSG NickServ :CERT ADD {fingerprint(certificate)}")
    await owner.sees("ingerprint")
    watcher = await peers("watcher2", network.port)

    ear = ears(nick="cert-nick", certificate=certificate, **tls(network))
    await ear.seated("#lobby")

    watcher.send("WHOIS cert-nick")
    await watcher.sees(" 330 watcher2 cert-nick certbot ")


async def test_an_unknown_certificate_falls_back_to_the_password(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    owner = await peers("bothbot", network.port)
    await owner.register_account(PASSWORD)
    watcher = await peers("watcher3", network.port)

    ear = ears(
        nick="both-nick",
        certificate=network.authority.issue("unknown-certificate"),
        account="bothbot",
        account_password=PASSWORD,
        **tls(network),
    )
    await ear.seated("#lobby")

    watcher.send("WHOIS both-nick")
    await watcher.sees(" 330 watcher3 both-nick bothbot ")


async def test_lines_carry_account_time_and_msgid(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(nick="tag-ear", channels=("#tags",), port=network.port)
    await ear.seated("#tags")
    known, unknown = await peers("tagged", network.port), await peers("untagged", network.port)
    await known.register_account(PASSWORD)
    for person in (known, unknown):
        await person.join("#tags")

    known.send("PRIVMSG #tags :from an account")
    unknown.send("PRIVMSG #tags :from nobody")

    line = await ear.hears("from an account")
    assert line.account == "tagged"
    assert line.msgid
    assert line.said_at is not None
    assert abs((line.said_at - datetime.now(UTC)).total_seconds()) < 60
    assert line.userhost.startswith("tagged@")
    other = await ear.hears("from nobody")
    assert other.account is None
    assert other.msgid != line.msgid


async def test_what_it_says_is_proved_by_the_msgid_of_the_echo(
    network: Network, ears: MakeEar
) -> None:
    ear = ears(nick="echo-ear", channels=("#echo",), port=network.port)
    await ear.seated("#echo")

    deliveries = await ear.say("irc:#echo", "one", "one", "two")

    own = [h for h in ear.heard if h.is_own and h.kind is LineKind.SAID]
    assert [h.text for h in own] == ["one", "one", "two"]
    assert [d.proof for d in deliveries] == [f"msgid:{h.msgid}" for h in own]
    assert all(d.sent and not d.unknown for d in deliveries)


async def test_a_refusal_names_the_part_that_was_refused(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    host = await peers("muter", network.port)
    await host.join("#muted")
    ear = ears(nick="mute-ear", channels=("#muted",), port=network.port)
    await ear.seated("#muted")
    host.send("MODE #muted +m")
    await host.sees("MODE #muted :+m")

    (delivery,) = await ear.say("irc:#muted", "may I?")
    (absent,) = await ear.say("irc:nick:nobody-here", "hello?")

    assert (delivery.sent, delivery.unknown) == (False, False)
    assert delivery.proof.startswith("404 ")
    assert (absent.sent, absent.proof[:4]) == (False, "401 ")


async def test_bot_mode_marks_us_and_shows_us_other_bots(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    first = ears(nick="bot-one", channels=("#bots",), port=network.port)
    await first.seated("#bots")
    second = ears(nick="bot-two", channels=("#bots",), port=network.port)
    await second.seated("#bots")
    person = await peers("person", network.port)
    await person.join("#bots")

    await first.say("irc:#bots", "beep")
    person.send("PRIVMSG #bots :good morning")

    assert (await second.hears("beep")).is_bot
    assert not (await second.hears("good morning")).is_bot
    person.send("WHOIS bot-one")
    await person.sees(" 335 person bot-one ")


async def test_without_sasl_nickserv_is_asked(
    network_without_sasl: Network, ears: MakeEar, peers: MakePeer
) -> None:
    port = network_without_sasl.port
    owner = await peers("fallback", port)
    await owner.register_account(PASSWORD)
    watcher = await peers("watcher4", port)
    await watcher.join("#lobby")

    ear = ears(nick="fall-nick", account="fallback", account_password=PASSWORD, port=port)
    await ear.seated("#lobby")
    await watcher.sees("fall-nick!")
    await ear.say("irc:#lobby", "hello")

    def logged_in() -> bool:
        watcher.send("WHOIS fall-nick")
        return any(" 330 watcher4 fall-nick fallback " in line for line in watcher.lines)

    await until(logged_in, "the account in WHOIS")
    assert not [h for h in ear.heard if h.sender == "NickServ" or PASSWORD in h.text]


async def test_services_can_be_addressed_by_server_so_that_no_impostor_reads_the_password(
    network_without_sasl: Network, ears: MakeEar, peers: MakePeer
) -> None:
    port = network_without_sasl.port
    holder = await peers("exact", port)
    await holder.register_account(PASSWORD)

    ear = ears(
        nick="exact",
        account_password=PASSWORD,
        services_nick="NickServ@services.parley.test",
        port=port,
    )

    await until(lambda: ear.transport.health.nick == "exact", "the nick")
    assert not [h for h in ear.heard if PASSWORD in h.text]


async def test_a_wrong_nickserv_password_is_noted_not_fatal(
    network_without_sasl: Network, ears: MakeEar, peers: MakePeer
) -> None:
    owner = await peers("noted", network_without_sasl.port)
    await owner.register_account(PASSWORD)

    ear = ears(
        nick="noted-nick",
        account="noted",
        account_password="wrong",
        port=network_without_sasl.port,
    )

    await ear.seated("#lobby")
    await until(lambda: "NickServ says" in ear.transport.health.note, "the note")
    assert "wrong" not in ear.transport.health.note


async def test_regain_takes_the_nick_back_from_whoever_holds_it(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    holder = await peers("wanted", network.port)
    await holder.register_account(PASSWORD)

    ear = ears(nick="wanted", account_password=PASSWORD, channels=(), **tls(network))

    await until(lambda: ear.transport.health.nick == "wanted", "the nick")
    assert ear.transport.health.note == ""


async def test_names_fold_and_fit_as_the_server_says(network: Network, ears: MakeEar) -> None:
    ear = ears(nick="a-nick-far-longer-than-20", channels=("#Fold[1]",), port=network.port)
    await until(lambda: ear.transport.health.channels, "the channel")

    health = ear.transport.health
    assert health.nick == "a-nick-far-longer-than-20"[:20]
    assert health.channels == (ear.fold("#Fold[1]"),)
    assert "not ours" not in health.note


async def test_a_kick_is_heard_and_followed_by_a_return(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    host = await peers("kicker", network.port)
    await host.join("#kicks")
    ear = ears(nick="kick-ear", channels=("#kicks",), port=network.port)
    await ear.seated("#kicks")

    host.send("KICK #kicks kick-ear :out with you")

    heard = await ear.hears("kick-ear: out with you", LineKind.KICK)
    assert heard.sender == "kicker"
    await until(lambda: ear.joining == ["#kicks", "#kicks"], "the return")
    await ear.seated("#kicks")


async def test_a_ban_is_noted_and_outwaited(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    host = await peers("banner", network.port)
    await host.join("#banned")
    host.send("MODE #banned +b ban-ear!*@*")
    await host.sees("MODE #banned +b")
    ear = ears(nick="ban-ear", channels=("#banned",), port=network.port)
    await until(lambda: "Not in #banned" in ear.transport.health.note, "the note")
    assert "474" in ear.transport.health.note

    host.send("MODE #banned -b ban-ear!*@*")

    await ear.seated("#banned")
    assert ear.transport.health.note == ""


async def test_a_long_text_arrives_whole_although_the_server_adds_our_prefix(
    network: Network, ears: MakeEar, peers: MakePeer
) -> None:
    ear = ears(nick="long-ear", channels=("#long",), port=network.port)
    await ear.seated("#long")
    alice = await peers("longreader", network.port)
    await alice.join("#long")
    words = [f"\u65e5\u672c{n}" for n in range(300)]

    parts = ear.transport.split(Target.parse("irc:#long"), " ".join(words))
    deliveries = await ear.say("irc:#long", *parts)

    assert all(d.sent for d in deliveries)
    await alice.sees(words[-1])
    lines = [line for line in alice.lines if " PRIVMSG #long " in line]
    assert " ".join(line.partition(" :")[2] for line in lines).split() == words
    assert min(len(line.encode()) for line in lines[:-1]) > 470


async def test_services_that_come_late_still_log_us_in(
    ears: MakeEar, network_alone: Network
) -> None:
    """CAP NEW brings `sasl` once the services are linked."""
    ear = ears(nick="early", account_password=PASSWORD, port=network_alone.port)
    await ear.seated("#lobby")

    network_alone.start_services()

    await until(lambda: "refused the SASL login" in ear.transport.health.note, "the try")
