"""Word by e-mail (SMTP, RFC 5321): one message a recipient.

Until the server has the whole message nothing has left; between its last byte and the answer nobody
knows, and then it is not sent again.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from bots.escalation_settings import EmailStep, Security
from bots.messages import Delivery
from bots.people.notifying import Notice, headline, permit, text
from brain.guard import Guard
from storage.acts import Permit
from storage.request import Request

_PREFIX: Final = "email:"
_WITHIN_S: Final = 20.0
#: not every server takes more
_SEVEN_BITS: Final = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """As `bots.people.notifying.Notifier`."""

    step: EmailStep
    #: None: the server wants none
    password: str | None
    guard: Guard
    clock: Callable[[], datetime]
    #: nothing may leave now
    halted: Callable[[], bool]

    def recipients(self, request: Request) -> Sequence[str]:
        return [f"{_PREFIX}{address}" for address in self.step.to]

    async def send(self, notice: Notice) -> Delivery:
        granted = await permit(self.guard, notice)
        message = _message(notice, self.step.sender, self.clock())
        # smtplib blocks; its thread ends by its own timeouts.
        return await asyncio.to_thread(self._deliver, message, notice.recipient, granted)

    def _deliver(self, message: EmailMessage, recipient: str, granted: Permit) -> Delivery:
        granted.check("send", recipient, now_s=time.monotonic())
        try:
            server = self._connected()
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return _unsaid(error)
        try:
            return self._handed_over(server, message, recipient.removeprefix(_PREFIX))
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        """Greeted, encrypted and logged in."""
        step = self.step
        context = ssl.create_default_context(cafile=step.tls_authority)
        if step.security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                step.host, step.port, timeout=_WITHIN_S, context=context
            )
        else:
            server = smtplib.SMTP(step.host, step.port, timeout=_WITHIN_S)
        try:
            if step.security is Security.STARTTLS:
                server.starttls(context=context)
            if self.password is not None:
                server.login(step.user, self.password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _handed_over(self, server: smtplib.SMTP, message: EmailMessage, address: str) -> Delivery:
        try:
            server.ehlo_or_helo_if_needed()
            for code, answer in (server.mail(self.step.sender), server.rcpt(address)):
                if code >= 400:
                    return _answered(code, answer)
        except (OSError, smtplib.SMTPException) as error:
            return _unsaid(error)
        if self.halted():
            return Delivery(sent=False, proof="killed before it left", unsaid=True)
        try:
            return _answered(*server.data(message.as_bytes()))
        except smtplib.SMTPDataError as error:
            return _answered(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return Delivery(sent=False, proof=_sentence(error), unknown=True)


def _message(notice: Notice, sender: str, now: datetime) -> EmailMessage:
    message = EmailMessage(policy=_SEVEN_BITS)
    again = f" ({notice.round + 1})" if notice.round else ""
    message["Subject"] = f"{headline(notice.request)}{again}"
    message["From"] = sender
    message["To"] = notice.recipient.removeprefix(_PREFIX)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{notice.key}@{sender.rpartition('@')[2]}>"
    # RFC 3834: nobody's holiday answers this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text(notice.request))
    return message


def _answered(code: int, answer: bytes | str) -> Delivery:
    """What a server's answer means (RFC 5321, 4.2.1): 2 done, 4 not now, 5 no."""
    said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    proof = f"smtp:{code} {' '.join(said.split())[:120]}"
    return Delivery(sent=200 <= code < 300, proof=proof, unsaid=400 <= code < 500)


def _unsaid(error: Exception) -> Delivery:
    return Delivery(sent=False, proof=_sentence(error), unsaid=True)


def _sentence(error: Exception) -> str:
    return f"the mail server cannot be used ({type(error).__name__})"
