"""The list of a kind of resource, as `pulumi do` shows it: what the API has of it, newest first, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.clusters.named import NotNamed, cluster_named
from pulumi_resource_togetherai.clusters.nodes import Found, find, instances_of, problem
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.fields import Inputs, Mode, Named, Parted, State, Trigger
from pulumi_resource_togetherai.functions.arguments import GetRemediations
from pulumi_resource_togetherai.functions.function import Function
from pulumi_resource_togetherai.functions.lookups import get_remediations
from pulumi_resource_togetherai.functions.results import Remediations
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.review.rules.decision import reviewed

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client

PAGE = 100
"""How many resources a page has if the engine does not say."""


class ListInputs(Inputs):
    """What to list: the remediations of a cluster that pass every filter."""

    cluster: Named
    """The cluster's id, or its name. An id goes before a name."""
    node: Named | None = None
    """Only what is of this node, by any name that the API knows for it. Earlier instances of the node count."""
    state: Parted[State] = ()
    """Only what is in one of these states, separated by commas."""
    mode: Parted[Mode] = ()
    """Only what has one of these modes, separated by commas."""
    trigger: Parted[Trigger] = ()
    """Only what was started in one of these ways, separated by commas."""


@dataclass(frozen=True)
class Page:
    """A part of a list."""

    records: Sequence[Remediation]
    following: str
    """The token of the next page; empty if there is none."""


class Lists:
    """The lists that the engine reads: each is asked for once, and its pages are parts of that answer."""

    def __init__(self, config: ProviderConfig, client: Client | None = None) -> None:
        """`client` replaces the one that `config` describes."""
        self._config = config
        self._client = client
        self._rest = dict[str, Sequence[Remediation]]()
        """What follows a page, by the token that the page has given."""

    async def page(self, kind: str, query: Mapping[str, Any], token: str, *, most: int) -> Page:
        """The page that a token names, or the first one of a list. `most`: how many resources it may hold; 0 leaves
        that to the provider. Raises OperationError."""
        if not token:
            if mistakes := _LIST.check(query):
                raise OperationError("; ".join(each.reason for each in mistakes))
            found = await _LIST.answer(self._config, query, self._client)
            rest = [record for record in found.remediations if _KINDS[kind](record)]
        elif token in self._rest:
            rest = self._rest.pop(token)
        else:
            raise OperationError("this page of the list is not there any more; list it again from the beginning")
        size = most if most > 0 else PAGE
        following = str(uuid4()) if len(rest) > size else ""
        if following:
            self._rest[following] = rest[size:]
        return Page(rest[:size], following)


def title(record: Remediation) -> str:
    """What a list says of a remediation beside its id."""
    since = f" {record.create_time:%Y-%m-%dT%H:%M:%SZ}" if record.create_time else ""
    return f"{record.instance_name or record.instance_id} {messages.state(record)} {record.mode.short}{since}"


async def _list(client: Client, asked: ListInputs) -> Remediations:
    """The remediations that pass every filter, newest first."""
    cluster = await cluster_named(client, asked.cluster)
    query = GetRemediations(
        cluster_id=cluster.cluster_id, state=[*asked.state], mode=[*asked.mode], trigger=[*asked.trigger]
    )
    listed = await get_remediations(client, query)
    if asked.node is None:
        return listed
    found = find(cluster, asked.node)
    if not isinstance(found, Found):
        raise NotNamed("find node", problem(cluster.cluster_id, None, found))
    instances = instances_of(cluster, found.node, listed.remediations)
    return Remediations(remediations=[one for one in listed.remediations if one.instance_id in instances])


_LIST = Function("list", ListInputs, Remediations, _list)
_KINDS: Mapping[str, Callable[[Remediation], bool]] = {
    "Remediation": lambda _: True,
    "RemediationReview": reviewed,
}
