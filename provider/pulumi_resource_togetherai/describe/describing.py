"""The description of an API: all findings, as lines or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pulumi_resource_togetherai import __version__
from pulumi_resource_togetherai.api.client import Client
from pulumi_resource_togetherai.describe.asking import ask
from pulumi_resource_togetherai.describe.finding import Finding
from pulumi_resource_togetherai.describe.serving import serving
from pulumi_resource_togetherai.describe.wording import wording


@dataclass(frozen=True)
class Description:
    """How an API speaks."""

    version: str
    """The provider's."""
    requests: int
    """How many were sent."""
    findings: list[Finding]

    def lines(self) -> Iterator[str]:
        """The description for people."""
        yield (
            f"How this API speaks, as far as {self.requests} reads tell (pulumi-togetherai {self.version}). "
            "Without ids, names, texts, address and key"
        )
        for finding in self.findings:
            yield finding.line

    def json(self) -> str:
        """The same for programs."""
        return json.dumps(asdict(self), indent=1)


async def describe(client: Client, cluster_id: str) -> Description:
    """Describes the API by what it answers about a cluster. Never raises ApiError."""
    heard = await ask(client, cluster_id)
    return Description(__version__, heard.sent, [*serving(heard), *wording(heard)])
