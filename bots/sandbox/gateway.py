"""The gateway: who is in a session, and which of them hears what happens in the world.

Discord's documentation, "Gateway": "Connections", "Identifying", "Resuming", "Disconnecting".
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from bots.sandbox import frames, intents, payloads, presences, ready, threads, visibility
from bots.sandbox.compression import packer
from bots.sandbox.config import GatewaySpec
from bots.sandbox.connection import Connection
from bots.sandbox.events import Event, Intent
from bots.sandbox.frames import Close, Op, Refused
from bots.sandbox.model import User
from bots.sandbox.presences import Presences
from bots.sandbox.session import Session, encode
from bots.sandbox.world import World

_log = logging.getLogger(__name__)
_MOST_FRAME_BYTES = 64 * 1024
#: how long a client may take to answer our close frame
_CLOSE_S = 2.0


class Gateway:
    """All sessions of all clients. One event loop, no lock: nothing here waits."""

    def __init__(self, world: World, spec: GatewaySpec) -> None:
        self.spec = spec
        self._starts = world.starts
        self._world = world
        self._presences = Presences(world, spec.offline_after_s)
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        world.subscribe(self.publish)

    # --- sockets --------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /gateway as a websocket: ``v``, ``encoding`` and ``compress`` as Discord has them."""
        socket = web.WebSocketResponse(
            timeout=_CLOSE_S, max_msg_size=_MOST_FRAME_BYTES, compress=False
        )
        await socket.prepare(request)
        if request.query.get("v", "10") != "10":
            await socket.close(code=Close.INVALID_API_VERSION, message=b"Invalid API version.")
        elif request.query.get("encoding", "json") != "json":
            await socket.close(code=Close.DECODE_ERROR, message=b"Only json is spoken here.")
        else:
            connection = Connection(self, request, socket, packer(request.query.get("compress")))
            self._connections.add(connection)
            await connection.run()
        return socket

    def connections(self, user: User | None = None) -> list[Connection]:
        """The open sockets, of `user` or of all bots."""
        return [
            c
            for c in self._connections
            if c.session and (c.session.user is user if user else c.session.user.bot)
        ]

    def detach(self, connection: Connection, *, clean: bool) -> None:
        """The socket is gone; its session stays for a while unless it ended `clean`."""
        self._connections.discard(connection)
        session = connection.session
        if session is None or session.wire is not connection:
            return
        session.wire = None
        if clean:
            self.forget(session)
            return
        loop = asyncio.get_running_loop()
        self._expiries[session.id] = loop.call_later(
            self.spec.resume_window_s, self.forget, session
        )
        self._presences.left(session)

    def forget(self, session: Session) -> None:
        """End `session`: it cannot be resumed any more."""
        self._sessions.pop(session.id, None)
        self._stop_expiry(session)
        session.wire = None
        self._presences.gone(session)

    def abort_all(self) -> None:
        """Cut every socket: the server ends."""
        for connection in list(self._connections):
            connection.abort()
        for timer in self._expiries.values():
            timer.cancel()
        self._presences.stop()

    # --- sessions -------------------------------------------------------------------------------

    def identify(self, connection: Connection, data: dict[str, Any]) -> None:
        """Begin a session: READY, then the guild. Refused for Discord's reasons."""
        user = self._user(data)
        wanted = self._intents(user, data)
        _check_shard(data)
        if self._starts.too_soon(user.id):
            connection.send(frames.text(Op.INVALID_SESSION, d=False))
            return
        if not self._starts.take(user.id):
            self._end_everywhere(user)
            raise Refused(Close.AUTHENTICATION_FAILED, "Session start limit reached.")
        session = Session(secrets.token_hex(16), user, wanted, keep=self.spec.replay_events)
        if isinstance(data.get("presence"), dict):
            presences.read(session, data["presence"])
        self._presences.came(session)
        session.wire = connection
        connection.session = session
        self._greet(session, connection.host)
        self._sessions[session.id] = session

    def resume(self, connection: Connection, data: dict[str, Any]) -> None:
        """Go on with a session: what was missed, then RESUMED; else op 9."""
        user = self._user(data)
        session = self._sessions.get(str(data.get("session_id")))
        seq = data.get("seq")
        if session is None or session.user is not user or not isinstance(seq, int):
            connection.send(frames.text(Op.INVALID_SESSION, d=False))
            return
        if seq > session.last_seq:
            raise Refused(Close.INVALID_SEQ, "Invalid seq.")
        if not session.covers(seq):
            self.forget(session)
            connection.send(frames.text(Op.INVALID_SESSION, d=False))
            return
        self._stop_expiry(session)
        if isinstance(session.wire, Connection):
            # its successor is here: the old socket has nothing to say any more
            session.wire.abort()
        connection.replay(session.since(seq))
        session.wire = connection
        connection.session = session
        session.tell("RESUMED", encode({"_trace": []}))
        self._presences.came(session)

    def _user(self, data: dict[str, Any]) -> User:
        token = data.get("token")
        user = None
        if isinstance(token, str):
            user = self._world.user_by_token(token.removeprefix("Bot "))
        if user is None:
            raise Refused(Close.AUTHENTICATION_FAILED, "Authentication failed.")
        return user

    def _intents(self, user: User, data: dict[str, Any]) -> Intent | None:
        """What the session asks for; None for a person's, which hears everything."""
        if not user.bot:
            return None
        wanted = intents.parse(data.get("intents"))
        if wanted is None:
            raise Refused(Close.INVALID_INTENTS, "Invalid intent(s).")
        if intents.forbidden(wanted, user.intents):
            raise Refused(Close.DISALLOWED_INTENTS, "Disallowed intent(s).")
        return wanted

    def _greet(self, session: Session, host: str) -> None:
        user = session.user
        threads.put_to_sleep(self._world)
        greeting = ready.ready(
            session,
            payloads.own_user(user),
            guild_id=self._world.guild_id,
            flags=intents.application_flags(user.intents),
            url=f"ws://{host}/gateway",
        )
        session.tell("READY", encode(greeting))
        if session.intents is None or Intent.GUILDS in session.intents:
            guild = visibility.trim_guild(self._world.guild_payload(user), user, session.intents)
            session.tell("GUILD_CREATE", encode(guild))

    def _end_everywhere(self, user: User) -> None:
        """Discord ends all sessions of whom identifies too often, and resets the token."""
        _log.error("%s has used up its %s IDENTIFYs", user.name, self._starts.per_day)
        for connection in self.connections(user):
            connection.abort()
        for session in [s for s in self._sessions.values() if s.user is user]:
            self.forget(session)

    def _stop_expiry(self, session: Session) -> None:
        timer = self._expiries.pop(session.id, None)
        if timer is not None:
            timer.cancel()

    # --- telling --------------------------------------------------------------------------------

    def publish(self, event: Event) -> None:
        """Tell every session that may hear `event` what it may know of it."""
        last: dict[str, Any] | None = None
        text = ""
        for session in self._hearers(event):
            payload = self._shown(event, session)
            if payload != last:
                # most hearers get the same: encode it once, and keep one copy for all replays
                last, text = payload, encode(payload)
            session.tell(event.name, text)

    def _hearers(self, event: Event) -> Iterator[Session]:
        # a list: hearing may end a session whose socket is full
        for session in list(self._sessions.values()):
            if visibility.hears(event, session.user, session.intents, self._world.can_view):
                yield session

    def _shown(self, event: Event, session: Session) -> dict[str, Any]:
        payload = event.payload(session.user)
        message = event.message
        if message is None or session.intents is None or Intent.MESSAGE_CONTENT in session.intents:
            return payload
        if self._world.withholds(message, session.user):
            payload = visibility.without_content(payload)
        quoted = payload.get("referenced_message")
        withheld = message.referenced and self._world.withholds(message.referenced, session.user)
        if quoted and withheld:
            payload = payload | {"referenced_message": visibility.without_content(quoted)}
        return payload

    def show_presence(self, session: Session, data: dict[str, Any]) -> None:
        """Op 3."""
        self._presences.show(session, data)

    def tell_members(self, session: Session, data: dict[str, Any]) -> None:
        """Op 8: GUILD_MEMBERS_CHUNKs; nothing where the intent for it is missing."""
        guild = self._world.guild_payload(session.user)
        if str(data.get("guild_id")) != guild["id"]:
            return
        chunks = list(ready.member_chunks(data, guild, session.intents))
        if not chunks:
            _log.warning("%s asks for all members without that intent", session.user.name)
        for chunk in chunks:
            session.tell("GUILD_MEMBERS_CHUNK", encode(chunk))


def _check_shard(data: dict[str, Any]) -> None:
    """One guild needs one shard: ``[0, 1]`` or none."""
    if data.get("shard", [0, 1]) != [0, 1]:
        raise Refused(Close.INVALID_SHARD, "Invalid shard.")
