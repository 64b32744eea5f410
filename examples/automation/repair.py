"""Repairs nodes without a project of their own: rehearses, asks, runs, reports. What an on-call bot would call.

    python repair.py --cluster cluster-1 cluster-1-node-1 cluster-1-node-2 --incident INC-1042
    curl .../alert | python repair.py --alert --yes

Ends with 0 when all went well, 1 when a repair failed or could not be made, 2 when it was not asked for properly or not
agreed to. The same incident repairs the same node once, however often this is called.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from io import TextIOWrapper
from typing import Any, cast

from alert import Work, from_alert
from pulumi import automation
from pulumi_togetherai import IfActive, Remediation

PROJECT = "on-call"
NOT_AGREED = 2


def declare(work: Sequence[Work], mode: str) -> None:
    """The program: a remediation per node."""
    for item in work:
        for instance in item.instances:
            Remediation(
                f"{instance}-{item.incident}",
                cluster_id=item.cluster,
                instance_id=instance,
                mode=mode,
                reason=f"on call: {item.incident}",
                # Another incident is another repair; somebody else's is waited for.
                triggers={"incident": item.incident},
                if_active=IfActive.ADOPT,
            )


def report(rows: Sequence[dict[str, Any]]) -> str:
    """A line per repair."""
    lines = [("node", "remediation", "mode", "attempt", "took", "outcome")]
    for row in rows:
        took = ""
        if row.get("created") and row.get("ended"):
            took = str(datetime.fromisoformat(row["ended"]) - datetime.fromisoformat(row["created"])).partition(".")[0]
        mode = row["mode"].removeprefix("REMEDIATION_MODE_")
        lines.append((row["node"], row["id"], mode, str(int(row.get("attempt") or 0) or ""), took, row["state"]))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def agreed(question: str) -> bool:
    """Asks whoever sits at the terminal."""
    print(question, end=" ", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def recorded(stack: automation.Stack) -> list[dict[str, Any]]:
    """The remediations that the stack holds, those that failed included."""
    resources: list[dict[str, Any]] = (stack.export_stack().deployment or {}).get("resources") or []
    rows = list[dict[str, Any]]()
    for resource in resources:
        if resource["type"] == "togetherai:index:Remediation":
            seen = resource["outputs"]
            times = {"created": seen.get("createTime"), "ended": seen.get("endTime")}
            row = {"node": seen["instanceId"], "id": seen["remediationId"], "attempt": seen.get("attempt")}
            rows.append(row | times | {"mode": seen["mode"], "state": seen["state"]})
    return rows


def run(work: Sequence[Work], mode: str, *, yes: bool) -> int:
    """Rehearses, asks, runs, reports. Returns the exit code."""
    # A stack per cluster and incident: what another call repairs is not removed by this one.
    first = work[0]
    name = "".join(letter if letter.isalnum() else "-" for letter in f"{first.cluster}-{first.incident}")[:90]

    def program() -> None:
        declare(work, mode)

    stack = automation.create_or_select_stack(stack_name=name, project_name=PROJECT, program=program)
    stack.preview(on_output=print, color="never")
    if not yes and not agreed("Repair these nodes? [y/N]"):
        print("nothing was started")
        return NOT_AGREED
    try:
        stack.up(on_output=print, color="never")
    except automation.CommandError:
        print(report(recorded(stack)))
        print("not all went well: see above for each. To go on, call this again: it starts nothing twice")
        return 1
    print(report(recorded(stack)))
    return 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cluster", metavar="ID")
    parser.add_argument("instances", nargs="*", metavar="INSTANCE")
    parser.add_argument("--incident", default="by-hand", help="another incident repairs the same node again")
    parser.add_argument("--alert", action="store_true", help="read an Alertmanager webhook's JSON from stdin")
    parser.add_argument("--mode", default="REBOOT_VM")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    cast(TextIOWrapper, sys.stdout).reconfigure(line_buffering=True)  # progress shows as it is made, in a pipe too
    if arguments.alert == bool(arguments.cluster and arguments.instances):
        parser.error("name --cluster and instances, or --alert")
    if not arguments.yes and (arguments.alert or not sys.stdin.isatty()):
        parser.error("there is nobody to ask: agree with --yes")
    try:
        if arguments.alert:
            work = from_alert(sys.stdin.read())
        else:
            work = [Work(arguments.cluster, tuple(arguments.instances), arguments.incident)]
        return run(work, arguments.mode, yes=arguments.yes)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except automation.ConcurrentUpdateError:
        print("error: another run works on this, or one was cut off. When none runs: pulumi cancel", file=sys.stderr)
        return 1
    except automation.CommandError as error:
        found = re.findall(r"error: (?!preview failed)(?:Preview failed: )?(.+)", str(error))
        print(f"error: {found[0] if found else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was started goes on. Call this again to go on waiting", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
