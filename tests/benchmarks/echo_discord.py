"""The least Discord bot there is: discord.py that answers every mention with ``pong``, and commits
eight bare rows to a SQLite file first when it is asked to. Arguments: api, gateway, token, file.

What it takes is what discord.py, the gateway and the disk take by themselves.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

COMMITS = 8


class Echo(discord.Client):
    def __init__(self, file: str) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
        super().__init__(intents=intents, chunk_guilds_at_startup=False, guild_ready_timeout=0.1)
        # As the swarm's store is opened: WAL, synchronous NORMAL.
        self._rows = sqlite3.connect(file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT)",
        ):
            self._rows.execute(statement)

    async def on_message(self, message: discord.Message) -> None:
        assert self.user is not None
        if message.author.bot or self.user.id not in message.raw_mentions:
            return
        if "commit" in message.content:
            for number in range(COMMITS):
                self._rows.execute("BEGIN IMMEDIATE")
                self._rows.execute("INSERT INTO line (text) VALUES (?)", (str(number),))
                self._rows.execute("COMMIT")
        await message.reply("pong", mention_author=False)


async def main(api: str, gateway: str, token: str, file: str) -> None:
    Route.BASE = api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    await Echo(file).start(token)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
