"""What all operations of one engine process share: the API's client, the watchers, the user's interruption."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pulumi_resource_togetherai.clusters.report import Report
from pulumi_resource_togetherai.clusters.view import Clusters
from pulumi_resource_togetherai.config import MissingApiKey, ProviderConfig
from pulumi_resource_togetherai.fields import seconds
from pulumi_resource_togetherai.operation.run import Interruption, OperationError, Run

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client


def _to_nobody(_line: str) -> None:
    """Takes a line where nobody debugs."""


class Session:
    """Makes the runs of the resources' operations. One object serves one engine process, and one event loop."""

    def __init__(
        self,
        config: ProviderConfig,
        client: Client | None = None,
        *,
        note: Callable[[str], None] | None = None,
        stateless: bool = False,
    ) -> None:
        """`client` replaces the one that `config` describes. `note` takes a line for those who debug. `stateless`:
        whether the operations are called at a shell, without a stack."""
        self.stateless = stateless
        self._config = config
        self._client = client
        self._clusters: Clusters | None = None
        self._note = note or _to_nobody
        self._interruption = Interruption()

    def interrupt(self) -> None:
        """Stops every wait at once and starts nothing more. Remediations continue; unfinished resources stay in the
        stack."""
        self._interruption.ask()
        if self._client is not None:
            self._client.start_no_more()

    async def close(self) -> None:
        """Closes the connections to the API."""
        if self._client is not None:
            await self._client.close()

    async def preflight(self, report: Report) -> Run | None:
        """A run for a preview; None if `preflight` is off or there is no API key, which only `pulumi up` requires."""
        if not self._config.preflight:
            return None
        try:
            return self.run(report, seconds(self._config.request_timeout))
        except OperationError as error:
            if not isinstance(error.__cause__, MissingApiKey):
                raise
            await report.warning(f"cannot check what `pulumi up` will do: {error}. Without it `pulumi up` will fail")
            return None

    def run(self, report: Report, time_limit: float, *, kept: bool = True, urn: str = "") -> Run:
        """A run that may take `time_limit` seconds. `kept`: whether the stack keeps an unfinished one; `urn`: whose
        it is."""
        if self._client is None:
            try:
                self._client = self._config.client()
            except (MissingApiKey, ValueError) as error:
                raise OperationError(str(error)) from error
        if self._clusters is None:
            self._clusters = Clusters(self._client, self._config, self._note)
        deadline = asyncio.get_running_loop().time() + time_limit
        kept = kept and not self.stateless
        return Run(
            self._client, self._clusters, self._config, report, self._interruption, deadline, kept, self.stateless, urn
        )
