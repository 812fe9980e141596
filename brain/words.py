"""Words of chat, pure: split a line into words, keep the telling ones, strip endings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

#: a word may hold what names of packages, files and versions hold: ``libc++``, ``menu.lst``
_WORD = re.compile(r"[^\W_][\w+#]*(?:[.'’-][\w+#]+)*", re.UNICODE)  # noqa: RUF001
_URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+")

#: words that say nothing about a subject, English and of chat, without apostrophes
STOP_WORDS = frozenset(
    """
    a able about above actually after again against ago ah all almost alone along already
    alright also although always am an and another any anybody anymore anyone anything anyway
    are arent around as ask asked asking at away back bad basically be because been before
    being below best better between big bit both btw but by bye came can cannot cant cause
    check come comes coming could couldnt course cuz day did didnt different do does doesnt
    doing done dont down dude during each earlier either else end enough etc even ever every
    everyone everything exactly far feel few find fine first for found from full further gave
    get gets getting give gives go goes going gone gonna good got gotta great gt guess guy
    guys ha had hadnt haha hang hard has hasnt have havent having he heh hehe hello help her
    here heres hers hes hey hi him his hiya hm hmm hold hope how howdy however huh i id idea
    idk if ill im imo in instead into is isnt issues it its itself ive just keep kind kinda
    know known knows last lately later least less let lets like ll lmao lol long look looking
    looks lot lots made make makes making man many matter may maybe me mean means meanwhile
    might mine mm more most much must my myself near need needed needs neither never new next
    nice no nobody none nope nor not nothing now np of off oh ok okay old on once one ones
    only oops or other others otherwise ought our ours out over own part people perhaps please
    pls plz possible pretty probably problem problems put question questions quite r rather re
    read ready real really recently right rofl said same saw say saying says second see seem
    seems seen set several shall she should shouldnt show side since so some somebody somehow
    someone something sometimes somewhere soon sorry sort start started still stuff such
    suppose sure ta take taken talk talking tell than thank thanks that thats the their them
    then there theres these they theyre theyve thing things think thinking this tho those
    though thought thru thx til till time times to today together told tomorrow too took
    totally tried tries trouble troubles true try trying turn two u ugh um under until up upon
    ur us use used useful uses using usually ve very via wait wanna want wanted wants was
    wasnt way we well went were werent weve what whatever whats when whenever where wheres
    whether which while who whole whom whos whose why will wish with within without wonder
    wondering wont word work worked working works worse worst would wouldnt wow wrong wtf y ya
    yay yea yeah year yep yes yesterday yet yo you youll your youre yours yourself youve yup
    """.split()  # noqa: SIM905 (two hundred quotation marks would hide the words)
)


def words(text: str) -> list[str]:
    """Lower-case words in order, without addresses of pages, which match anything."""
    return [_fold(word) for word in _WORD.findall(_URL.sub(" ", text))]


def telling(text: str) -> list[str]:
    """Words that say something about a subject, in order, with repeats."""
    return [w for w in words(text) if w not in STOP_WORDS and (len(w) > 1 or w.isdigit())]


def stems(text: str) -> list[str]:
    """Stems of the telling words, in order, with repeats."""
    return [stem(w) for w in telling(text)]


@lru_cache(maxsize=4_000)
def stem(word: str) -> str:
    """A light English stem: plural, -ing and -ed go, so ``drivers`` and ``driver`` are one."""
    if not word.isalpha() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and any(c in "aeiouy" for c in bare):
            return _single(bare)
    return word.removesuffix("e") if len(word) > 4 else word


def covers(text: str, wanted: Iterable[str]) -> bool:
    """Whether `text` has every stem of `wanted`, in any ending, inside addresses of pages too."""
    lowered = text.lower()
    own = set(words(text))
    return all(s in own if len(s) < 4 else s[: max(4, len(s) - 3)] in lowered for s in wanted)


def _single(bare: str) -> str:
    """``runn`` becomes ``run``; ``install`` and ``pass`` stay."""
    if len(bare) > 3 and bare[-1] == bare[-2] and bare[-1] not in "lsz":
        return bare[:-1]
    return bare.removesuffix("e") if len(bare) > 4 else bare


def _fold(word: str) -> str:
    return word.lower().replace("'", "").replace("’", "")  # noqa: RUF001
