"""The id of a resource in the stack, which is also what `pulumi import` takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceId:
    """A resource's id, taken apart: `<clusterId>/<instanceId>/<remediationId>`."""

    cluster_id: str
    instance_id: str
    remediation_id: str

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Raises ValueError, with what to write instead, if the text is not three ids."""
        parts = text.split("/")
        if len(parts) != 3 or not all(parts) or any(part in (".", "..", "-") or " " in part for part in parts):
            raise ValueError(
                f'"{text}" is not the id of a remediation; write <clusterId>/<instanceId>/<remediationId>, '
                "as `tg clusters remediations list` shows them"
            )
        return cls(*parts)
