"""The TLS side: who we trust, and the certificate that we show."""

from __future__ import annotations

import ssl

from bots.irc.config import IrcConfig


def context_for(config: IrcConfig) -> ssl.SSLContext | None:
    """A verifying context (host name and authority), None for plain text.

    Raises `OSError` (`ssl.SSLError` among them) when one of the named files cannot be used.
    """
    if not config.tls:
        return None
    context = ssl.create_default_context(cafile=config.tls_authority)
    if config.certificate is not None:
        context.load_cert_chain(config.certificate)
    return context
