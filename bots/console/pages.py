"""The pages and their parts as HTML: one environment of templates, filled from the views."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from bots.console import faces, icons, message_views, views
from bots.console.house import House, Visitor, now
from bots.console.model import Channel, Guild, Member, Payload
from bots.console.numbers import number
from bots.console.person import Person

HERE = Path(__file__).parent
WAITING = "waiting"
#: agents have their commands in the guild alone; in private this word does the same
_STOP = "stop"
#: messages that a view begins with; the rest comes when somebody scrolls up
_SHOWN = 100
#: who has not confirmed by then is ended by force; a quick kill is drawn on a finer scale
_FORCED_MS, _QUICK_MS = 2_000.0, 500.0
_DOTS_LEFT, _DOTS_WIDTH, _DOTS_LINE = 8.0, 384.0, 40.0

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.globals["icon"] = icons.icon
_templates.globals["emoji"] = icons.EMOJI


#: components and forms are payloads of others: what they leave out is empty, and no error of ours
_of_others = _templates.overlay(undefined=jinja2.ChainableUndefined)


def login(house: House, theme: str, sentence: str) -> str:
    return _templates.get_template("login.html").render(
        theme=theme, sentence=sentence, swarm_name=house.config.swarm
    )


class Pages:
    """Everything that one visitor sees in one view: a channel's id, or ``waiting``."""

    def __init__(self, house: House, visitor: Visitor, view: str) -> None:
        self._house = house
        self._person: Person = visitor.person
        self._guild: Guild = visitor.person.guild
        self._operator = visitor.operator
        self.view = view

    @property
    def channel(self) -> Channel | None:
        return self._guild.channels.get(number(self.view))

    # --- whole ------------------------------------------------------------------------------------

    def page(self, theme: str, page: str) -> str:
        guild, waiting = self._guild, self._waiting()
        return self._render(
            "page.html",
            **self._main_context(waiting),
            **self._side_context(waiting),
            **self._people_context(),
            theme=theme,
            page=page,
            main="main.html" if self.channel else "waiting.html",
            start=self.start,
            me=faces.face(guild.members.get(guild.me) or Member(id=0, name=self._person.user.name)),
            me_user=self._person.user.name,
            users=self._house.config.guild.users,
        )

    def main(self) -> str:
        template = "main.html" if self.channel else "waiting.html"
        return self._render(template, **self._main_context(self._waiting()))

    @property
    def start(self) -> str:
        """The point from which this page wants to hear of changes."""
        return f"{self._person.epoch}.{self._person.revision}"

    @property
    def killed(self) -> bool:
        """Whether a kill of everybody holds."""
        return self._house.control.swarm.kill is not None

    @property
    def title(self) -> str:
        return self._guild.title_of(self.channel) if self.channel else "Waiting for you"

    # --- parts ------------------------------------------------------------------------------------

    def top(self) -> str:
        return self._render("top.html")

    def panel(self) -> str:
        return self._render("panel.html", **self._panel(self._waiting()))

    def side(self) -> str:
        return self._render("channels.html", **self._side_context(self._waiting()))

    def members(self) -> str:
        return self._render("members.html", **self._people_context())

    def head(self) -> str:
        assert self.channel is not None
        head = views.head(self._guild, self.channel, self._house.control.swarm)
        return self._render("head.html", head=head)

    def typing(self) -> str:
        return self._render("typing.html", **self._writing())

    def waits(self, one: Payload) -> bool:
        """Whether this message is an approval that somebody can still give."""
        return message_views.waits(one, now())

    def message(self, channel: Channel, one: Payload) -> str:
        return self._render(
            "message.html",
            m=message_views.message(self._guild, one, now()),
            threads=_threads(channel),
        )

    def messages(self, channel: Channel, payloads: Iterable[Payload]) -> str:
        return "".join(self.message(channel, one) for one in payloads)

    def modal(self, payload: Payload) -> str:
        return _of_others.get_template("modal.html").render(
            modal=payload, choices=self._choices, marked=self._marked
        )

    # --- what they are filled with --------------------------------------------------------------

    def _render(self, template: str, **context: Any) -> str:
        guild = self._guild
        return _templates.get_template(template).render(
            guild=guild,
            swarm=self._house.control.swarm,
            swarm_name=self._house.config.swarm,
            link=self._person.link,
            operator=self._operator,
            view=self.view,
            title=self.title,
            components=self._components,
            scale_ms=self._scale_ms(),
            **context,
        )

    def _waiting(self) -> Sequence[Payload]:
        """Asked once for all that is drawn together: it looks at every message that is known."""
        return views.waiting(self._guild, now())

    def _main_context(self, waiting: Sequence[Payload]) -> dict[str, Any]:
        guild, channel = self._guild, self.channel
        at, panel = now(), self._panel(waiting)
        if channel is None:
            shown = [message_views.message(guild, one, at) for one in waiting]
            return {"messages": shown, "threads": False, "channel": None, **panel}
        latest = list(channel.messages.values())[-_SHOWN:]
        return {
            "channel": channel,
            "messages": [message_views.message(guild, m, at) for m in latest],
            "complete": channel.complete and len(latest) == len(channel.messages),
            "threads": _threads(channel),
            "commands": not channel.is_dm,
            "head": views.head(guild, channel, self._house.control.swarm),
            **self._writing(),
            **panel,
        }

    def _writing(self) -> dict[str, Any]:
        """Who writes in this channel, and how to stop it."""
        channel = self.channel
        here = views.writing(self._guild, channel, time.monotonic(), now()) if channel else []
        return {"writing": here, "stop_line": self._stop_line(here)}

    def _panel(self, waiting: Sequence[Payload]) -> dict[str, Any]:
        """What the red panel shows beside the swarm: how fast, and what is left open."""
        kill = self._house.control.swarm.kill
        if kill is None:
            return {"dots": [], "said_since": None, "approvals": 0}
        since = views.said_since(self._guild, datetime.fromisoformat(kill.at)) if kill.at else None
        return {"dots": self._dots(), "said_since": since, "approvals": len(waiting)}

    def _side_context(self, waiting: Sequence[Payload]) -> dict[str, Any]:
        return {"groups": views.channels(self._guild, waiting), "waiting": len(waiting)}

    def _people_context(self) -> dict[str, Any]:
        groups = views.members(self._guild, self._house.control.swarm, self._house.operators)
        total = sum(len(g.rows) for g in groups)
        agents = any(row.face.bot and row.face.shape != "away" for g in groups for row in g.rows)
        return {"people": groups, "total": total, "agents": agents}

    def _stop_line(self, writing: Sequence[Member]) -> str:
        """What stops the first agent that writes: its slash command, in private a word; empty where
        there is none.
        """
        agent = next((m.name for m in writing if m.bot), "")
        if agent and self.channel is not None and self.channel.is_dm:
            return _STOP
        command = next((c for c in self._person.known_commands if c.name == "stop"), None)
        if not agent or command is None:
            return ""
        takes_agent = any(o.name == "agent" for o in command.options)
        return f"/stop agent:{agent}" if takes_agent else "/stop"

    def _scale_ms(self) -> float:
        """What the right end of the line of confirmations stands for."""
        slowest = self._house.control.swarm.slowest
        return _QUICK_MS if slowest and slowest[1] <= _QUICK_MS else _FORCED_MS

    def _dots(self) -> list[Mapping[str, Any]]:
        """Where each confirmation stands on the line from the order to the limit."""
        swarm = self._house.control.swarm
        dots: list[Mapping[str, Any]] = []
        for nth, (name, ms) in enumerate(sorted(swarm.confirmed_ms.items(), key=lambda i: i[1])):
            x = _DOTS_LEFT + _DOTS_WIDTH * min(1.0, ms / self._scale_ms())
            last = swarm.slowest is not None and name == swarm.slowest[0]
            y = _DOTS_LINE if last else _DOTS_LINE - 7 + 14 * (nth % 2)
            dots.append({"x": round(x, 1), "y": y, "last": last, "text_x": round(min(x, 250.0))})
        return dots

    def _components(self, items: Sequence[Payload], message_id: int) -> Markup:
        """Buttons, selects and texts below a message."""
        html = _of_others.get_template("components.html").render(
            items=items, message=message_id, choices=self._choices, marked=self._marked
        )
        return Markup(html)  # noqa: S704 - the template escapes

    def _marked(self, text: Any) -> Markup:
        return message_views.marked(text, faces.names(self._guild))

    def _choices(self, part: Payload) -> list[Mapping[str, Any]]:
        """What a select offers: its own options, or members, roles and channels."""
        guild = self._guild
        here = [m for m in guild.members.values() if m.status != "gone"]
        members = [_option(m.id, m.name) for m in here]
        roles = [_option(key, name) for key, name in guild.roles.items()]
        places = [_option(c.id, c.name) for c in guild.channels.values() if not c.is_dm]
        by_kind = {5: members, 6: roles, 7: places, 8: [*members, *roles]}
        return by_kind.get(int(part.get("type") or 0)) or list(part.get("options") or ())


def _option(key: int, label: str) -> Mapping[str, Any]:
    return {"value": key, "label": label}


def _threads(channel: Channel) -> bool:
    """Whether threads can be opened on its messages."""
    return not channel.is_thread and not channel.is_dm
