"""Who may do what: the API keys, and the clusters that each may access."""

from __future__ import annotations

from collections.abc import Iterable

from togetherai_simulator.errors import Refusal
from togetherai_simulator.options import Options

DEFAULT_API_KEY = "simulator-key"


class AccessKey(Options):
    """An API key. By default there is one, and it may do everything."""

    key: str
    """The key itself, as sent in `Authorization: Bearer`."""
    user: str = "simulator-user"
    """The owner of the key: shown as requested_by and reviewed_by."""
    clusters: list[str] | None = None
    """The clusters that the key may see. Default: all."""
    read_only: bool = False
    """Whether the key may only read."""


class Access:
    """The API keys that the simulator accepts."""

    def __init__(self, keys: Iterable[AccessKey]) -> None:
        self.keys = {f"bearer {key.key}".encode(): key for key in keys}

    def authenticate(self, authorization: bytes | None) -> AccessKey:
        """The key that the request came with; 401 if it came with none, or with an unknown one."""
        scheme, _, token = (authorization or b"").partition(b" ")
        if key := self.keys.get(scheme.lower() + b" " + token.strip()):
            return key
        problem = "no API key: send Authorization: Bearer KEY" if not authorization else "the API key is not valid"
        raise Refusal("UNAUTHENTICATED", problem, headers={"WWW-Authenticate": "Bearer"})


def check_allowed(key: AccessKey, cluster_id: str | None, *, write: bool) -> None:
    """403 unless the key may see the cluster and, if `write`, may make changes."""
    if cluster_id is not None and key.clusters is not None and cluster_id not in key.clusters:
        raise Refusal("PERMISSION_DENIED", f"the API key may not access cluster {cluster_id}")
    if write and key.read_only:
        raise Refusal("PERMISSION_DENIED", "the API key may only read")
