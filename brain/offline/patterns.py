# ruff: noqa: E501 (a way to put it stays on one line, however long)
"""What people write when they mean something, pure: one block an intent, one line a way to put it.

A blank in a line stands for blanks, one with ``?`` for perhaps none, and a word in capitals
between angle brackets for a fragment of `FRAGMENTS`. The rest is a regular expression, without
regard to case. Lines are searched anywhere unless they say ``^`` or ``$``.
"""

from __future__ import annotations

import re

FRAGMENTS = {
    "NICK": r"(?P<nick>@?[^\s?,]+)",
    "WHAT": r"(?P<what>.+)",
    "MAYBE": r"\s*(?P<what>.*)$",
    "YOU": r"(?:you|u)",
    "ALL": r"(?:everyone|everybody|all of you|all agents|all bots|you all|(?:the |all )(?:swarm|agents|bots)|all)",
    "SOMEBODY": r"(?:any ?(?:one|body)|some ?(?:one|body)|people|they|we|folks|any of you|users)",
    "SAY": r"(?:mention(?:s|ed|ing)?|sa(?:y|ys|id|ying)|talk(?:s|ed|ing)?|sp(?:eak|oke|oken|eaking)|"
    r"ask(?:s|ed|ing)?|wr(?:ite|ites|ote|iting|itten)|discuss(?:es|ed|ing)?|chat(?:s|ted|ting)?|"
    r"br(?:ought|ing|ings|inging) up|recommend(?:s|ed)?|suggest(?:s|ed)?|complain(?:s|ed|ing)?|"
    r"us(?:e|es|ed|ing)|tr(?:y|ied|ying)|post(?:s|ed)?|report(?:s|ed)?|ha(?:ve|ving|s|d)|"
    r"need(?:s|ed)?|found|knew|hear(?:d)?)\b",
    "FILL": r"(?: (?:something|anything|stuff|things|a word|a lot|much|here|ever|up|to someone))*",
    "ABOUT": r"(?: (?:about|of|on|for|with|regarding|re|over|using))?",
    "ADVERBS": r"(?: (?:has|have|had|else|all|just|first|last|was|is|were|are|did|ever|also|been|here))*",
}

GREETING = r"""
    ^(?:hi|hello|hey|heya|hiya|howdy|yo|moin|greetings|good (?:morning|evening|day|afternoon))$
    ^(?:hi|hello|hey|hiya|howdy|good (?:morning|evening)) (?:there|all|everyone|everybody|folks|again)$
"""
THANKS = r"""
    ^(?:many )?(?:thanks|thank <YOU>|thx|ty|cheers|tnx|danke|merci|gracias)\b.{0,30}$
    ^(?:great|nice|cool|perfect|good (?:job|bot)|well done)$
"""
BYE = r"""
    ^(?:bye|goodbye|see (?:<YOU>|ya)|cya|good ?night)\b.{0,20}$
"""
PING = r"""
    ^(?:ping|test(?:ing)?)$
    ^(?:are|r) <YOU> (?:still )?(?:there|alive|awake|here|online|up|around|listening)$
"""
HELP = r"""
    ^(?:help|commands?|usage|instructions|options|menu)$
    ^help me$
    \bwhat (?:can|could) (?:<YOU>|i|we|one) (?:do|ask|say|use|help)\b
    \bhow (?:do|does|can|should) (?:i|we|one|this|it|<YOU>) (?:use|work|talk to|ask)(?: (?:<YOU>|this|it))?$
    \bwhat (?:are|is) (?:your|the) (?:commands?|skills?|abilities|capabilities|features)\b
"""
IDENTITY = r"""
    \b(?:who|what) (?:are|r) <YOU>$
    \b(?:who|what) is this bot\b
    \bwhat (?:do|does|are) <YOU> (?:do|doing|for|responsible)\b
    \bwhat(?:'?s| is| are) your (?:name|role|job|purpose|tasks?|dut(?:y|ies)|function|model)\b
    \bintroduce yourself\b
    \babout yourself\b
    \b(?:are|r) <YOU> (?:(?:an?|the|really|just) )*(?:bot|human|person|real|ai|robot|machine|gpt|llm|offline)\b
    \b(?:which|what) (?:model|llm|ai|brain)\b
    ^your (?:name|role|job)$
"""
TIME = r"""
    ^(?:what(?:'?s| is) the |what )?(?:current )?(?:time|date|day)(?: (?:is it|it is|and date))?$
    \bwhat (?:time|day|date) (?:is it|do we have)\b
"""
AROUND = r"""
    \b(?:around|context (?:of|for)|before and after) (?:(?:line|message|id|number) )?#?(?P<id>\d+)$
"""
RECENT = r"""
    \b(?:last|latest|newest|recent)(?: (?P<count>\d+))? (?:lines|messages)$
"""
STATS = r"""
    ^stat(?:s|istics)\b
    \bhow (?:many|much) (?:lines|messages|people|users|traffic|talk)\b(?!.*\b(?:about|mention))
    \bhow much (?:was (?:said|written)|did (?:people|they|we) (?:say|talk|write))$
    \bwho (?:is )?(?:talk|speak|write|say|chat)(?:s|ing)?(?: the)? most$
    \bwho (?:talked|spoke|wrote|said|chatted)(?: the)? most$
    \bhow (?:busy|active|lively)\b
    \bmost (?:active|talkative)\b
    \bbusiest\b
"""
SAID = r"""
    \bwhat (?:all )?(?:did|has|does|had|was|is) <NICK>(?: (?:just|last|ever|been))* <SAY><FILL><ABOUT><MAYBE>
    ^(?:did|has|does) <NICK>(?: (?:ever|just))* <SAY><FILL><ABOUT><MAYBE>
    \b(?:quotes?|lines?|messages?|words?|anything|everything) (?:said )?(?:from|by|of) <NICK> (?:about|on) <WHAT>
    \b(?:quotes?|lines?|messages?|words?|anything|everything) (?:said )?(?:from|by|of) <NICK>$
    ^quote <NICK>$
    ^what(?:'?s| has| is| was) <NICK>(?: been)? (?:up to|doing|on about|after)$
    ^(?:(?:summari[sz]e|show|find|list|search) )?(?:what|everything) <NICK> (?:has )?<SAY><ABOUT><MAYBE>
    ^(?P<nick>@?[^\s?,]+(?:'s|s')) (?:(?:last|latest|newest) )?(?:lines?|messages?|words?|quotes?)$
    ^(?P<nick>@?[^\s?,]+(?:'s|s')) (?:lines?|messages?|words?|quotes?) (?:about|on) <WHAT>
"""
MENTIONED = r"""
    ^(?:who|which people|which users)(?:'s)?<ADVERBS> <SAY><FILL><ABOUT> <WHAT>
    \b<SOMEBODY><ADVERBS> <SAY><FILL><ABOUT> <WHAT>
    \b(?:when|where|how often|how many times) (?:was|were|did|has|have) <WHAT> <SAY>(?: about)?$
    ^(?:was|were|has|is) <WHAT> (?:mentioned|discussed|talked about|brought up)$
    \b(?:what|anything|something|everything|things?)(?: said| new)?<ADVERBS>(?: (?:said|heard))? (?:about|regarding|with|concerning) <WHAT>
    ^what (?:was|were|is|has|have|did|do) (?:<SOMEBODY> )?<ADVERBS>(?: ?<SAY>) (?:about|regarding|on) <WHAT>
    \b(?:talk|news|words?|mentions?|lines|messages|discussions?|problems?|trouble|anything|something)(?: there)? (?:about|on|with|of|regarding|mentioning|containing) <WHAT>
    ^what(?:'?s| is| was| has) (?:(?:the|all) )?(?:up|going on|new|wrong|happening|happened|matter|problem|story|state|latest) (?:with|to|about|on|of) <WHAT>
    \bwhat do <YOU> know (?:about|of) <WHAT>
    \b(?:have|did) <YOU> (?:ever )?(?:heard?|read|seen?)(?: (?:anything|something))? (?:about|of) <WHAT>
    ^(?:search|find|look ?(?:up)?|grep|google)(?: (?:me|for|up|in|the|logs?|history|record|lines|messages|with))* <WHAT>
"""
WHO_CAN = r"""
    \b(?:which|what|who|any) (?:of the )?(?:agents?|bots?) (?:here )?(?:can|could|do|does|handles?|should) <WHAT>
    \b(?:which|what|who|any) (?:agents?|bots?) (?:knows?(?: about)?|is (?:for|responsible for|good at|in charge of)) <WHAT>
"""
WHO_KNOWS = r"""
    \b(?:who|any(?:one|body)|some(?:one|body))(?: (?:here|else|all))? (?:knows?|understands?)(?: (?:about|anything|something|a lot|most|best|how|to|of|with|the))* <WHAT>
    \bwhom? (?:should|can|could|do|would|might) (?:i|we|one) (?:ask|talk to|contact|turn to)(?: (?:about|for|with|on|if))? <WHAT>
    \b(?:who|any(?:one|body))(?: here)? (?:can|could|might|will|to|is able to) help(?: (?:me|us|out))?(?: (?:with|on|fix|about))? <WHAT>
    \bwho(?:'s| is) (?:good|best|an? expert|experienced|familiar) (?:at|in|on|with|for|about) <WHAT>
    \bexperts? (?:at|in|on|with|for|about) <WHAT>
"""
WHO_DOES = r"""
    \bwho(?: here)? (?:can|could|handles?|does|takes? care of|deals? with) <WHAT>
    \bwho is (?:responsible for|in charge of) <WHAT>
    \bwho (?P<what>(?:buys?|sells?|writes?|reviews?|keeps?|monitors?|checks?|audits?|plans?) .+)
"""
SEEN = r"""
    \bwhen (?:was|did|has|is) <NICK>(?: (?:last|been|most recently))* (?:seen|here|around|online|active|in|on|there)\b
    \bwhen (?:was|did|has) <NICK>(?: last)? (?:sp(?:eak|oken)|talk|say|said|leave|left|join|write|show|log)\b
    \b(?:when|where) (?:did|have) (?:<YOU>|we|any(?:one|body)) (?:last )?see <NICK>
    \b(?:last )?(?:seen|saw|see) <NICK>
    ^where(?:'?s| is| did| has| was) <NICK>(?: (?:go|gone|been|now))?$
    ^(?:is|was) <NICK> (?:still )?(?:here|around|online|back|gone|away|there|active)$
    \blast time (?:that )?<NICK> (?:was|spoke|said|talked|wrote)\b
"""
WHO_IS = r"""
    ^who(?:'?s| is| was) <NICK>$
"""
STATUS = r"""
    ^status\b
    ^how (?:are|is|r) (?:<YOU>|<ALL>|it going|things|the others|we)\b
    \b(?:is|are) <ALL> (?:ok|okay|up|alive|fine|well|running|online|ready|there|healthy)\b
    \bwho(?:'s| is) (?:online|up|alive|killed|dead|down|running|ready)\b
    \b(?:swarm|agents?|bots?)(?:'s)? (?:status|health|state)\b
    \bare <YOU> (?:ok|okay|well|fine|killed)\b
"""
AGENTS = r"""
    \b(?:which|what|list|show|how many|name|who are)(?: (?:me|all|of|the|your|other))* (?:agents|bots)\b
    ^(?:the )?(?:agents|bots|roster)$
    \bwho (?:else )?(?:is|are) (?:here|in (?:the|this) (?:swarm|team)|there|on (?:the|your) team)\b
    \byour (?:team|colleagues)\b
"""
STEER = r"""
    ^(?:kill|resume|restart|reboot|shut ?down|halt|pause)\b
"""
SUMMARY = r"""
    \bsummar
    \btl[;:,]?dr\b
    \b(?:recap|digest|overview|gist|topics?|highlights?)\b
    \bwhat(?:'?s| is| was| were)(?: all)? (?:up|new|discussed|said|the news|the topic)$
    \bwhat(?:'?s| is| has| have| was| were)?(?: all)?(?: been)? (?:happen(?:ing|ed|s)?|going on|went on)\b
    \bwhat (?:did|have|do) (?:i|we|they|people) (?:miss(?:ed)?|talk(?:ed)? about|discuss(?:ed)?|say|said)$
    \b(?:catch|bring|fill) (?:me|us) (?:up|in)\b
    \bwhat (?:are|were|is|was|have) (?:people|they|you all|every(?:one|body)|folks|all)(?: been)? (?:talking|chatting|discussing|doing|up to)\b
    \b(?:any(?:thing)?|some(?:thing)?) (?:new|news|interesting|important|happen(?:ed|ing)?|going on)\b
    ^news$
    \bwhat was it about$
"""
CANNOT = r"""
    ^(?:write|translate|draw|calculate|compute|sing|rewrite|explain|code|program|design|generate)\b
    ^(?:invent|compose|book|order|send|email|remind|delegate|buy|sell|pay|deploy|install|download)\b
    ^(?:open|play|run|execute|delete|ban|kick|make (?:me )?an?)\b
    \bjoke\b
    ^an? (?:story|poem|song)\b
"""


def read(block: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of one block, in order."""
    return tuple(_compiled(line.strip()) for line in block.splitlines() if line.strip())


def _compiled(line: str) -> re.Pattern[str]:
    for name, fragment in FRAGMENTS.items():
        line = line.replace(f"<{name}>", fragment)
    for name, fragment in FRAGMENTS.items():
        line = line.replace(f"<{name}>", fragment)
    return re.compile(line.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)
