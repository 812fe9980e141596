"""Ports for the servers that we start: the configured one, or a free one."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """A configured port is in use by another program."""


def is_free(port: int) -> bool:
    """True when nothing listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def claim(port: int) -> socket.socket | None:
    """This machine's one right to prefer `port`, while the socket is open; None when taken.

    A look whether the port is free is not enough: two swarms that start together both see it free.
    """
    right = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        # A name in Linux' abstract namespace: it goes with its process, however that ends.
        right.bind(f"\0parley-port-{port}")
    except OSError:
        right.close()
        return None
    return right


def choose(configured: int, key: str, *, preferred: int = 0) -> int:
    """`configured` if given, else `preferred` if free, else any free port; raises `PortTaken`."""
    if configured:
        if not is_free(configured):
            raise PortTaken(
                f"port {configured} ({key} in swarm.toml) is in use by another program: "
                f"end that program, or set {key} = 0 for a free port"
            )
        return configured
    return preferred if preferred and is_free(preferred) else free_port()
