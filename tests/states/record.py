"""Records the stacks that this version makes, for every later version to read: `make states`.

It never changes what is recorded already: before a release, delete the folder to record it anew. Two recordings of the
same code differ only in what Pulumi encrypts.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pulumi_resource_togetherai import __version__
from tests.engine.programs import NODE, Declared, declare, remediation, review, rolling, secret
from tests.engine.stack import Form, Stack
from tests.simulated import Simulator, simulator
from tests.states.recording import INSTANCES, RECORDINGS, WAYS, Expected, Operation, Recording

NOON = datetime.fromisoformat("2025-01-06T12:00:00+00:00")
"""When everything begins, in a recording."""
OF_THE_MACHINE = ("sourcePosition", "stackTrace", "created", "modified")
"""What the engine notes of a resource that names folders of this machine, or the time."""
_WAITED = re.compile(r"after (\d+[hms])+")
"""How long something took, in the text of an error."""
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_EVERY_INPUT = {
    "reason": "GPU 3 fell off the bus",
    "triggers": {"incident": "INC-1042"},
    "idempotencyKey": "INC-1042",
    "wait": True,
    "timeout": "45m",
    "ifActive": "CREATE",
    "ifRecent": "IGNORE",
    "recentWindow": "30m",
    "retryFailed": True,
    "acceptFailure": True,
    "deleteWhileRunning": "ABANDON",
}
_GIVES_UP = {"timeout": "4s"}
_NOT_KEPT = "pulumi.dynamic keeps nothing of a create that failed; `up` finds "


@dataclass(frozen=True)
class Case:
    """A resource of the recorded program, and what every later version does about what is recorded of it."""

    declared: Declared
    because: str
    plugin: Operation = "same"
    dynamic: Operation = "same"
    starts: int = 0
    behaviour: str = "succeed"
    """How the remediation of its node goes."""

    def expected(self, form: Form) -> Expected:
        return Expected(self.plugin if form == "plugin" else self.dynamic, self.starts, self.because)


def cases(api: Simulator) -> dict[str, Case]:
    """The program, and how each of its remediations is going to end. Proposes those that are reviewed."""
    proposals = {node: str(api.propose(NODE(node), fault="xid")["id"]) for node in (12, 13, 14, 15)}
    return {
        "done": Case(remediation(1, reason="GPU 3 fell off the bus"), "it SUCCEEDED"),
        "every-input": Case(remediation(2, **_EVERY_INPUT), "it SUCCEEDED"),
        "new-vm": Case(remediation(3, mode="VM_ONLY"), "it SUCCEEDED, and its instance is gone"),
        "hidden": Case(
            remediation(4, reason=secret("hush-reason"), triggers={"incident": secret("hush-trigger")}), "it SUCCEEDED"
        ),
        "accepted": Case(
            remediation(5, acceptFailure=True), "it FAILED, which `acceptFailure` accepts", behaviour="fail"
        ),
        "running": Case(remediation(6, wait=False), "it is RUNNING, and nobody waits for it", behaviour="never"),
        "pending": Case(remediation(7, wait=False), "it is PENDING, and nobody waits for it", behaviour="hold"),
        "adopted": Case(remediation(8, ifActive="ADOPT"), "somebody else started it, and it SUCCEEDED"),
        "found": Case(remediation(9), "it SUCCEEDED; the stack had lost it, and found it by its marker"),
        "failed": Case(
            remediation(10),
            f"it FAILED: `up` reports that again and starts nothing; {_NOT_KEPT}and reports it",
            "update",
            "create",
            behaviour="fail",
        ),
        "unfinished": Case(
            remediation(11, **_GIVES_UP),
            f"the wait was given up while it was RUNNING: `up` waits for the rest; {_NOT_KEPT}it and waits",
            "update",
            "create",
            behaviour="never",
        ),
        "approved": Case(review(proposals[12], 12, comment="PR 12"), "what was approved SUCCEEDED"),
        "rejected": Case(review(proposals[13], 13, decision="REJECT"), "it was rejected"),
        "gone": Case(review(proposals[14], 14), "there was nothing left to approve"),
        "approved-failed": Case(
            review(proposals[15], 15),
            f"what was approved FAILED: `up` reports that again; {_NOT_KEPT}the review and reports it",
            "update",
            "create",
            behaviour="fail",
        ),
        "withdrawn": Case(
            remediation(16, **_GIVES_UP),
            f"it was withdrawn before it began, so `up` starts another one; {_NOT_KEPT}why it was cancelled",
            "replace",
            "create",
            starts=1,
            behaviour="hold",
        ),
        "rack": Case(rolling(17, 18, maxConcurrent=2), "all of its remediations SUCCEEDED"),
        "halted": Case(rolling(19, 20, 21), "a component has nothing to update"),
    }


def children() -> dict[str, Case]:
    """The same for the children of the components."""
    done, nothing = "it SUCCEEDED", remediation(0)
    failed = f"it FAILED: `up` reports that again and starts nothing; {_NOT_KEPT}and reports it"
    return {
        "rack-cluster-1-node-17": Case(nothing, done),
        "rack-cluster-1-node-18": Case(nothing, done),
        "halted-cluster-1-node-19": Case(nothing, done),
        "halted-cluster-1-node-20": Case(nothing, failed, "update", "create"),
        "halted-cluster-1-node-21": Case(nothing, "the one before it FAILED: it waits for that", "create", "create"),
    }


def record(way: str) -> None:
    """Makes the stack of a way to write the program, and records it."""
    form, language = WAYS[way]
    recording = Recording(RECORDINGS / __version__ / way)
    with tempfile.TemporaryDirectory() as temporary, simulator(instances=INSTANCES, seed=1) as api:
        stack = Stack(Path(temporary) / "stack", form, api.address)
        program = cases(api)
        make(stack, language, api, program)
        exported = stack.exported()
        answers = sorted(api.remediations(), key=lambda one: (one["instance_id"], one["create_time"]))
        expected = {name: case.expected(form) for name, case in (program | children()).items()}
        recording.save(stack, *scrubbed(exported, answers), expected)


def make(stack: Stack, language: str, api: Simulator, program: dict[str, Case]) -> None:
    """Brings each remediation of the program to its end, by two updates."""
    for case in program.values():
        if "instanceId" in case.declared.inputs:
            api.behave(case.declared.inputs["instanceId"], outcome=case.behaviour)
    api.behave(NODE(16), outcome="hold", running=1e6)
    api.behave(NODE(20), outcome="fail")
    api.force(str(program["gone"].declared.inputs["remediationId"]), "AUTO_RESOLVED")
    api.create(NODE(8))
    declare(stack, language, **{name: case.declared for name, case in program.items()})
    stack.up("--continue-on-error")
    for node in (6, 11):
        (begun,) = [one for one in api.remediations() if one["instance_id"] == NODE(node)]
        if begun["state"] != "RUNNING":
            api.force(begun["id"], "RUNNING")
    stack.run("state", "delete", "--yes", stack.urn("found"), check=True)
    # Somebody else's begins before ours, which gives way, and ends.
    other = api.create(NODE(16))
    api.force(other["id"], "RUNNING")
    stack.up("--continue-on-error")
    api.force(other["id"], "SUCCEEDED")
    assert stack.refresh().code == 0


def scrubbed(exported: dict[str, Any], answers: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The stack and the API's answers without what is of this machine or of this moment."""
    exported["deployment"]["manifest"]["time"] = _written(NOON)
    resources = [
        {key: value for key, value in resource.items() if key not in OF_THE_MACHINE}
        for resource in exported["deployment"]["resources"]
    ]
    for resource in resources:
        if errors := resource.get("initErrors"):
            resource["initErrors"] = [_WAITED.sub("after 10m", error) for error in errors]
    for node in {answer["instance_id"] for answer in answers}:
        of_node = [answer for answer in answers if answer["instance_id"] == node]
        of_node += [resource for resource in resources if resource.get("inputs", {}).get("instanceId") == node]
        moments = sorted({moment for one in of_node for moment in _TIME.findall(json.dumps(one))}, key=_read)
        instead = {moment: _written(NOON + timedelta(minutes=place)) for place, moment in enumerate(moments)}
        for one in of_node:
            one |= json.loads(_TIME.sub(lambda found, instead=instead: instead[found[0]], json.dumps(one)))
    exported["deployment"]["resources"] = sorted(resources, key=_place)
    text = json.dumps(exported)
    numbers = itertools.count(1)
    for resource in exported["deployment"]["resources"]:
        if resource["type"].startswith("pulumi:providers:"):
            text = text.replace(resource["id"], f"00000000-0000-4000-8000-{next(numbers):012}")
    return json.loads(text), answers


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _place(resource: dict[str, Any]) -> tuple[int, str]:
    """The place of a resource among all: behind what it depends on."""
    kind, urn = resource["type"], resource["urn"]
    order = (kind == "pulumi:pulumi:Stack", kind.startswith("pulumi:providers:"), not resource["custom"], True)
    return order.index(True), urn


def main() -> int:
    """Records the stacks of this version. Returns 1 if they are recorded already."""
    if (RECORDINGS / __version__).exists():
        print(
            f"{__version__} is recorded already, and what a released version has left is never changed", file=sys.stderr
        )
        return 1
    for way in WAYS:
        record(way)
    return 0


if __name__ == "__main__":
    sys.exit(main())
