"""Whose requests are answered: a page in somebody's browser may ask this machine too, under a name of its own.

The API wants its key from everybody. The console page holds that key, and the control calls want none: both answer only
to their own address, so that no name that somebody else owns (DNS rebinding) leads to them, and what they change is
asked for by their own page, or by no page at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from pulumi_resource_togetherai.simulator.errors import Refusal


def check_own(headers: Mapping[bytes, bytes], own_host: str, *, write: bool) -> None:
    """403 unless a request came to an address of the simulator's own: `own_host`, where it listens, or any address that
    is no name. When `write`, also unless it came from the simulator's page or from no page."""
    host = headers.get(b"host", b"").decode("latin-1")
    name = urlsplit(f"//{host}").hostname or ""
    if name not in ("localhost", own_host) and not _is_address(name):
        raise Refusal(
            "PERMISSION_DENIED", f"this is not {name!r}; the page and the control calls answer to their own address"
        )
    origin = headers.get(b"origin", b"").decode("latin-1")
    if write and origin and origin.partition("://")[2] != host:
        raise Refusal("PERMISSION_DENIED", f"a page of {origin!r} may not change anything here")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
