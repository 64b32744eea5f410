"""What to tell the user where no connection to the API was made, and so nothing was sent."""

from __future__ import annotations

import re
import ssl
from urllib.parse import urlsplit

import httpx

from pulumi_resource_togetherai.api.errors import NotReached, ProxyRefused
from pulumi_resource_togetherai.api.network import Network, Proxy

_UNLUCKY = re.compile(r"5\d\d |.*could not connect")
"""How httpcore words that a proxy, over HTTP or SOCKS, has tried and failed. Other answers of a proxy are refusals."""


def not_reached(operation: str, url: str, network: Network, error: Exception) -> NotReached:
    """The error for the user. `error` is what happened on the way to the API."""
    proxy, why = network.proxy, str(error)
    if not why:
        why = "timeout" if isinstance(error, TimeoutError | httpx.TimeoutException) else type(error).__name__
    if proxy is not None and isinstance(error, httpx.ProxyError):
        kind = NotReached if _UNLUCKY.match(why) else ProxyRefused
        return kind(operation, f"the proxy {proxy} does not connect to {url} ({why}). {_instead(proxy, url, why)}")
    through = f" through the proxy {proxy}" if proxy else ""
    text = f"cannot reach {url}{through} ({why})"
    if _is_distrust(error):
        text = (
            f"{text}. The provider accepts {network.trusted}. If your network signs with a certificate of its own, set "
            "SSL_CERT_FILE to a file that holds it"
        )
    elif proxy:
        text = f"{text}. {_instead(proxy, url, why)}"
    return NotReached(operation, text)


def _instead(proxy: Proxy, url: str, why: str) -> str:
    """What to do about a proxy."""
    if not re.match(r"407|Requested|Invalid", why):
        host = urlsplit(url).hostname
        return f"Nothing was sent. Check {proxy.source}; NO_PROXY={host} does without the proxy"
    if proxy.user is None:
        kind, _, rest = proxy.url.partition("://")
        return f"Nothing was sent. The proxy wants a user and a password: {kind}://USER:PASSWORD@{rest}"
    return f"Nothing was sent. The proxy does not take the user and the password in {proxy.source}"


def _is_distrust(error: BaseException | None) -> bool:
    """Whether the reason is a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
