"""What a stub that runs by itself answers: ``stub: …``, or what the question's last line asks for.

====================================  ==========================================================
``stream slowly``                     a word every fifth of a second
``fail with 529``                     that status (a model whose name has ``spare`` does not fail)
``cut the answer``                    half an answer, and the connection ends
``refuse this``                       the model's own refusal
``call the tool now {"zone": "UTC"}`` that call, if the tool is on offer; then what it gave
====================================  ==========================================================
"""

from __future__ import annotations

import re

from tests.vendors.script import Asked, Call, Cut, Fail, Say, Slow, Step

_FAIL = re.compile(r"fail with (\d{3})")
_CALL = re.compile(r"call the tool (\S+)\s*(\{.*\})?")
#: a line that is only a mark of ours or the like
_MARK = re.compile(r"\s*</?[^<>]*>\s*")
_LONG = "stub: this answer is long enough to be seen while it is made, word by word, to its end."
_BETWEEN_S = 0.2
_QUOTED = 300
_ASKED_FOR: dict[str, Step] = {
    "stream slowly": Slow(Say(_LONG), between_s=_BETWEEN_S),
    "cut the answer": Cut(len(_LONG) // 2, Say(_LONG)),
    "refuse this": Say("stub: I will not.", ending="refused"),
}


def by_words(asked: Asked) -> Step:
    """The step for `asked`, by the words of its last line."""
    line = last_line(asked.said)
    if asked.has_result:
        return Say(f"stub: the tool answered. {asked.result[:_QUOTED]}".strip())
    if (fail := _FAIL.search(line)) and "spare" not in asked.model:
        return Fail(int(fail[1]))
    if (call := _CALL.search(line)) and call[1] in asked.tools:
        return Say("", (Call(call[1], call[2] or "{}"),))
    for words, step in _ASKED_FOR.items():
        if words in line:
            return step
    return Say(f"stub: {asked.model} was told: {line[:_QUOTED]}")


def last_line(said: str) -> str:
    """The last line with words in it: prompts put the question at their end."""
    lines = [line.strip() for line in said.splitlines() if not _MARK.fullmatch(line)]
    return next((line for line in reversed(lines) if line), "")
