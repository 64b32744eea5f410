"""Which requests the simulator answers: any page in a browser can send requests to this machine, under its own name.

The API requires its key from every client. But the console page holds that key, and the control calls need none. So
both answer only to their own address, and no name that somebody else owns (DNS rebinding) leads to them. They accept a
change only from the simulator's own page, or from a client that is no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from togetherai_simulator.errors import Refusal


def check_own(headers: Mapping[bytes, bytes], own_host: str, *, write: bool) -> None:
    """403 unless a request was sent to the simulator's own address: `own_host`, where it listens, or an IP address or
    `localhost`. If `write`, also 403 if it came from a page other than the simulator's."""
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
