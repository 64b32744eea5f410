"""Prints a table of the nodes of some clusters that are not healthy, for fleet.py to repair.

python unhealthy.py cluster-1 cluster-2 > nodes.csv
"""

from __future__ import annotations

import argparse
import csv
import sys

import pulumi

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import GpuWorkerNode
from pulumi_resource_togetherai.dynamic import get_instances


def healthy(node: GpuWorkerNode) -> bool:
    """A node that works, and whose last repair did not fail."""
    latest = node.latest_remediation
    return node.status == "Ready" and (latest is None or latest.state != RemediationState.FAILED)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clusters", nargs="+", metavar="CLUSTER")
    try:
        nodes = [(cluster, node) for cluster in parser.parse_args().clusters for node in get_instances(cluster)]
    except pulumi.RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("cluster", "instance"))
    table.writerows((cluster, node.instance_id) for cluster, node in nodes if node.instance_id and not healthy(node))
    return 0


if __name__ == "__main__":
    sys.exit(main())
