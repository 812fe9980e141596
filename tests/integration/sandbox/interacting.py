"""A person's client, as far as commands, buttons and modals go."""

from __future__ import annotations

from typing import Any

from tests.integration.sandbox.stage import Person, Socket


class Client:
    """What a person's client does with commands and components."""

    def __init__(self, person: Person, ear: Socket, guild_id: int, channel_id: int) -> None:
        self.person, self.ear = person, ear
        self._place = {"guild_id": str(guild_id), "channel_id": str(channel_id)}
        self._guild_id = guild_id
        self._nonce = 0

    async def command(self, name: str) -> dict[str, Any]:
        index = await self.person.ask("GET", f"/guilds/{self._guild_id}/application-command-index")
        [found] = [c for c in index["application_commands"] if c["name"] == name]
        return dict(found)

    async def use(self, name: str, kind: int = 2, **options: Any) -> str:
        """Run a command (2), or ask for completions of the option that is a tuple (4)."""
        command = await self.command(name)
        types = {o["name"]: o["type"] for o in command.get("options", [])}
        given = [
            {"name": n, "type": types[n], "value": v[0], "focused": True}
            if isinstance(v, tuple)
            else {"name": n, "type": types[n], "value": v}
            for n, v in options.items()
        ]
        data = {
            "id": command["id"],
            "version": command["version"],
            "name": name,
            "type": 1,
            "options": given,
        }
        return await self.interact(kind, command["application_id"], data)

    async def press(self, message: dict[str, Any], custom_id: str) -> str:
        data = {"component_type": 2, "custom_id": custom_id}
        more = {"message_id": message["id"], "message_flags": message["flags"]}
        return await self.interact(3, message["author"]["id"], data, **more)

    async def submit(self, modal: dict[str, Any], *values: str) -> str:
        """Fill in a modal's fields, in their order."""
        filled = []
        for row, value in zip(modal["components"], values, strict=True):
            field = row["component"] if "component" in row else row["components"][0]
            text = {"type": 4, "custom_id": field["custom_id"], "value": value}
            inside = {"component": text} if "component" in row else {"components": [text]}
            filled.append({"type": row["type"], **inside})
        data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": filled}
        return await self.interact(5, modal["application"]["id"], data)

    async def interact(self, kind: int, application: str, data: Any, **more: Any) -> str:
        status, body = await self.try_to_interact(kind, application, data, **more)
        assert status == 204, (status, body)
        return str(self._nonce)

    async def try_to_interact(
        self, kind: int, application: str, data: Any, **more: Any
    ) -> tuple[int, Any]:
        self._nonce += 1
        body = {
            "type": kind,
            "application_id": application,
            "session_id": self.ear.ready["session_id"],
            "nonce": str(self._nonce),
            "data": data,
            **self._place,
            **more,
        }
        return await self.person.try_to("POST", "/interactions", json=body)
