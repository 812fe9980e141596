"""The least bot there is: says back in the channel what it is told. Arguments: host, port, channel.

What it takes is what IRC itself takes; it runs as a process of its own, as agents do.
"""

from __future__ import annotations

import asyncio
import sys

NICK = "echo"


async def main(host: str, port: int, channel: str) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"NICK {NICK}\r\nUSER {NICK} 0 * :{NICK}\r\nJOIN {channel}\r\n".encode())
    while raw := await reader.readline():
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        said = line.partition(f" PRIVMSG {channel} :{NICK}: ")
        if line.startswith("PING"):
            writer.write(f"PONG{line[4:]}\r\n".encode())
        elif said[1]:
            asker = line[1:].partition("!")[0]
            writer.write(f"PRIVMSG {channel} :{asker}: {said[2]}\r\n".encode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
