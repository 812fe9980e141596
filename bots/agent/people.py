"""How the captain's part in what only people decide is put together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.agent.assembly import Answering
from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.escalation_settings import EmailStep, Step, WebhookStep
from bots.messages import DISCORD
from bots.people.escalation import Escalation
from bots.people.mail import Mail
from bots.people.notifying import Notifier
from bots.people.telling import Telling
from bots.people.webhook import Webhook


class People:
    """`work` while the captain's process lives."""

    def __init__(
        self, spec: AgentSpec, parts: Answering, switch: KillSwitch, log: FilteringBoundLogger
    ) -> None:
        self._telling = Telling(
            parts.giving,
            latch=lambda: switch.latch,
            changed=parts.requests.tell,
            log=log,
        )
        self._escalation = Escalation(
            parts.requests.store,
            spec.name,
            # Its successor is somebody else: what was begun here is not begun there.
            f"{spec.name}.{spec.epoch}",
            [
                (step, _way(step, spec, parts, switch, log))
                for step in spec.settings.escalation.steps
            ],
            latch=lambda: switch.latch,
            clock=utc_now,
            log=log,
        )
        parts.requests.watchers.extend([self._telling.nudge, self._escalation.nudge])

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until the process ends."""
        return [self._telling.run(), self._escalation.run()]


def _way(
    step: Step,
    spec: AgentSpec,
    parts: Answering,
    switch: KillSwitch,
    log: FilteringBoundLogger,
) -> Callable[[], Notifier | None]:
    """What takes this step; None while nothing can."""
    reference = ""
    if isinstance(step, EmailStep):
        reference = step.password or ""
    elif isinstance(step, WebhookStep):
        reference = step.secret or ""
    else:
        # The network's part is made after this one.
        return partial(parts.notifiers.get, DISCORD)
    if reference and reference not in spec.people_secrets:
        log.warning("escalation.without_secret", via=step.via, secret=reference)
        return lambda: None
    secret = spec.people_secrets[reference].get_secret_value() if reference else None
    made = _notifier(step, secret, parts, lambda: switch.latch is not None)
    return lambda: made


def _notifier(
    step: EmailStep | WebhookStep,
    secret: str | None,
    parts: Answering,
    halted: Callable[[], bool],
) -> Notifier:
    if isinstance(step, EmailStep):
        return Mail(step=step, password=secret, guard=parts.guard, clock=utc_now, halted=halted)
    return Webhook(step=step, secret=secret or "", guard=parts.guard, halted=halted)
