"""What all requests share: the people, the swarm's state, and who is asking."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from bots.console import cookies
from bots.console.attempts import Attempts
from bots.console.config import Config, UserSpec
from bots.console.control import Control
from bots.console.cookies import Login
from bots.console.model import Change
from bots.console.person import Person
from bots.console.streams import Streams


@dataclass(frozen=True, slots=True)
class Visitor:
    """A logged-in person, acting as a user of the guild."""

    person: Person
    operator: bool


class House:
    """The whole state of this process. People are connected when somebody first acts as them."""

    def __init__(self, config: Config, http: aiohttp.ClientSession) -> None:
        self.config = config
        self.http = http
        self.control = Control(http, config.control, clock=now, on_change=self._swarm_changed)
        self.attempts = Attempts()
        self.streams = Streams()
        self.people: dict[str, Person] = {}
        self._key = config.storage_secret.encode()

    @property
    def users(self) -> Mapping[str, UserSpec]:
        return {u.name: u for u in self.config.guild.users}

    @property
    def operators(self) -> frozenset[str]:
        return frozenset(u.name for u in self.config.guild.users if u.operator)

    @property
    def cookie(self) -> str:
        # cookies know no ports: two swarms on one machine must not log each other out
        return f"parley_{self.config.guild.id}"

    # --- who is asking ---------------------------------------------------------------------------

    def login(self, request: web.Request) -> Login | None:
        return cookies.read(self._key, request.cookies.get(self.cookie, ""), now())

    def visitor(self, request: web.Request) -> Visitor | None:
        """Who asks; None for nobody that we know."""
        login = self.login(request)
        user = self.users.get(login.user) if login else None
        if user is None:
            return None
        return Visitor(self.person(user), user.operator)

    def person(self, user: UserSpec) -> Person:
        if user.name not in self.people:
            self.people[user.name] = person = Person(user, self.config.guild, self.http)
            person.start()
        return self.people[user.name]

    def admit(self, token: str) -> float | None:
        """None when `token` is right; else how long to wait before the next try, in seconds.

        Who has the token enters whatever others guessed: any web page can send a wrong one, and
        must not keep the operator from the red button. What `up` makes has 144 bits to guess.
        """
        if hmac.compare_digest(token.encode(), self.config.token.encode()):
            return None
        wait_s = self.attempts.wait_s(time.monotonic())
        if wait_s <= 0:
            self.attempts.failed(time.monotonic())
        return wait_s

    def remember(self, response: web.StreamResponse, user: str) -> None:
        """Put the session cookie on the response."""
        response.set_cookie(
            self.cookie,
            cookies.write(self._key, Login(user, now())),
            max_age=int(cookies.LASTS.total_seconds()),
            httponly=True,
            samesite="Lax",
        )

    # --- life ------------------------------------------------------------------------------------

    def _swarm_changed(self) -> None:
        for person in self.people.values():
            person.publish([Change("swarm")])

    async def close(self) -> None:
        for person in self.people.values():
            await person.stop()


def now() -> datetime:
    return datetime.now(UTC)


HOUSE = web.AppKey("house", House)
