"""`togetherai-check`: whether key, address and cluster are right, before the first `pulumi up`. It only reads."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass

from pulumi_resource_togetherai.api.client import Client
from pulumi_resource_togetherai.api.enums import ACTIVE_STATES
from pulumi_resource_togetherai.api.errors import (
    ApiError,
    CredentialRefused,
    NotFound,
    NotReached,
    NotSendable,
    Refused,
)
from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.api.network import NetworkSettingError
from pulumi_resource_togetherai.clusters.named import NotNamed, cluster_named
from pulumi_resource_togetherai.config import MissingApiKey, ProviderConfig
from pulumi_resource_togetherai.describe.asking import MOST_REQUESTS
from pulumi_resource_togetherai.describe.describing import describe
from pulumi_resource_togetherai.fields import duration_text
from pulumi_resource_togetherai.sanitize import quoted


@dataclass(frozen=True)
class Line:
    """One check, and its result."""

    check: str
    """What was checked: `network`, `address`, `key`, `cluster` or `clock`."""
    ok: bool
    message: str

    @property
    def text(self) -> str:
        """The line for people."""
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.check:<7}  {self.message}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Stops at the first check that fails, and then returns 1."""
    parser = argparse.ArgumentParser(
        prog="togetherai-check",
        description="Checks with the Together AI API whether the key, the address and the clusters are right. It takes "
        "the key from TOGETHER_API_KEY and the address from TOGETHER_BASE_URL, and changes nothing.",
    )
    parser.add_argument(
        "clusters", nargs="+", metavar="CLUSTER", help="the id or the name of a cluster that your programs use"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--describe",
        action="store_true",
        help=f"print how the API speaks, without ids, names, texts, address and key: attach it to a bug report. Takes "
        f"one CLUSTER, and {MOST_REQUESTS + 4} reads at most",
    )
    options = parser.parse_args(arguments)
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")  # what the API names may hold more than a console can show
    if options.describe:
        if len(options.clusters) > 1:
            parser.error("--describe takes one CLUSTER")
        return asyncio.run(_describe(options.clusters[0], as_json=options.json))
    lines = asyncio.run(_answers(options.clusters, printed=not options.json))
    if options.json:
        print(json.dumps([asdict(line) for line in lines], indent=1))
    return int(not all(line.ok for line in lines))


async def _answers(clusters: Sequence[str], *, printed: bool) -> list[Line]:
    """The results up to the first failure. If `printed`, prints each as it comes."""
    lines = list[Line]()
    async with aclosing(_ask(clusters)) as answers:
        async for line in answers:
            lines.append(line)
            if printed:
                print(line.text, flush=True)
            if not line.ok:
                break
    return lines


async def _describe(written: str, *, as_json: bool) -> int:
    """Prints the description of an API that answers about a cluster. What is wrong goes to stderr: it names things."""
    found = _connect()
    if isinstance(found, Line):
        return _wrong([found])
    async with found.client:
        cluster_id, code = written, 0
        try:
            cluster_id = (await cluster_named(found.client, written)).cluster_id
        except (ApiError, ValueError) as error:
            code = _wrong(_failure(found, written, error, reached=False))
            if isinstance(error, CredentialRefused | NotFound | NotNamed | NotReached | NotSendable):
                return code
        description = await describe(found.client, cluster_id)
    print(description.json() if as_json else "\n".join(description.lines()))
    return code


def _wrong(lines: Sequence[Line]) -> int:
    """Prints the checks that failed; returns the exit status."""
    for line in lines:
        if not line.ok:
            print(line.text, file=sys.stderr)
    return 1


@dataclass(frozen=True)
class _Connection:
    """The API as the environment describes it."""

    client: Client
    address: str
    source: str
    """Where the key comes from."""


def _connect() -> _Connection | Line:
    """The API, or why none can be asked."""
    config = ProviderConfig(max_retries=1)
    try:
        address = config.address()
    except ValueError as error:
        return Line("address", False, str(error))
    try:
        return _Connection(config.client(), address, config.credential().source)
    except NetworkSettingError as error:
        return Line("network", False, str(error))
    except (MissingApiKey, ValueError) as error:
        return Line("key", False, str(error))


async def _ask(clusters: Sequence[str]) -> AsyncGenerator[Line]:
    found = _connect()
    if isinstance(found, Line):
        yield found
        return
    async with found.client as client:
        yield Line("network", True, str(client.network))
        reached = False
        for written in clusters:
            try:
                cluster = await cluster_named(client, written)
                active = await _active(client, cluster)
            except (ApiError, ValueError) as error:
                for line in _failure(found, written, error, reached=reached):
                    yield line
                return
            if not reached:
                yield Line("address", True, f"{found.address} answers")
                yield Line("key", True, f"the one from {found.source} is accepted")
                reached = True
            yield Line("cluster", True, _described(cluster, active))
        yield Line("clock", True, _clock(client))


async def _active(client: Client, cluster: Cluster) -> str:
    """How many remediations are active. Not every API may list them for a whole cluster; the provider then asks for
    each instance, so that is no failure if it works."""
    try:
        return str(len(await client.list_remediations(cluster.cluster_id, states=ACTIVE_STATES)))
    except (Refused, NotFound, CredentialRefused):
        instance = next((node.instance_id for node in cluster.gpu_worker_nodes if node.instance_id), None)
        if instance is None:
            raise
        await client.list_remediations(cluster.cluster_id, instance, most_pages=1)
        return "an unknown number of"


def _failure(found: _Connection, written: str, error: Exception, *, reached: bool) -> list[Line]:
    """What an error shows about the address, the key and the cluster, as far as it shows anything."""
    answers = [] if reached else [Line("address", True, f"{found.address} answers")]
    if isinstance(error, CredentialRefused):
        return [*answers, Line("key", False, str(error))]
    if isinstance(error, NotFound | NotNamed):
        accepted = [] if reached else [Line("key", True, f"the one from {found.source} is accepted")]
        return [*answers, *accepted, Line("cluster", False, f"{quoted(written)}: {error}")]
    if isinstance(error, NotSendable | ValueError):
        return [Line("cluster", False, str(error))]
    return [Line("address", False, str(error))]


def _described(cluster: Cluster, active: str) -> str:
    states = Counter(quoted(node.status) or "without a status" for node in cluster.gpu_worker_nodes)
    nodes = ", ".join(f"{count} {status}" for status, count in states.most_common())
    return (
        f"{_which(cluster)} is known: {sum(states.values())} GPU worker nodes ({nodes or 'none'}), {active} active "
        "remediations"
    )


def _which(cluster: Cluster) -> str:
    named = f" ({quoted(cluster.cluster_name)})" if cluster.cluster_name else ""
    return f"{cluster.cluster_id}{named}"


def _clock(client: Client) -> str:
    ahead = client.clock_ahead()
    if ahead is None:
        return "the API sends no time, so the provider judges ages by this machine's clock"
    if abs(ahead) < 2:
        return "the API's clock and this machine's agree"
    return (
        f"the API's clock is {duration_text(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's; "
        "the provider judges ages by the API's clock"
    )


if __name__ == "__main__":
    sys.exit(main())
