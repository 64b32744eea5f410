"""What a node's status says of its health. An unknown word says nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pulumi_resource_togetherai.api.models import Cluster, GpuWorkerNode
from pulumi_resource_togetherai.functions.health import (
    Health,
    health,
    in_phase_since,
    nearest_word,
    nodes_that_count,
)

EARLY, LATE = "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("Ready", Health.HEALTHY),
        ("Running", Health.HEALTHY),
        ("Pending", Health.STARTING),
        ("Scheduling", Health.STARTING),
        ("Booting", Health.STARTING),
        ("Bootstrapping", Health.STARTING),
        ("NotReady", Health.UNHEALTHY),
        ("Failed", Health.UNHEALTHY),
        ("Succeeded", Health.STOPPED),
        ("Paused", Health.STOPPED),
        ("Cordoning", Health.STOPPED),
        ("Cordoned", Health.STOPPED),
    ],
)
def test_each_known_word_says_how_a_node_is(status: str, said: Health):
    assert health(status) is said


@pytest.mark.parametrize("status", ["NotReady", "NOT_READY", "not ready", " not-ready ", "NODE_PHASE_NOT_READY"])
def test_the_spelling_of_a_word_does_not_matter(status: str):
    assert health(status) is Health.UNHEALTHY


@pytest.mark.parametrize("status", ["", " ", "Wedged", "NotReadyYet", "unhealthy?", "NODE_PHASE_", "Unready"])
def test_any_other_word_is_unknown(status: str):
    assert health(status) is Health.UNKNOWN


@pytest.mark.parametrize(("status", "word"), [("NotRedy", "NotReady"), ("NODE_PHASE_FAILD", "Failed"), ("xyz", "")])
def test_the_nearest_known_word_is_found(status: str, word: str):
    assert nearest_word(status) == word


def test_nodes_that_leave_or_have_left_do_not_count():
    nodes: list[dict[str, Any]] = [
        {"node_id": "here", "marked_for_deletion": False},
        {"node_id": "leaves", "marked_for_deletion": True},
        {"node_id": "left", "deleted_at": EARLY},
    ]
    cluster = Cluster.model_validate(
        {"cluster_id": "c1", "gpu_worker_nodes": nodes, "deleted_gpu_worker_nodes": [{"node_id": "gone"}]}
    )

    assert [node.node_id for node in nodes_that_count(cluster)] == ["here"]


@pytest.mark.parametrize(
    ("phases", "since"),
    [
        ([("NODE_PHASE_RUNNING", EARLY), ("NODE_PHASE_FAILED", LATE)], LATE),
        ([("NODE_PHASE_FAILED", LATE), ("NODE_PHASE_RUNNING", EARLY)], LATE),
        ([("NODE_PHASE_FAILED", EARLY), ("NODE_PHASE_RUNNING", LATE)], None),
        ([("NODE_PHASE_WEDGED", EARLY)], EARLY),
        ([("NODE_PHASE_FAILED", None)], None),
        ([], None),
    ],
    ids=["failed", "in any order", "works again", "an unknown phase", "no time", "no phase"],
)
def test_the_last_phase_says_since_when_a_node_does_not_work(phases: list[Any], since: str | None):
    transitions = [{"phase": phase, "transition_time": time} for phase, time in phases]
    node = GpuWorkerNode.model_validate({"status": "NotReady", "phase_transitions": transitions})

    assert in_phase_since(node) == (datetime.fromisoformat(since) if since else None)


def test_a_node_that_joined_and_failed_at_once_has_failed_since_then():
    at = "2026-11-23T02:00:00Z"
    both = [{"phase": f"NODE_PHASE_{phase}", "transition_time": at} for phase in ("RUNNING", "FAILED")]

    for order in (both, both[::-1]):
        node = GpuWorkerNode.model_validate({"instance_id": "i1", "status": "NotReady", "phase_transitions": order})
        assert in_phase_since(node) == datetime.fromisoformat(at)
