"""Random lives of a remediation: whatever users, the platform, the network and crashes do, it never runs twice by
accident, none is lost sight of, and what runs is what preview announced."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.clusters.precedence import Rules
from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from tests.model.world import NODE, Killed, World

NAME = "fix"
FAULTS = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "rate_limit", "seconds": 7},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503, "after": True},
    {"kind": "truncated"},
    {"kind": "malformed"},
    {"kind": "html"},
    {"kind": "latency", "seconds": 45, "after": True},
]
CHANGES = st.one_of(
    st.fixed_dictionaries({"triggers": st.sampled_from([None, {"run": "1"}, {"run": "2"}])}),
    st.fixed_dictionaries({"mode": st.sampled_from(["REBOOT_VM", "HOST_POWER_CYCLE"])}),
    st.fixed_dictionaries({"retryFailed": st.booleans()}),
    st.fixed_dictionaries({"wait": st.booleans()}),
    st.fixed_dictionaries({"ifActive": st.sampled_from(["FAIL", "ADOPT", "CREATE"])}),
    st.fixed_dictionaries({"deleteWhileRunning": st.sampled_from(["WAIT", "ABANDON", "FAIL"])}),
    st.fixed_dictionaries({"reason": st.sampled_from([None, "why", "why [pulumi training/prod 0123456789ab]"])}),
    st.fixed_dictionaries({"timeout": st.sampled_from(["30s", "5m"])}),
)
OUTCOMES = st.sampled_from(["succeed", "fail", "auto_resolve", "never", "hold"])


class Lifecycle(RuleBasedStateMachine):
    """One resource in one stack."""

    @initialize(
        reading=st.sampled_from(["id", "existing", "conflict", "ignore", "refuse"]),
        keeps=st.booleans(),
        seed=st.integers(0, 99),
        dialect=st.none() | st.integers(0, 999),
    )
    def begin(self, reading: str, keeps: bool, seed: int, dialect: int | None):
        self.world = World(reading=reading, keeps_unfinished=keeps, seed=seed, dialect=dialect)
        self.declared: dict[str, Any] = {
            "clusterId": "cluster-1",
            "instanceId": NODE,
            "mode": "REBOOT_VM",
            "timeout": "5m",
        }
        self.program = {NAME: self.declared}
        self.abandoned: set[str] = set()
        self.forgotten: set[str] = set()
        self.faulty = False
        self.half_replaced = False
        self.seen: set[str] = set()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.close()

    # --- the user ---

    @rule(change=CHANGES)
    def edit(self, change: dict[str, Any]):
        self.declared = {name: value for name, value in (self.declared | change).items() if value is not None}
        self.program = {NAME: self.declared}

    @rule()
    def remove(self):
        self.program = {}

    @rule()
    def up(self):
        self.run_up(replace=False)

    @rule()
    def up_again(self):
        """Twice in a row: the second one finds what the first one left."""
        self.run_up(replace=False)
        if not self.faulty:
            before = self.world.effective_posts()
            self.run_up(replace=False)
            if not self.declared.get("retryFailed"):
                assert self.world.effective_posts() == before

    @rule()
    def up_replacing(self):
        self.run_up(replace=True)

    @rule(request=st.integers(1, 6), takes_effect=st.booleans(), replace=st.booleans())
    def up_that_is_killed(self, request: int, takes_effect: bool, replace: bool):
        try:
            self.run_up(replace=replace, kill_at=(request, takes_effect))
        except Killed:
            # The engine warns of a create that it does not know the end of, and the stack still holds what was to be
            # replaced. A plain `up` looks no further; the same command again takes over what the first one started.
            self.half_replaced = self.half_replaced or (replace and bool(self.world.stack))
        finally:
            self.world.network.kill_at = None

    @rule()
    def refresh(self):
        self.catch_up()
        before = self.world.effective_posts()
        errors = self.world.refresh()
        assert self.world.effective_posts() == before
        if errors or self.faulty:
            return
        known = {record.id: record for record in self.world.records()}
        for held in self.world.stack.values():
            if not held.deleted and held.remediation in known:
                assert held.resource.outputs["state"] == known[held.remediation].state

    @rule()
    def destroy(self):
        self.catch_up()
        cancellable = self.cancellable_in_the_stack()
        before = self.world.effective_posts()
        errors = self.world.up({})
        assert self.world.effective_posts() == before
        self.note_abandoned()
        if not errors:
            assert self.world.stack == {}
            now = {record.id: record for record in self.world.records()}
            assert not [one for one in cancellable if one in now and now[one].cancellable]

    # --- the world ---

    @rule(outcome=OUTCOMES)
    def the_platform_changes_its_ways(self, outcome: str):
        self.world.control("PUT", f"/instances/cluster-1/{NODE}/behaviour", {"outcome": outcome})

    @rule(seconds=st.sampled_from([1, 20, 300, 4000]))
    def time_passes(self, seconds: int):
        self.world.wait(seconds)

    @rule(state=st.sampled_from(["CANCELLED", "SUCCEEDED", "FAILED", "AUTO_RESOLVED", "RUNNING"]))
    def somebody_interferes(self, state: str):
        active = [record for record in self.world.records() if not record.terminal]
        if active:
            self.world.control("POST", f"/remediations/{active[0].id}/state", {"state": state})

    @rule()
    def somebody_starts_one_too(self):
        if not [record for record in self.world.records() if not record.terminal]:
            self.world.somebody_else_starts_one()

    @rule()
    def the_platform_proposes_one(self):
        self.world.control("POST", f"/instances/cluster-1/{NODE}/propose", {"fault": "xid", "force": True})

    @rule(approve=st.booleans())
    def somebody_decides_about_a_proposal(self, approve: bool):
        for record in self.world.records():
            if record.state == RemediationState.PENDING_APPROVAL:
                self.world.somebody_decides(record, approve=approve)

    @precondition(lambda self: self.world.keeps_unfinished)
    @rule()
    def history_expires(self):
        """Of what the stack holds: what nobody remembers, nobody can recognise."""
        for held in self.world.stack.values():
            remediation = held.remediation
            if held.resource.outputs["state"] in ("SUCCEEDED", "AUTO_RESOLVED", "FAILED", "CANCELLED"):
                known = {record.id: record for record in self.world.records()}
                if remediation in known and known[remediation].terminal:
                    self.world.control("POST", f"/remediations/{remediation}/expire")
                    self.forgotten.add(remediation)

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def the_network_gets_bad(self, faults: list[dict[str, Any]]):
        for fault in faults:
            self.world.control("POST", "/faults", fault | {"probability": 0.3})
        self.faulty = True

    @rule()
    def the_network_gets_well(self):
        self.world.control("DELETE", "/faults")
        self.faulty = False

    # --- what must hold ---

    @invariant()
    def no_attempt_ran_twice(self):
        if not hasattr(self, "world") or self.forgotten:
            return
        assert not [key for key, count in self.world.effective_posts().items() if count > 1]

    def run_up(self, *, replace: bool, kill_at: tuple[int, bool] | None = None):
        self.catch_up()
        announced = self.announced(replace=replace)
        before = self.world.effective_posts()
        settled = self.settled()
        stack = {held.remediation for held in self.world.stack.values()}
        self.world.network.kill_at = kill_at
        try:
            errors = self.world.up(self.program, replace=replace)
        finally:
            self.note_abandoned()
            started = (self.world.effective_posts() - before).total()
            if settled and not replace:
                assert not started, "it ran again behind the user's back"
            if not self.faulty:
                assert started <= announced, "preview did not announce it"
        if errors or self.faulty:
            return
        assert started == announced
        if replace:
            self.half_replaced = False
        if self.half_replaced:
            return
        held = {held.remediation for held in self.world.stack.values()}
        # What a killed run started before the stack was saved is found again by its declaration, as long as the
        # program has that; what the stack once held must never get lost.
        self.seen |= held
        for record in self.ours():
            if record.id not in self.seen and not (self.program and self.identity().own(record)):
                continue
            known = record.terminal or record.id in held or record.id in self.abandoned
            assert known, f"{record.id} is {record.state}, and the stack does not know it (it held {stack})"

    def catch_up(self):
        """A new process cannot know what the API does not show yet."""
        self.world.wait(self.world.lag)

    def announced(self, *, replace: bool) -> int:
        """How many remediations preview says that an `up` will start, where the network lets it look."""
        if not self.program:
            return 0
        said, failing = self.world.preview(NAME, self.declared, replace=replace)
        return 0 if failing else sum("`pulumi up` will start a " in line for line in said)

    def settled(self) -> bool:
        """Whether the last attempt is of what the program declares, so that a plain `up` must start nothing: also where
        a killed run has deleted what the stack held, and started that attempt in its place."""
        if not self.program or self.declared.get("retryFailed") or self.forgotten:
            return False
        identity, held = self.identity(), self.world.stack.get(NAME)
        records = self.world.records()
        ours = [own for one in records if (own := identity.own(one))]
        last = max(ours, key=lambda own: own.attempt, default=None)
        gives_way = Rules(one_per_node=self.declared.get("ifActive") != "CREATE", limit=None)
        if last is None or not last.declared or gives_way.was_withdrawn(last.record, records):
            return False
        if held is None:
            return True
        of_this = held.remediation == last.record.id
        later = last.attempt > (held.resource.outputs.get("attempt") or last.attempt)
        return not held.resource.outputs.get("withdrawn") and (of_this or later)

    def identity(self) -> Identity:
        return Identity(self.world.urn(NAME), RemediationInputs.model_validate(self.declared))

    def ours(self) -> list[Remediation]:
        return [record for record in self.world.records() if "[pulumi training/prod " in (record.reason or "")]

    def cancellable_in_the_stack(self) -> list[str]:
        held = [(one, one.resource.outputs) for one in self.world.stack.values() if not one.deleted]
        return [one.remediation for one, outputs in held if not (outputs.get("adopted") or outputs.get("resumed"))]

    def note_abandoned(self):
        """What delete leaves running on the program's word is known to the user."""
        told = [line for line in self.world.told.lines if "the stack no longer tracks it" in line]
        self.abandoned |= {record.id for record in self.ours() if any(record.id in line.lower() for line in told)}


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=250,
    phases=[Phase.generate],
    derandomize=True,  # the same lives every time; `--hypothesis-seed` has no say then, more examples have
    stateful_step_count=25,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed")]
