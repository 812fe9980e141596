"""``python -m bots.commands`` prints the table of `docs/COMMANDS.md`."""

from __future__ import annotations

import sys

from bots.commands.catalogue import catalogue, table

if __name__ == "__main__":
    sys.stdout.write(table(catalogue("!")))
