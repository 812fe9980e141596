"""What the browser does: every act is ``POST /act/NAME`` with JSON (or a form, when files come).

The answer is JSON: what the page needs to go on, or ``{"error": sentence}`` with 409. Who may do it
is checked here, not in the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import BodyPartReader, web

from bots.console import icons, interactions, naming, slash, suggestions
from bots.console.house import HOUSE, House, Visitor
from bots.console.interactions import InteractionType
from bots.console.model import Channel, Payload
from bots.console.numbers import number
from bots.console.person import Person
from bots.console.reducer import mark_read
from bots.console.rest import Refused, Upload

_MOST_FILE_BYTES = 25 * 1024 * 1024

Body = Mapping[str, Any]
Act = Callable[[House, Visitor, Body], Awaitable[Payload]]


def routes() -> list[web.RouteDef]:
    return [web.post("/act/{name}", _act), web.post("/act-with-files/say", _say_with_files)]


async def _act(request: web.Request) -> web.Response:
    act = _ACTS.get(request.match_info["name"])
    if act is None:
        raise web.HTTPNotFound
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(reason="the body is no JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="the body is no JSON object")
    return await _answer(act, request, body)


async def _say_with_files(request: web.Request) -> web.Response:
    fields: dict[str, Any] = {}
    files: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read(decode=False))
        if part.name == "file":
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files.append(Upload(part.filename or "file", data, kind))
        else:
            fields[str(part.name)] = data.decode("utf-8", "replace")
    return await _answer(_say, request, fields | {"files": files})


async def _answer(act: Act, request: web.Request, body: Body) -> web.Response:
    try:
        return web.json_response(await act(request.app[HOUSE], request["visitor"], body))
    except Refused as error:
        return web.json_response({"error": str(error)}, status=409)
    except slash.SlashError as error:
        return web.json_response({"error": str(error)}, status=409)


# --- messages -----------------------------------------------------------------------------------


async def _say(house: House, visitor: Visitor, body: Body) -> Payload:
    """A message, or a slash command where the line is one."""
    person, text = visitor.person, _text(body, "text")
    channel = _channel(person, body)
    files = list(body.get("files") or ())
    if sum(len(f.data) for f in files) > _MOST_FILE_BYTES:
        raise Refused("The files are too large: 25 MB at most.")
    if text.startswith("/") and not files:
        found = slash.find(text.strip(), await person.commands())
        if found or " " not in text.strip():
            if channel.is_dm:
                raise Refused("Commands work in channels only; here, say it in words.")
            await _command(person, channel, text.strip(), _text(body, "page"))
            return {}
    if not text.strip() and not files:
        raise Refused("There is nothing to send.")
    content = naming.with_ids(text, person.guild)
    reply_to = _number(body, "reply")
    nonce = _text(body, "nonce") or person.nonce()
    said = await person.rest.say(channel.id, content, nonce=nonce, reply_to=reply_to, files=files)
    return {"id": said["id"]}


async def _command(person: Person, channel: Channel, line: str, page: str) -> None:
    commands = await person.commands()
    command, data = slash.call(line, commands, naming.lookup(person.guild))
    place = _place(person, channel, command.application_id)
    await person.interactions.do(InteractionType.COMMAND, data, place, page)


async def _edit(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    content = naming.with_ids(_text(body, "text"), person.guild)
    path = f"/channels/{_channel(person, body).id}/messages/{_number(body, 'message')}"
    await person.rest.call("PATCH", path, json={"content": content})
    return {}


async def _delete(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    path = f"/channels/{_channel(person, body).id}/messages/{_number(body, 'message')}"
    await person.rest.call("DELETE", path)
    return {}


async def _react(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    channel, message = _channel(person, body), _number(body, "message")
    await person.rest.react(channel.id, message, _text(body, "emoji"), on=bool(body.get("on")))
    return {}


async def _typing(house: House, visitor: Visitor, body: Body) -> Payload:
    channel = _channel(visitor.person, body)
    await visitor.person.rest.call("POST", f"/channels/{channel.id}/typing")
    return {}


async def _read(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    person.publish(mark_read(_channel(person, body), _number(body, "message")))
    return {}


async def _dismiss(house: House, visitor: Visitor, body: Body) -> Payload:
    """Forget a message that only this person sees; the guild keeps none of it."""
    person = visitor.person
    person.forget(_channel(person, body), _number(body, "message"))
    return {}


async def _thread(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    channel, message = _channel(person, body), _number(body, "message")
    path = f"/channels/{channel.id}/messages/{message}/threads"
    name = _text(body, "name").strip()[:100] or "thread"
    opened = await person.rest.call("POST", path, json={"name": name})
    person.take_channel(opened)
    return {"channel": str(opened["id"])}


async def _dm(house: House, visitor: Visitor, body: Body) -> Payload:
    person = visitor.person
    opened = await person.rest.call(
        "POST", "/users/@me/channels", json={"recipient_id": str(_number(body, "user"))}
    )
    person.take_channel(opened)
    return {"channel": str(opened["id"])}


# --- applications -------------------------------------------------------------------------------


async def _suggest(house: House, visitor: Visitor, body: Body) -> Payload:
    """Offers for the text up to the caret."""
    person, text = visitor.person, _text(body, "text")
    here = _channel(person, body)
    commands = await person.commands() if text.startswith("/") and not here.is_dm else ()
    offer = suggestions.suggest(text, commands, person.guild)
    rows = offer.rows
    if offer.ask is not None:
        command, filled, current = offer.ask
        place = _place(person, here, command.application_id)
        data = slash.asking(command, filled, current)
        rows = suggestions.choice_rows(current, await person.interactions.complete(data, place))
    return {"rows": [asdict(row) | {"icon": icons.icon(row.icon)} for row in rows]}


async def _press(house: House, visitor: Visitor, body: Body) -> Payload:
    """A button, or a select with its values."""
    person, channel = visitor.person, _channel(visitor.person, body)
    message = channel.messages.get(_number(body, "message"))
    if message is None:
        raise Refused("This message is gone.")
    data: Payload = {"component_type": _number(body, "kind"), "custom_id": _text(body, "custom_id")}
    if data["component_type"] != 2:
        data["values"] = [str(v) for v in body.get("values") or ()]
    application = str(message.get("application_id") or message["author"]["id"])
    place = _place(person, channel, application) | {"message_id": str(message["id"])}
    place["message_flags"] = int(message.get("flags") or 0)
    await person.interactions.do(InteractionType.COMPONENT, data, place, _text(body, "page"))
    return {}


async def _modal(house: House, visitor: Visitor, body: Body) -> Payload:
    """A form as it was filled in: ``rows`` are its components as the page read them."""
    person = visitor.person
    shown = person.forms.get(_text(body, "id"))
    if shown is None:
        raise Refused("This form is not open any more.")
    channel = person.guild.channels.get(int(shown["channel_id"])) or _channel(person, body)
    data = {
        "id": str(shown["id"]),
        "custom_id": shown["custom_id"],
        "components": [r for r in body.get("rows") or () if isinstance(r, dict)],
    }
    place = _place(person, channel, str(shown["application"]["id"]))
    await person.interactions.do(interactions.InteractionType.MODAL, data, place, "")
    person.forms.pop(str(shown["id"]), None)
    return {}


def _place(person: Person, channel: Channel, application_id: str) -> Payload:
    place = {"application_id": application_id, "channel_id": str(channel.id)}
    return place if channel.is_dm else place | {"guild_id": str(person.guild.id)}


# --- the swarm ----------------------------------------------------------------------------------


async def _kill(house: House, visitor: Visitor, body: Body) -> Payload:
    if not visitor.operator:
        raise Refused("Only an operator can stop the swarm.")
    by = visitor.person.user.name
    report = await house.control.kill("all", by, _text(body, "reason"))
    return {"sentence": str(report.get("sentence", ""))}


async def _force(house: House, visitor: Visitor, body: Body) -> Payload:
    """End one agent that was told to stop and has not confirmed it."""
    if not visitor.operator:
        raise Refused("Only an operator can stop an agent.")
    name = _text(body, "agent")
    agent = house.control.swarm.agent(name)
    if agent is None or house.control.swarm.held(name) is None:
        raise Refused(f"{name or 'Nobody'} was not told to stop.")
    if agent.confirmed:
        raise Refused(f"{name} has stopped already.")
    by = visitor.person.user.name
    await house.control.kill(name, by, "it did not confirm the kill", force=True)
    return {}


async def _resume(house: House, visitor: Visitor, body: Body) -> Payload:
    """Everybody, or one `agent` that was killed alone."""
    if not visitor.operator:
        raise Refused("Only an operator can resume the swarm.")
    reason = _text(body, "reason").strip()
    if not reason:
        raise Refused("Say why: the reason is kept in the audit.")
    if _text(body, "swarm").strip() != house.config.swarm:
        raise Refused(f"Type the swarm's name, {house.config.swarm}, to resume it.")
    scope = _text(body, "agent") or "all"
    await house.control.resume(scope, visitor.person.user.name, reason)
    return {}


# --- what a body says ---------------------------------------------------------------------------


def _text(body: Body, key: str) -> str:
    value = body.get(key, "")
    return value if isinstance(value, str) else ""


def _number(body: Body, key: str) -> int:
    return number(str(body.get(key) or ""))


def _channel(person: Person, body: Body) -> Channel:
    channel = person.guild.channels.get(_number(body, "channel"))
    if channel is None:
        raise Refused("This channel is gone.")
    return channel


_ACTS: Mapping[str, Act] = {
    "say": _say,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "typing": _typing,
    "read": _read,
    "dismiss": _dismiss,
    "thread": _thread,
    "dm": _dm,
    "suggest": _suggest,
    "press": _press,
    "modal": _modal,
    "kill": _kill,
    "force": _force,
    "resume": _resume,
}
