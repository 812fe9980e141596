"""The small model that comes as a package: what its adapter and its server agree on."""

from __future__ import annotations

MODEL = "smollm2-135m-instruct"
#: conversation and answer together. It was trained on 8,192, but one thread reads about 250 a
#: second, so a full conversation is a wait of a quarter of a minute already
CONTEXT_TOKENS = 4096
#: two or three sentences; what comes after them is worse
MAX_OUTPUT_TOKENS = 96
