"""One agent process: what it is born with, how it is put together, how it says how it is."""
