"""Which intent a question has, pure: an ordered table of patterns; the first one that fits makes the plan.

Every pattern sees the phrase without address, politeness, channel and time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brain.offline.phrase import Phrase, subject
from brain.offline.plan import Look, Plan, Say
from brain.souls import Soul
from brain.words import telling

HELP = (
    "Ask me in plain words: who mentioned the mixer? · what did alice say about wine? · what happened in "
    "#lobby today? · summarise the last 2 hours · when was bob last seen? · who knows about nvidia? · "
    "who can review code? · how is the swarm? Or use !search, !summary, !seen, !stats, !agents, !status."
)
CANNOT = (
    "I cannot do that: I have no language model, so I do not write, translate, calculate or judge. "
    "I find what was said, summarise channels, tell who was seen when, who knows what, and how the swarm is."
)
WORK_OUT = "I cannot work that out myself, having no language model; what people said:"

_Make = Callable[[re.Match[str], Phrase, Soul], Plan | None]


@dataclass(frozen=True, kw_only=True)
class Intent:
    name: str
    pattern: re.Pattern[str]
    make: _Make


def plan(phrase: Phrase, soul: Soul) -> Plan:
    """What to do about `phrase`; there is always an answer, if only what the brain cannot do."""
    for intent in INTENTS:
        found = intent.pattern.search(phrase.text)
        if found is not None:
            made = intent.make(found, phrase, soul)
            if made is not None:
                return made
    return _fallback(phrase)


def _fallback(phrase: Phrase) -> Plan:
    if phrase.text == "" and phrase.scope:
        return Look(intent="summary", tool="summary", arguments=phrase.scope)
    words = telling(phrase.text)
    if not words:
        return Say(intent="unclear", text=f"I did not understand that. {HELP}")
    if phrase.asks or len(words) <= 4:
        query = {"query": subject(phrase.text)}
        return Look(intent="unknown", tool="search", arguments=query | phrase.scope, lead=WORK_OUT)
    return Say(intent="cannot", text=CANNOT)


def _say(intent: str, text: str | Callable[[Soul], str]) -> _Make:
    return lambda _found, _phrase, soul: Say(
        intent=intent, text=text if isinstance(text, str) else text(soul)
    )


def _look(intent: str, tool: str, scope: Sequence[str] = ()) -> _Make:
    """A call of `tool` with the phrase's channel and time, as far as `scope` names them."""

    def make(_found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan:
        given = {name: value for name, value in phrase.scope.items() if name in scope}
        return Look(intent=intent, tool=tool, arguments=given)

    return make


def _mentioned(found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan | None:
    query = subject(found["what"])
    if not telling(query):
        return None
    return Look(intent="search", tool="search", arguments={"query": query} | phrase.scope)


def _said(found: re.Match[str], phrase: Phrase, _soul: Soul) -> Plan | None:
    nick = _nick(found)
    if nick is None:
        return None
    what = subject(found["what"] or "")
    query = {"query": what} if telling(what) else {}
    return Look(intent="said", tool="search", arguments={"nick": nick} | query | phrase.scope)


def _seen(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan | None:
    nick = _nick(found)
    return Look(intent="seen", tool="seen", arguments={"nick": nick}) if nick else None


def _topic(intent: str, tool: str, argument: str) -> _Make:
    def make(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan:
        return Look(intent=intent, tool=tool, arguments={argument: subject(found["what"])})

    return make


def _around(found: re.Match[str], _phrase: Phrase, _soul: Soul) -> Plan:
    return Look(intent="around", tool="read_around", arguments={"message": int(found["id"])})


#: words that stand where a nick could, and are none
_NOBODY = frozenset(
    [
        "anyone",
        "anybody",
        "someone",
        "somebody",
        "everyone",
        "everybody",
        "people",
        "they",
        "them",
        "you",
        "u",
        "we",
        "i",
        "he",
        "she",
        "it",
        "who",
        "what",
        "anything",
        "something",
        "everything",
        "was",
        "were",
        "is",
        "are",
        "been",
        "that",
        "this",
        "there",
        "the",
        "a",
        "an",
        "all",
        "folks",
        "users",
        "guys",
        "us",
        "me",
        "things",
    ]
)


def _nick(found: re.Match[str]) -> str | None:
    nick = found["nick"].lstrip("@").rstrip("?.,!:")
    nick = re.sub(r"(?:'s|s')$", "", nick) if nick.endswith(("'s", "s'")) else nick
    return None if nick.lower() in _NOBODY or not nick else nick


_VERBS = (
    r"(?:mention(?:s|ed|ing)?|s(?:ay|ays|aid|aying)|talk(?:s|ed|ing)?|sp(?:eak|oke|oken|eaking)|"
    r"ask(?:s|ed|ing)?|wr(?:ite|ites|ote|iting)|discuss(?:es|ed|ing)?|chat(?:s|ted|ting)?|brought\s+up|"
    r"bring(?:s|ing)?\s+up|recommend(?:s|ed)?|suggest(?:s|ed)?|complain(?:s|ed|ing)?|us(?:es|ed|ing)|"
    r"tr(?:ied|ying)|post(?:s|ed)?|report(?:s|ed)?|hav(?:e|ing)|has|had|need(?:s|ed)?|found|knew|heard)\b"
)
_FILL = (
    r"(?:\s+(?:something|anything|stuff|things|a\s+word|a\s+lot|much|here|ever|up|to\s+someone))*"
)
_ABOUT = r"(?:\s+(?:about|of|on|for|with|regarding|re|over|using))?"
_SOMEBODY = (
    r"(?:any(?:\s?one|\s?body)|some(?:\s?one|\s?body)|people|they|we|folks|any\s+of\s+you|users)"
)
_NICK = r"(?P<nick>@?[^\s?,]+)"


def _intents() -> tuple[Intent, ...]:
    table: tuple[tuple[str, str, _Make], ...] = (
        # small talk
        ("greeting", r"^(?:hi|hello|hey|heya|hiya|howdy|yo|moin|greetings|good\s+(?:morning|evening|day|afternoon))"
         r"(?:\s+(?:there|all|everyone|everybody|folks|again))?$",
         _say("greeting", lambda soul: f"Hello. {soul.introduction} Say “help” for what I can do.")),
        ("thanks", r"^(?:many\s+)?(?:thanks|thank\s+you|thx|ty|cheers|tnx)\b.{0,30}$|^(?:great|nice|cool|perfect|good\s+(?:job|bot))$",
         _say("thanks", "You are welcome.")),
        ("bye", r"^(?:bye|goodbye|see\s+(?:you|ya)|cya|good\s?night)\b.{0,20}$", _say("bye", "Goodbye.")),
        ("ping", r"^(?:ping|test(?:ing)?)$|^(?:are|r)\s+(?:you|u)\s+(?:still\s+)?(?:there|alive|awake|here|online|up|around|listening)$",
         _say("ping", "I am here.")),
        # who and what am I
        ("help", r"^(?:help|commands?|usage|instructions|options|menu)\b(?!\s+(?:with|me\s+(?:with|fix|install|find)))|"
         r"\bwhat\s+(?:can|could)\s+(?:you|u|i|we|one)\s+(?:do|ask|say|use|help)\b|"
         r"\bhow\s+(?:do|does|can|should)\s+(?:i|we|one|this|it|you)\s+(?:use|work|talk\s+to|ask)\b\s*(?:you|this|it|bot)?$|"
         r"\bwhat\s+(?:are|is)\s+(?:your|the)\s+(?:commands?|skills?|abilities|capabilities|features)\b",
         _say("help", HELP)),
        ("identity", r"\b(?:who|what)\s+(?:are|r|is)\s+(?:you|u|this\s+bot)\b(?!\s+(?:talking|doing\s+about|saying))|"
         r"\bwhat\s+(?:do|does|are)\s+(?:you|u)\s+(?:do|doing|for|responsible)\b|"
         r"\bwhat(?:'?s|\s+is|\s+are)\s+your\s+(?:name|role|job|purpose|tasks?|dut(?:y|ies)|function|model)\b|"
         r"\bintroduce\s+yourself\b|\babout\s+yourself\b|"
         r"\b(?:are|r)\s+(?:you|u)\s+(?:an?\s+|the\s+|really\s+|just\s+)*(?:bot|human|person|real|ai|robot|machine|gpt|llm|offline)\b|"
         r"\b(?:which|what)\s+(?:model|llm|ai|brain)\b|^your\s+(?:name|role|job)$",
         _say("identity", lambda soul: f"{soul.introduction} I run on the offline brain: no language model, "
              "I search, summarise and report.")),
        ("time", r"^(?:what(?:'?s|\s+is)\s+the\s+|what\s+)?(?:current\s+)?(?:time|date|day)(?:\s+(?:is\s+it|it\s+is|and\s+date))?$|"
         r"\bwhat\s+(?:time|day|date)\s+(?:is\s+it|do\s+we\s+have)\b",
         _look("time", "now")),
        # one line and what stands around it
        ("around", r"\b(?:around|context\s+(?:of|for)|before\s+and\s+after)\s+(?:line|message|id|number)?\s*#?(?P<id>\d+)$",
         _around),
        # how much
        ("stats", r"^stat(?:s|istics)\b|\bhow\s+(?:many|much)\s+(?:lines|messages|people|users|traffic|talk|was\s+(?:said|written)|did\s+(?:people|they|we)\s+(?:say|talk|write))\b"
         r"(?!.*\babout\b)|\bwho\s+(?:talk(?:s|ed)?|sp(?:eaks|oke)|wr(?:ites|ote)|sa(?:ys|id)|chat(?:s|ted)?|is\s+talking)\s+(?:the\s+)?most$|"
         r"\bhow\s+(?:busy|active|lively)\b|\bmost\s+(?:active|talkative)\b|\bbusiest\b",
         _look("stats", "stats", ("channel", "hours"))),
        # what was said
        ("said", rf"\bwhat\s+(?:all\s+)?(?:did|has|does|had|was|is)\s+{_NICK}\s+(?:just\s+|last\s+|ever\s+|been\s+)*{_VERBS}{_FILL}{_ABOUT}\s*(?P<what>.*)$", _said),
        ("said", rf"^(?:did|has|does)\s+{_NICK}\s+(?:ever\s+|just\s+)*{_VERBS}{_FILL}{_ABOUT}\s*(?P<what>.*)$", _said),
        ("said", rf"\b(?:quotes?|lines|messages|words|anything|something|everything)\s+(?:said\s+)?(?:from|by|of)\s+{_NICK}(?:\s+(?:about|on|regarding)\s+(?P<what>.+))?$", _said),
        ("said", r"^(?P<nick>@?[^\s?,]+(?:'s|s'))\s+(?:last\s+|latest\s+|newest\s+)?(?:lines?|messages?|words?|quotes?)(?:\s+(?:about|on)\s+(?P<what>.+))?$", _said),
        ("said", rf"^(?:summari[sz]e|show|find|list|search)?\s*(?:what|everything)\s+{_NICK}\s+(?:has\s+)?(?:said|wrote|written|mentioned|talked){_ABOUT}\s*(?P<what>.*)$", _said),
        ("search", rf"^(?:who|which\s+people|which\s+users)(?:'s|\s+(?:has|have|had|else|all|just|first|last|was|is|were|are|did|ever|also))*\s+{_VERBS}{_FILL}{_ABOUT}\s+(?P<what>.+)$", _mentioned),
        ("search", rf"\b(?:did|has|have|had|is|was|were|are|do|does)?\s*{_SOMEBODY}\s+(?:else\s+|ever\s+|been\s+|just\s+|here\s+)*{_VERBS}{_FILL}{_ABOUT}\s+(?P<what>.+)$", _mentioned),
        ("search", rf"\b(?:when|where|how\s+often|how\s+many\s+times)\s+(?:was|were|did|has|have)\s+(?P<what>.+?)\s+(?:been\s+)?(?:last\s+|first\s+)?{_VERBS}(?:\s+about)?$", _mentioned),
        ("search", r"^(?:was|were|has|is)\s+(?P<what>.+?)\s+(?:been\s+|ever\s+)*(?:mentioned|discussed|talked\s+about|brought\s+up)$", _mentioned),
        ("search", r"\b(?:what|anything|something|everything|stuff|talk|news|words?|mentions?|lines|messages|discussions?|conversations?|problems?|trouble|things?)"
         r"(?:\s+(?:was|were|is|has|have|been|new|said|heard|did|do|people|they|we|folks|anyone|going\s+on|up|say|saying|talk|talking|there|mentioned|written))*"
         r"\s+(?:about|regarding|with|of|on|mentioning|containing|concerning)\s+(?P<what>.+)$", _mentioned),
        ("search", r"^what(?:'?s|\s+is|\s+was|\s+has)\s+(?:the\s+|all\s+)?(?:up|going\s+on|new|wrong|happening|happened|matter|problem|story|state|latest)\s+(?:with|to|about|on|of)\s+(?P<what>.+)$", _mentioned),
        ("search", r"\b(?:have|did)\s+(?:you|u)\s+(?:ever\s+)?(?:heard?|read|seen?)\s+(?:anything\s+|something\s+)?(?:about|of)\s+(?P<what>.+)$", _mentioned),
        ("search", r"^(?:search|find|look(?:\s?up)?|grep|google)(?:\s+(?:me|for|up|in|the|logs?|history|record|lines|messages|with))*\s+(?P<what>.+)$", _mentioned),
        # who knows, who can
        ("who_can", r"\b(?:which|what|who|any)\s+(?:of\s+the\s+)?(?:agents?|bots?)\s+(?:here\s+)?(?:can|could|knows?(?:\s+about)?|does|do|handles?|should|is\s+(?:for|responsible\s+for|good\s+at|in\s+charge\s+of))\s+(?P<what>.+)$",
         _topic("who_can", "who_can", "capability")),
        ("who_knows", r"\b(?:who|any(?:one|body)|some(?:one|body))\s+(?:here\s+|else\s+|all\s+)?(?:knows?|understands?)(?:\s+(?:about|anything|something|a\s+lot|most|best|how|to|of|with|the))*\s+(?P<what>.+)$",
         _topic("who_knows", "who_knows", "topic")),
        ("who_knows", r"\bwho(?:m)?\s+(?:should|can|could|do|would|might)\s+(?:i|we|one)\s+(?:ask|talk\s+to|contact|turn\s+to)\s+(?:about|for|with|on|if)?\s*(?P<what>.+)$",
         _topic("who_knows", "who_knows", "topic")),
        ("who_knows", r"\b(?:who|any(?:one|body))\s+(?:here\s+)?(?:can|could|might|will|to|is\s+able\s+to)\s+help\s*(?:me|us|out)?\s*(?:with|on|fix|about)?\s+(?P<what>.+)$",
         _topic("who_knows", "who_knows", "topic")),
        ("who_knows", r"\b(?:who(?:'s|\s+is)?\s+(?:good|best|an?\s+expert|experienced|familiar)|(?:an?y?\s+)?experts?)\s+(?:at|in|on|with|for|about)\s+(?P<what>.+)$",
         _topic("who_knows", "who_knows", "topic")),
        ("who_can", r"\bwho\s+(?:here\s+)?(?:can|could|handles?|does|takes?\s+care\s+of|deals?\s+with|is\s+(?:responsible\s+for|in\s+charge\s+of)|(?:buys?|sells?|writes?|reviews?|keeps?|monitors?|checks?|audits?|plans?))\s+(?P<what>.+)$",
         _topic("who_can", "who_can", "capability")),
        # seen
        ("seen", rf"\bwhen\s+(?:was|did|has|is)\s+{_NICK}\s+(?:last\s+|been\s+|most\s+recently\s+)*(?:seen|here|around|sp(?:eak|oken)|talk|say|said|online|active|leave|left|join|on|in|write|show|log)\b", _seen),
        ("seen", rf"\b(?:when|where)\s+(?:did|have)\s+(?:you|u|we|anyone|anybody)\s+(?:last\s+)?see\s+{_NICK}", _seen),
        ("seen", rf"\b(?:have|has|did|had)?\s*(?:you|u|any(?:one|body)|some(?:one|body))?\s*\b(?:last\s+)?(?:seen|saw|see)\s+{_NICK}", _seen),
        ("seen", rf"^where(?:'?s|\s+is|\s+did|\s+has|\s+was)\s+{_NICK}(?:\s+(?:go|gone|been|now))?$", _seen),
        ("seen", rf"^(?:is|was)\s+{_NICK}\s+(?:still\s+)?(?:here|around|online|back|gone|away|there|active)$", _seen),
        ("seen", rf"\blast\s+time\s+(?:that\s+)?{_NICK}\s+(?:was|spoke|said|talked|wrote)\b", _seen),
        # the swarm
        ("status", r"^status\b|\bhow\s+(?:are|is|r)\s+(?:you|u|everyone|everybody|the\s+(?:swarm|agents|bots|others)|it\s+going|things|all|we)\b|"
         r"\b(?:is|are)\s+(?:everyone|everybody|all(?:\s+(?:of\s+you|agents|bots))?|you\s+all|(?:the|all)\s+(?:swarm|agents|bots))\s+(?:ok|okay|up|alive|fine|well|running|online|ready|there|healthy)\b|"
         r"\bwho(?:'s|\s+is)\s+(?:online|up|alive|killed|dead|down|running|ready)\b|\b(?:swarm|agents?|bots?)(?:'s)?\s+(?:status|health|state)\b|\bare\s+you\s+(?:ok|okay|well|fine|killed)\b",
         _look("status", "status")),
        ("agents", r"\b(?:which|what|list|show|how\s+many|name|who\s+are)\s*(?:me\s+)?(?:all\s+)?(?:of\s+)?(?:the\s+|your\s+)?(?:other\s+)?(?:agents|bots)\b|^(?:the\s+)?(?:agents|bots|roster)$|"
         r"\bwho\s+(?:else\s+)?(?:is|are)\s+(?:here|in\s+(?:the|this)\s+(?:swarm|team)|there|on\s+(?:the|your)\s+team)\b|\byour\s+(?:team|colleagues)\b",
         _look("agents", "agents")),
        ("seen", rf"^who(?:'?s|\s+is|\s+was)\s+{_NICK}$", _seen),
        ("steer", r"^(?:please\s+)?(?:kill|resume|restart|reboot|shut\s?down|shutdown|halt|pause)\b",
         _say("steer", "I do not steer the swarm. An operator does, with !kill, !resume or !restart.")),
        # what happened
        ("summary", r"\bsummar|\btl[;:,]?dr\b|\brecap\b|\bdigest\b|\boverview\b|\bgist\b|"
         r"\bwhat(?:'?s|\s+is|\s+has|\s+have|\s+was|\s+were)?\s+(?:all\s+)?(?:been\s+)?(?:happen(?:ing|ed|s)?|going\s+on|went\s+on|goes\s+on|new|up|discussed|said|the\s+news|the\s+topic)\b(?!\s+(?:with|about|to))|"
         r"\bwhat\s+(?:did|have|do)\s+(?:i|we|they|people)\s+(?:miss(?:ed)?|talk(?:ed)?\s+about|discuss(?:ed)?|say|said)$|\bcatch\s+(?:me|us)\s+up\b|\bbring\s+(?:me|us)\s+up\b|\bfill\s+(?:me|us)\s+in\b|"
         r"\bwhat\s+(?:are|were|is|was|have)\s+(?:people|they|you\s+all|every(?:one|body)|folks|all|been)\s*(?:been\s+)?(?:talking|chatting|discussing|doing|up\s+to)\b|"
         r"\b(?:any(?:thing)?|some(?:thing)?)\s+(?:new|news|interesting|important|happened?|happening|going\s+on)\b|^news$|\bwhat\s+was\s+it\s+about$|\btopics?\b",
         _look("summary", "summary", ("channel", "hours", "day"))),
        # what only a language model could do
        ("cannot", r"^(?:please\s+)?(?:write|translate|draw|calculate|compute|sing|rewrite|explain|code|program|design|generate|invent|compose|book|order|send|email|remind|delegate|buy|sell|pay|deploy|install|download|open|play|run|execute|delete|ban|kick|tell\s+(?:me\s+)?a\s+(?:joke|story)|make\s+(?:me\s+)?an?)\b|\bjoke\b|^a\s+(?:joke|story)\b",
         _say("cannot", CANNOT)),
    )  # fmt: skip
    return tuple(
        Intent(name=name, pattern=re.compile(pattern, re.IGNORECASE), make=make)
        for name, pattern, make in table
    )


INTENTS = _intents()
