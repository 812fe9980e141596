"""The page: chat, slash commands, buttons and the red button, in a browser on this machine.

It is built of plain aiohttp, Jinja templates, server-sent events and small ES modules, not of
NiceGUI. The design is a keyboard-first chat: a composer whose lists open inside its own box, a
caret, held keys, a scroll position that stays. With NiceGUI all of that would be JavaScript of our
own anyway, beside Vue and Quasar, whose templates are compiled in the browser and so forbid a
strict Content-Security-Policy; and an idle process of it takes three times the memory
(docs/BENCHMARKS.md).

The page is a client of the guild like any other: REST and gateway with a person's token. It shares
no code with the sandbox, the agents or the supervisor.
"""
