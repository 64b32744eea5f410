"""One try of an HTTP request as a client span and a measurement, after OpenTelemetry's semantic conventions for HTTP.

Both leave out the query, the headers and the bodies. Nothing about the trace is sent to the API.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from pulumi_resource_togetherai.telemetry.instruments import ERROR_TYPE, failed, instruments, started

_PORTS = {"http": 80, "https": 443}


@dataclass
class Exchange:
    """One try of one request, and its answer."""

    status: int | None = None
    """The HTTP status. The sender sets it as soon as it is known."""

    def error_type(self, error: BaseException) -> str:
        """What went wrong: the status if it is 300 or more, else the kind of error."""
        return str(self.status) if self.status is not None and self.status >= 300 else type(error).__name__


@contextmanager
def instrumented(method: str, base_url: str, path: str, *, resends: int) -> Generator[Exchange]:
    """Records the request that is sent inside. `resends`: how many tries of it came before."""
    base = urlsplit(base_url)
    template = base.path + _template(path)
    common: dict[str, str | int] = {
        "http.request.method": method,
        "server.address": base.hostname or "",
        "server.port": base.port or _PORTS[base.scheme],
        "url.template": template,
    }
    own = {"url.full": base_url + path} | ({"http.request.resend_count": resends} if resends else {})
    exchange, begin = Exchange(), perf_counter()
    outcome: dict[str, str | int] = {}
    with started(f"{method} {template}", SpanKind.CLIENT, common | own) as span:
        try:
            yield exchange
        except BaseException as error:
            outcome[ERROR_TYPE] = exchange.error_type(error)
            failed(span, exchange.error_type(error))
            raise
        finally:
            if exchange.status is not None:
                outcome["http.response.status_code"] = exchange.status
                span.set_attribute("http.response.status_code", exchange.status)
            instruments().requests.record(perf_counter() - begin, common | outcome)


def _template(path: str) -> str:
    """The path with a placeholder for each id."""
    return re.sub(r"/(cluster|instance|remediation)s/[^/]+", r"/\1s/{\1_id}", path)
