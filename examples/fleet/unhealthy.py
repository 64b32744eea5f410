"""Prints a table of the nodes of some clusters that are not healthy, for fleet.py to repair. Clusters by id or name.

python unhealthy.py cluster-1 cluster-2 > nodes.csv

A status that is no known word is named, and the node left out: it may well be healthy.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict

import pulumi

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import GpuWorkerNode
from pulumi_resource_togetherai.dynamic import get_cluster, get_instances
from pulumi_resource_togetherai.functions.health import Health


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clusters", nargs="+", metavar="CLUSTER")
    table, unknown = list[tuple[str, str]](), defaultdict[tuple[str, str], list[str]](list)
    for written in parser.parse_args().clusters:
        try:
            cluster = get_cluster(written).cluster_id
            for node in get_instances(cluster):
                if node.health is Health.UNHEALTHY or (node.health is Health.HEALTHY and last_repair_failed(node)):
                    table.append((cluster, name(node)))
                elif node.health is Health.UNKNOWN:
                    unknown[cluster, node.status].append(name(node))
        except pulumi.RunError as error:
            print(f"error: {written}: {error}", file=sys.stderr)
            return 1
    for (cluster, status), nodes in unknown.items():
        print(f'{cluster}: left out, because "{status}" is no known status: {", ".join(nodes)}', file=sys.stderr)
    output = csv.writer(sys.stdout, lineterminator="\n")
    output.writerow(("cluster", "node"))
    output.writerows(table)
    return 0


def last_repair_failed(node: GpuWorkerNode) -> bool:
    """Whether the node works, but was not repaired when that was last tried."""
    return node.latest_remediation is not None and node.latest_remediation.state == RemediationState.FAILED


def name(node: GpuWorkerNode) -> str:
    """What stays when a repair replaces the VM."""
    return node.host_name or node.node_id or str(node.instance_id)


if __name__ == "__main__":
    sys.exit(main())
