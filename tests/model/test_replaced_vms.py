"""Random programs of two stacks that name one node either way, on a platform that replaces its VM: whoever asks by
whichever name, the node is never repaired by two at once, and what is repeated repairs nothing again."""

from __future__ import annotations

import asyncio
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pulumi_resource_togetherai.api.models import Remediation
from tests.model.world import NODE, Killed, World

NAMES = ["cluster-1-worker-1", "CLUSTER-1-HOST-1", "cluster-1-slurm-1", "the name of the VM", "its id"]
WHO = st.sampled_from([0, 1])
CHANGES = st.one_of(
    st.fixed_dictionaries({"node": st.sampled_from(NAMES)}),
    st.just({"instanceId": "the present one"}),
    st.fixed_dictionaries({"mode": st.sampled_from(["REBOOT_VM", "VM_ONLY", "HOST_AWARE"])}),
    st.fixed_dictionaries({"triggers": st.sampled_from([{"run": "1"}, {"run": "2"}])}),
    st.fixed_dictionaries({"ifActive": st.sampled_from(["FAIL", "ADOPT"])}),
    st.fixed_dictionaries({"wait": st.booleans()}),
)


class TwoStacks(RuleBasedStateMachine):
    """Each has one resource, of the same node."""

    @initialize(
        keeps=st.booleans(),
        at_once=st.sampled_from([True, True, False]),
        replaced=st.sampled_from(["served", "list_404", "all_404"]),
        ways=st.sampled_from(["honoured", "ignored", "refused"]),
    )
    def begin(self, keeps: bool, at_once: bool, replaced: str, ways: str):
        chosen: dict[str, Any] = {
            "pending": 60,
            "running": 600,
            "replaces_at_once": at_once,
            "dialect": {"replaced": replaced, "filters": ways},
        }
        first = World(keeps_unfinished=keeps, settings=chosen, stack="one")
        self.stacks = [first, World(keeps_unfinished=keeps, stack="two", beside=first)]
        self.programs: list[dict[str, Any]] = [
            {"clusterId": "cluster-1", "node": NAMES[0], "mode": "VM_ONLY", "timeout": "20m", "wait": False},
            {"clusterId": "cluster-1", "instanceId": NODE, "mode": "VM_ONLY", "timeout": "20m"},
        ]

    def teardown(self):
        for world in reversed(getattr(self, "stacks", [])):
            world.close()

    # --- the users ---

    @rule(who=WHO, change=CHANGES)
    def edit(self, who: int, change: dict[str, Any]):
        declared = self.programs[who]
        if "node" in change:
            declared = {name: value for name, value in declared.items() if name != "instanceId"}
            change = {"node": {NAMES[3]: "node-1", NAMES[4]: self.present()}.get(change["node"], change["node"])}
        elif "instanceId" in change:
            declared = {name: value for name, value in declared.items() if name != "node"}
            change = {"instanceId": self.present()}
        self.programs[who] = declared | change

    @rule(who=WHO)
    def up(self, who: int):
        self.stacks[who].up({"fix": self.programs[who]})

    @rule(who=WHO, run=st.sampled_from(["1", "2", "3"]))
    def up_and_leave(self, who: int, run: str):
        """The repair has begun, and nobody waits for it."""
        self.edit(who, {"triggers": {"run": run}, "wait": False})
        self.up(who)
        self.time_passes(100)

    @rule(who=WHO, wait=st.booleans())
    def up_for_the_present_vm(self, who: int, wait: bool):
        self.edit(who, {"instanceId": "the present one"})
        self.programs[who]["wait"] = wait
        self.up(who)

    @rule(who=WHO)
    def up_twice(self, who: int):
        if not self.stacks[who].up({"fix": self.programs[who]}):
            before = len(self.records())
            assert self.stacks[who].up({"fix": self.programs[who]}) == []
            assert len(self.records()) == before, "what is repeated runs again"

    @rule(who=WHO, request=st.integers(1, 7), takes_effect=st.booleans())
    def up_that_is_killed(self, who: int, request: int, takes_effect: bool):
        self.stacks[who].network.kill_at = request, takes_effect
        try:
            self.up(who)
        except Killed:
            pass
        finally:
            self.stacks[who].network.kill_at = None

    @rule()
    def both_at_once(self):
        async def both() -> None:
            await asyncio.gather(
                *(world.up_meanwhile({"fix": self.programs[who]}) for who, world in enumerate(self.stacks))
            )

        self.stacks[0].run(both())

    @rule(who=WHO)
    def refresh(self, who: int):
        self.stacks[who].refresh()

    @rule(who=WHO)
    def destroy(self, who: int):
        self.stacks[who].up({})

    # --- the world ---

    @rule(seconds=st.sampled_from([1, 100, 100, 3000]))
    def time_passes(self, seconds: int):
        self.stacks[0].wait(seconds)

    @rule(outcome=st.sampled_from(["succeed", "fail"]))
    def the_platform_changes_its_ways(self, outcome: str):
        self.stacks[0].control("PUT", f"/instances/cluster-1/{self.present()}/behaviour", {"outcome": outcome})

    # --- what must hold ---

    @invariant()
    def no_two_are_under_way_at_once(self):
        begun = [record for record in self.records() if record.start_time]
        for one, other in combinations(begun, 2):
            first, second = sorted((one, other), key=lambda record: str(record.start_time))
            apart = first.end_time is not None and second.start_time is not None and first.end_time <= second.start_time
            assert apart, f"{first.id} of {first.instance_id} and {second.id} of {second.instance_id} at once"

    def records(self) -> list[Remediation]:
        return self.stacks[0].records() if hasattr(self, "stacks") else []

    def present(self) -> str:
        self.records()  # what is due has happened
        present = self.stacks[0].app.platform.clusters["cluster-1"].nodes[0].instance_id
        assert present is not None
        return present


TestTwoStacks = TwoStacks.TestCase
TestTwoStacks.settings = settings(
    max_examples=100,
    phases=[Phase.generate],
    derandomize=True,
    stateful_step_count=15,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed")]
