"""A review is made once, whatever becomes of its answer; and never as something else than was reviewed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode, RemediationState
from pulumi_resource_togetherai.api.listed import Listed
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.results import Recorded
from pulumi_resource_togetherai.operation.run import OperationError
from pulumi_resource_togetherai.operation.session import Session
from pulumi_resource_togetherai.review.resource import ReviewResource
from tests.model.world import NODE, NOON, Telling
from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, in_process, simulate

ANOTHER = NODE.replace("node-1", "node-2")
"""Another node of the same cluster."""

pytestmark = pytest.mark.looptime(resolution=1e-9)  # waiting takes no time: the loop's clock jumps

URN = "urn:pulumi:prod::training::togetherai:index:RemediationReview::review"


class Platform:
    """A simulated platform and a provider that talks to it."""

    def __init__(self, **settings: Any) -> None:
        loop = asyncio.get_running_loop()
        self.app = app = simulate(clock=Clock(lambda: NOON + loop.time()))
        self.simulator = in_process(app)
        config = ProviderConfig.model_validate({"pollInterval": "20s", "maxRetries": 3} | settings)
        credential = Credential(SecretStr(DEFAULT_API_KEY), "the test")
        client = Client("http://simulator/v1", credential, max_retries=3, transport=InProcessTransport(app))
        self.client = client
        self.session = Session(config, client)
        self.reviews = ReviewResource(self.session, keeps_unfinished=True)
        self.told = Telling()

    async def tell(self, path: str, body: dict[str, Any]) -> Any:
        """Tells the simulator something."""
        return self.simulator.control("POST", path, body)

    async def propose(self, fault: str = "xid") -> dict[str, Any]:
        """Has the platform propose a remediation, and returns what a program declares to approve it."""
        proposal = await self.tell(f"/instances/cluster-1/{NODE}/propose", {"fault": fault})
        where = {"clusterId": "cluster-1", "instanceId": NODE, "remediationId": proposal["id"]}
        return where | {"decision": "APPROVE"}

    async def repair(self, instance: str = NODE, state: str = "RUNNING") -> str:
        """Has somebody else repair a node. Returns the remediation's id."""
        other = f"other-{instance}"
        await self.client.create_remediation(
            "cluster-1", instance, mode=RemediationMode.REBOOT_VM, reason="by hand", remediation_id=other
        )
        await self.tell(f"/remediations/{other}/state", {"state": state})
        return other

    def raise_while_approving(self, *, begins: bool = False) -> None:
        """Has the platform raise the mode just before it hears of an approval, and perhaps begin what is approved."""
        client: Any = self.client
        approve = client.approve_remediation

        async def approve_too_late(*where: str, **more: Any) -> Any:
            await self.tell(f"/instances/cluster-1/{NODE}/propose", {"fault": "gpu_lost"})
            answer = await approve(*where, **more)
            if begins:
                await self.tell(f"/remediations/{answer.id}/state", {"state": "RUNNING"})
            return answer

        client.approve_remediation = approve_too_late

    async def effects(self) -> list[str]:
        """What the requests so far changed."""
        journal = self.simulator.requests()
        return [entry["effect"] for entry in journal if entry["effect"]]


@pytest.fixture
async def platform(request: pytest.FixtureRequest) -> AsyncGenerator[Platform]:
    """A platform whose clock jumps; the provider's settings may be a parameter."""
    made = Platform(**getattr(request, "param", {}))
    yield made
    await made.session.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "error"},
        {"kind": "error", "after": True},
        {"kind": "rate_limit"},
        {"kind": "truncated"},
        {"kind": "html"},
    ],
    ids=str,
)
@pytest.mark.parametrize("decision", ["APPROVE", "REJECT"])
async def test_a_lost_answer_changes_nothing(platform: Platform, fault: dict[str, Any], decision: str):
    declared = await platform.propose() | {"decision": decision}
    operation = "approve" if decision == "APPROVE" else "reject"
    await platform.tell("/faults", fault | {"operation": operation, "count": 1})
    made = await platform.reviews.create(URN, declared, platform.told)
    assert made.problem is None
    assert made.outputs["state"] == ("SUCCEEDED" if decision == "APPROVE" else "CANCELLED")
    assert made.outputs["adopted"] is False
    assert len(await platform.effects()) == 1


async def test_a_service_that_never_answers_is_one_clear_line(platform: Platform):
    declared = await platform.propose()
    await platform.tell("/faults", {"kind": "error", "operation": "approve"})
    with pytest.raises(OperationError, match=r"is not known to be approved: .*503.*finds out"):
        await platform.reviews.create(URN, declared, platform.told)
    assert await platform.effects() == []
    journal = platform.simulator.requests()
    assert sum(entry["path"].endswith("approve") for entry in journal) == 4  # `maxRetries` is 3


async def test_a_mode_that_was_raised_at_the_last_moment_is_taken_back(platform: Platform):
    declared = await platform.propose() | {"expectedMode": "REBOOT_VM"}
    platform.raise_while_approving()
    words = (
        r"became a HOST_AWARE while it was being approved as REBOOT_VM\. The approval was withdrawn: .* is cancelled"
    )
    with pytest.raises(OperationError, match=words):
        await platform.reviews.create(URN, declared, platform.told)
    assert (await platform.effects())[-2:] == ["approved", "cancelled"]


async def test_a_mode_that_was_raised_and_has_begun_is_said_to_continue(platform: Platform):
    declared = await platform.propose() | {"expectedMode": "REBOOT_VM"}
    platform.raise_while_approving(begins=True)
    with pytest.raises(OperationError, match=r"became a HOST_AWARE .* It had begun before .*, and continues"):
        await platform.reviews.create(URN, declared, platform.told)
    assert "cancelled" not in await platform.effects()


async def test_nothing_is_approved_while_the_node_is_being_repaired_but_it_may_be_rejected(platform: Platform):
    declared = await platform.propose()
    await platform.repair()
    with pytest.raises(OperationError, match=r"cannot be approved while its node is being repaired: .*other-"):
        await platform.reviews.create(URN, declared, platform.told)
    assert "approved" not in await platform.effects()
    made = await platform.reviews.create(URN, declared | {"decision": "REJECT"}, platform.told)
    assert made.outputs["state"] == "CANCELLED"


@pytest.mark.parametrize("platform", [{"maxConcurrentPerCluster": 1}], indirect=True, ids=["limit-1"])
async def test_an_approval_waits_for_its_turn(platform: Platform):
    declared = await platform.propose()
    other = await platform.repair(ANOTHER)
    waiting = asyncio.create_task(platform.reviews.create(URN, declared, platform.told))
    await asyncio.sleep(5)
    assert "approved" not in await platform.effects()
    await platform.tell(f"/remediations/{other}/state", {"state": "SUCCEEDED"})
    assert (await waiting).outputs["state"] == "SUCCEEDED"


@pytest.mark.parametrize("platform", [{"maxConcurrentPerCluster": 1}], indirect=True, ids=["limit-1"])
async def test_a_rejection_does_not_wait_for_a_turn(platform: Platform):
    declared = await platform.propose() | {"decision": "REJECT"}
    await platform.repair(ANOTHER)
    rejected = await asyncio.wait_for(platform.reviews.create(URN, declared, platform.told), timeout=1)
    assert rejected.outputs["state"] == "CANCELLED"


async def test_an_interrupted_wait_is_resumed_and_nothing_is_approved_twice(platform: Platform):
    declared = await platform.propose() | {"timeout": "5s"}
    made = await platform.reviews.create(URN, declared, platform.told)
    assert made.problem is not None
    assert "timed out waiting for the approved REBOOT_VM of" in made.problem
    recorded = Recorded(made.inputs, made.outputs)
    updated = await platform.reviews.update(URN, recorded, declared | {"timeout": "1h"}, platform.told)
    assert (updated.problem, updated.outputs["state"]) == (None, "SUCCEEDED")
    assert await platform.effects() == ["approved"]


async def test_preview_of_the_other_decision_says_that_the_approval_is_cancelled_first(platform: Platform):
    declared = await platform.propose() | {"wait": False}
    made = await platform.reviews.create(URN, declared, platform.told)
    rejecting = declared | {"decision": "REJECT"}
    diff = platform.reviews.diff(URN, Recorded(made.inputs, made.outputs), rejecting)
    assert diff.replaces == ["decision"]
    await platform.reviews.preview_create(URN, rejecting, platform.told)
    assert "will first cancel remediation" in platform.told.lines[-2]
    assert "will review nothing and record" in platform.told.lines[-1]


async def test_an_approval_that_came_second_is_taken_back(platform: Platform):
    declared = await platform.propose()
    client: Any = platform.client
    approve = client.approve_remediation

    async def approve_too_late(*where: str, **more: Any) -> Any:
        await platform.repair()
        return await approve(*where, **more)

    client.approve_remediation = approve_too_late
    made = await platform.reviews.create(URN, declared, platform.told)
    assert made.outputs["state"] == "CANCELLED"
    assert made.problem is not None
    assert (
        "was withdrawn before it began, and it is cancelled, because another remediation came first: remediation other"
        in made.problem
    )
    assert await platform.effects() == ["created", "approved", "cancelled"]


async def test_an_answer_that_contradicts_the_rejection_is_not_believed(platform: Platform):
    declared = await platform.propose() | {"decision": "REJECT"}
    client: Any = platform.client

    async def reject_what_was_approved(*where: str, comment: str | None = None) -> Any:
        return await client.approve_remediation(*where, comment="somebody else")

    client.reject_remediation = reject_what_was_approved
    with pytest.raises(OperationError, match=r"was approved already .*somebody else.* It cannot be rejected any more"):
        await platform.reviews.create(URN, declared, platform.told)


def lagging(platform: Platform, looks: int, approvals: list[str]) -> None:
    """Makes the record of an approval lag: the answer to it, and that many looks after it, still show a proposal."""
    client: Any = platform.client
    approve, get, left = client.approve_remediation, client.get_remediation, looks

    def stale(record: Remediation) -> Remediation:
        proposed = {"state": RemediationState.PENDING_APPROVAL, "start_time": None, "end_time": None}
        unreviewed = {"reviewed_by": None, "review_time": None, "review_comment": None, "update_time": None}
        return record.model_copy(update=proposed | unreviewed)

    async def approve_slowly(*where: str, **more: Any) -> Remediation:
        approvals.append(where[-1])
        return stale(await approve(*where, **more))

    async def get_slowly(*where: str, **more: Any) -> Remediation:
        nonlocal left
        record = await get(*where, **more)
        if approvals and left > 0:
            left -= 1
            return stale(record)
        return record

    client.approve_remediation, client.get_remediation = approve_slowly, get_slowly


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("looks", [0, 1, 5])
async def test_an_approval_whose_record_lags_is_made_once_and_recorded_as_made(
    platform: Platform, looks: int, wait: bool
):
    declared, approvals = await platform.propose() | {"wait": wait}, list[str]()
    lagging(platform, looks, approvals)
    made = await platform.reviews.create(URN, declared, platform.told)
    assert made.problem is None
    assert made.outputs["state"] != "PENDING_APPROVAL"
    assert made.outputs["adopted"] is False
    assert len(approvals) == 1


async def test_an_update_approves_again_what_the_api_has_lost(platform: Platform):
    declared = await platform.propose()
    made = await platform.reviews.create(URN, declared | {"wait": False}, platform.told)
    job = platform.app.platform.registry.by_id[str(made.outputs["remediationId"])]
    platform.app.platform.force(job, RemediationState.PENDING_APPROVAL)
    job.remediation.reviewed_by = job.remediation.review_time = None
    recorded = Recorded(made.inputs, made.outputs | {"state": "PENDING_APPROVAL"})
    updated = await platform.reviews.update(URN, recorded, declared, platform.told)
    assert (updated.problem, updated.outputs["state"]) == (None, "SUCCEEDED")
    assert await platform.effects() == ["approved", "approved"]


@pytest.mark.parametrize(
    ("pause", "begun", "decision"),
    [(0, False, "REJECT"), (1, False, "REJECT"), (5, False, "APPROVE"), (1, True, "APPROVE")],
)
async def test_an_import_tells_a_rejection_from_an_approval_that_was_cancelled_later(
    platform: Platform, pause: float, begun: bool, decision: str
):
    declared = await platform.propose() | {"wait": False}
    made = await platform.reviews.create(URN, declared, platform.told)
    remediation = str(made.outputs["remediationId"])
    await asyncio.sleep(pause)
    if begun:
        await platform.tell(f"/remediations/{remediation}/state", {"state": "RUNNING"})
    await platform.tell(f"/remediations/{remediation}/state", {"state": "CANCELLED"})
    found = await platform.reviews.read(URN, f"cluster-1/{NODE}/{remediation}", None, platform.told)
    assert found is not None
    assert found.inputs["decision"] == decision


async def test_a_change_of_settings_withdraws_no_approval(platform: Platform):
    declared = await platform.propose() | {"wait": False}
    made = await platform.reviews.create(URN, declared, platform.told)
    other = await platform.client.create_remediation(
        "cluster-1", NODE, mode=RemediationMode.REBOOT_VM, reason="by hand", remediation_id="other"
    )
    await platform.tell(f"/remediations/{other.remediation_id}/state", {"state": "RUNNING"})
    recorded = Recorded(made.inputs, made.outputs)
    updated = await platform.reviews.update(URN, recorded, declared | {"timeout": "2h"}, platform.told)
    assert (updated.problem, updated.outputs["state"]) == (None, "PENDING")
    assert await platform.effects() == ["approved", "created"]


async def test_an_import_of_a_review_that_no_program_can_declare_is_one_clear_line(platform: Platform):
    declared = await platform.propose() | {"wait": False}
    await platform.reviews.create(URN, declared, platform.told)
    registry = platform.app.platform.registry
    (job,) = registry.by_id.values()
    job.remediation.id = "odd;id"
    registry.by_id["odd;id"] = job
    job.changed(platform.app.platform.now)
    with pytest.raises(OperationError, match=r"^cannot import the review of remediation odd;id .*no program can"):
        await platform.reviews.read(URN, f"cluster-1/{NODE}/odd;id", None, platform.told)


BY_NODE = {"clusterId": "cluster-1", "node": "cluster-1-host-1", "decision": "APPROVE"}


async def test_what_a_killed_run_approved_is_found_by_the_node_and_waited_for():
    platform = Platform()
    proposal = await platform.propose()
    await platform.client.approve_remediation("cluster-1", NODE, proposal["remediationId"])
    found = await platform.reviews.create(URN, BY_NODE, platform.told)
    assert (found.outputs["remediationId"], found.outputs["state"]) == (proposal["remediationId"], "SUCCEEDED")
    assert found.inputs == BY_NODE
    with pytest.raises(
        OperationError, match=r"has no proposal to review: its last remediation is .* SUCCEEDED, started"
    ):
        await platform.reviews.create(URN, BY_NODE, platform.told)


async def test_of_two_proposals_of_a_node_neither_is_approved_and_both_are_named():
    platform = Platform()
    first = await platform.propose()
    listed = await platform.client.list_remediations("cluster-1", NODE)
    client: Any = platform.client
    twin = listed[0].model_copy(update={"id": "twin"})

    async def both(*_where: Any, **_filters: Any) -> Listed:
        return Listed([twin, *listed])

    client.list_remediations = both
    with pytest.raises(OperationError) as error:
        await platform.reviews.create(URN, BY_NODE, platform.told)
    assert "node cluster-1-host-1 of cluster cluster-1 has 2 proposals: remediation twin" in str(error.value)
    assert first["remediationId"] in str(error.value)
    assert "approved" not in await platform.effects()


async def test_no_proposal_is_approved_where_the_list_may_lack_another():
    platform = Platform()
    await platform.propose()
    listed = await platform.client.list_remediations("cluster-1", NODE)
    client: Any = platform.client

    async def cut_off(*_where: Any, **_filters: Any) -> Listed:
        return Listed(listed, cut_off="its second page is missing")

    client.list_remediations = cut_off
    with pytest.raises(OperationError, match="the list may lack a proposal: its second page is missing"):
        await platform.reviews.create(URN, BY_NODE, platform.told)
    assert "approved" not in await platform.effects()
