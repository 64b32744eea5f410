"""A node is found by any name that the API knows for it, and with it the instances that it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_resource_togetherai.api.asked import folded, same_id
from pulumi_resource_togetherai.api.models import Cluster
from pulumi_resource_togetherai.clusters.nodes import Ambiguous, Field, Found, Unknown, find, instances_of, problem
from tests.unit.examples import record

OLD, NEW, OTHER = (f"6f1c2a9e-0000-4000-8000-00000000000{digit}" for digit in "abc")


def repaired(instance_id: str, instance_name: str | None) -> dict[str, Any]:
    return record("SUCCEEDED", instance_id=instance_id, instance_name=instance_name).model_dump(mode="json")


def cluster(*live: dict[str, Any] | None, deleted: Any = ()) -> Cluster:
    return Cluster.model_validate(
        {"cluster_id": "c1", "gpu_worker_nodes": list(live), "deleted_gpu_worker_nodes": list(deleted)}
    )


TWELVE: dict[str, Any] = {
    "node_id": "worker-12",
    "host_name": "GPU-Worker-12.example",
    "slurm_worker_hostname": "slurm-12",
    "instance_id": NEW,
    "latest_remediation": repaired(OLD, "vm-Twelve"),
}
THIRTEEN: dict[str, Any] = {
    "node_id": "worker-13",
    "host_name": "gpu-worker-13.example",
    "slurm_worker_hostname": "slurm-13",
    "instance_id": OTHER,
}
LEFT: dict[str, Any] = {"node_id": "worker-12", "instance_id": OLD, "deleted_at": "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("worker-12", Field.NODE_ID),
        ("gpu-worker-12.EXAMPLE", Field.HOST_NAME),
        ("SLURM-12", Field.SLURM_WORKER_HOSTNAME),
        ("vm-Twelve", Field.INSTANCE_NAME),
        (NEW.upper(), Field.INSTANCE_ID),
        (" worker-12 ", Field.NODE_ID),
    ],
)
def test_each_name_of_a_node_finds_it(name: str, by: Field):
    found = find(cluster(THIRTEEN, TWELVE), name)

    assert isinstance(found, Found)
    assert (found.node.node_id, found.by, found.live) == ("worker-12", by, True)


@pytest.mark.parametrize("name", ["WORKER-12", "vm-twelve", "", " ", "worker-1", "null", "None"])
def test_what_is_no_name_of_a_node_finds_none(name: str):
    nameless = {"node_id": None, "host_name": "", "slurm_worker_hostname": " ", "instance_id": "null"}

    assert isinstance(find(cluster(nameless, TWELVE, THIRTEEN), name), Unknown)


@pytest.mark.parametrize(
    ("live", "name", "by"),
    [
        (
            [TWELVE, THIRTEEN | {"host_name": "worker-12"}],
            "worker-12",
            [("worker-12", Field.NODE_ID), ("worker-13", Field.HOST_NAME)],
        ),
        (
            [TWELVE | {"marked_for_deletion": True}, THIRTEEN | {"slurm_worker_hostname": "Slurm-12"}],
            "slurm-12",
            [("worker-12", Field.SLURM_WORKER_HOSTNAME), ("worker-13", Field.SLURM_WORKER_HOSTNAME)],
        ),
        (
            [TWELVE, TWELVE | {"instance_id": OTHER, "marked_for_deletion": True}],
            "worker-12",
            [("worker-12", Field.NODE_ID), ("worker-12", Field.NODE_ID)],
        ),
    ],
)
def test_a_name_of_two_nodes_names_both(live: list[dict[str, Any]], name: str, by: list[tuple[str, Field]]):
    found = find(cluster(*live), name)

    assert isinstance(found, Ambiguous)
    assert [(each.node.node_id, each.by) for each in found.nodes] == by
    text = problem("c1", name, found)
    assert all(str(live[index]["instance_id"]) in text and f"its {by[index][1]}" in text for index in (0, 1))


def test_a_node_that_is_listed_twice_is_one():
    assert isinstance(find(cluster(TWELVE, TWELVE), "worker-12"), Found)


def test_a_live_node_goes_before_one_that_left():
    found = find(cluster(TWELVE, deleted=[LEFT]), "worker-12")

    assert isinstance(found, Found)
    assert found.live
    assert found.node.instance_id == NEW


def test_of_nodes_that_left_the_last_one_counts():
    later = LEFT | {"instance_id": NEW, "deleted_at": "2026-11-02T00:00:00Z"}
    found = find(cluster(deleted=[LEFT, later, LEFT | {"deleted_at": None}]), "worker-12")

    assert isinstance(found, Found)
    assert not found.live
    assert found.node.instance_id == NEW


@pytest.mark.parametrize(
    ("name", "live", "left", "by"),
    [
        ("vm-Old", TWELVE, {"latest_remediation": repaired(OLD, "vm-Old")}, Field.INSTANCE_NAME),
        ("Rack-7", TWELVE, {"host_name": "rack-7"}, Field.HOST_NAME),
        (OLD.upper(), TWELVE, {}, Field.INSTANCE_ID),
        (
            "gpu-worker-12.example",
            TWELVE | {"host_name": "rack-8"},
            {"host_name": TWELVE["host_name"]},
            Field.HOST_NAME,
        ),
    ],
)
def test_a_name_that_a_repair_has_taken_from_a_node_leads_to_the_node_that_is_there(
    name: str, live: dict[str, Any], left: dict[str, Any], by: Field
):
    found = find(cluster(THIRTEEN, live, deleted=[LEFT | left]), name)

    assert isinstance(found, Found)
    assert (found.node.instance_id, found.by, found.live, found.former) == (NEW, by, True, True)


def test_a_name_that_two_nodes_had_before_names_both():
    left = [LEFT | {"host_name": "rack-7"}, {"node_id": "worker-13", "host_name": "rack-7"}]
    found = find(cluster(TWELVE, THIRTEEN, deleted=left), "rack-7")

    assert isinstance(found, Ambiguous)
    assert "worker-13" in (text := problem("c1", "rack-7", found))
    assert "by its former host_name" in text


def test_what_to_write_in_place_of_a_name_of_two_nodes_is_a_name_that_only_one_of_them_has():
    for name, other in ((NEW, {"node_id": NEW}), ("worker-12", {"host_name": "worker-12"})):
        found = find(cluster(TWELVE, THIRTEEN | other), name)

        assert isinstance(found, Ambiguous)
        _, _, instead = problem("c1", name, found).partition("write a name that only one of them has: ")
        assert name not in instead.split(" (")[0]
        assert " or " in instead
    twins = cluster({"node_id": "a", "host_name": "b"}, {"node_id": "b", "host_name": "a"})
    found = find(twins, "a")
    assert isinstance(found, Ambiguous)
    assert problem("c1", "a", found).endswith("write a name that only one of them has")


def test_a_misspelt_name_is_answered_with_the_three_closest():
    found = find(cluster(TWELVE, THIRTEEN), "gpu-wroker-12.example")

    assert isinstance(found, Unknown)
    assert len(found.closest) == 3
    assert found.closest[0].field == Field.HOST_NAME
    assert found.closest[0].text == "GPU-Worker-12.example"
    assert "GPU-Worker-12.example (host_name)" in problem("c1", "gpu-wroker-12.example", found)


def test_a_cluster_without_nodes_is_said_to_have_none():
    found = find(cluster(), "gpu-1")

    assert isinstance(found, Unknown)
    assert "no GPU worker nodes" in problem("c1", "gpu-1", found)


@pytest.mark.parametrize(
    "left",
    [
        {"node_id": "worker-12"},
        {"node_id": "x", "host_name": "gpu-worker-12.example"},
        {"node_id": "x", "slurm_worker_hostname": "SLURM-12"},
        {"node_id": "x", "latest_remediation": repaired("elsewhen", "vm-Twelve")},
    ],
)
def test_a_node_that_left_under_one_of_its_names_was_this_node(left: dict[str, Any]):
    answer = cluster(TWELVE | {"latest_remediation": repaired(NEW, "vm-Twelve")}, deleted=[left | {"instance_id": OLD}])

    assert OLD in instances_of(answer, answer.gpu_worker_nodes[0])


def test_the_present_instance_comes_first():
    answer = cluster(TWELVE, deleted=[LEFT | {"instance_id": "oldest"}])

    assert instances_of(answer, answer.gpu_worker_nodes[0]) == (NEW, "oldest", OLD)


def test_what_is_in_another_node_now_is_not_this_nodes():
    answer = cluster(TWELVE, THIRTEEN, deleted=[LEFT | {"instance_id": OTHER.upper()}])

    assert instances_of(answer, answer.gpu_worker_nodes[0]) == (NEW, OLD)


def test_a_name_that_two_nodes_share_proves_nothing():
    shared = {"host_name": "localhost"}
    answer = cluster(TWELVE | shared, THIRTEEN | shared, deleted=[shared | {"node_id": "x", "instance_id": "gone"}])

    assert "gone" not in instances_of(answer, answer.gpu_worker_nodes[0])


def test_records_of_the_same_instance_name_are_of_the_node():
    bare = TWELVE | {"latest_remediation": None}
    answer = cluster(bare, THIRTEEN)
    history = [
        record("RUNNING", instance_id=NEW, instance_name="vm"),
        record("SUCCEEDED", instance_id="earlier", instance_name="vm"),
        record("SUCCEEDED", instance_id="another", instance_name="vm-2"),
        record("SUCCEEDED", instance_id="nameless"),
    ]

    assert instances_of(answer, answer.gpu_worker_nodes[0], history) == (NEW, "earlier")
    history.append(record("SUCCEEDED", instance_id=OTHER, instance_name="vm"))
    assert instances_of(answer, answer.gpu_worker_nodes[0], history) == (NEW,)


NAMES = st.sampled_from([None, "", " ", "null", "a", "A", "b", "vm", OLD, OLD.upper(), NEW, 7])
ENTRIES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just("odd"),
    st.fixed_dictionaries(
        {},
        optional={
            **{field.value: NAMES for field in Field if field != Field.INSTANCE_NAME},
            "marked_for_deletion": st.booleans(),
            "deleted_at": st.sampled_from([None, "2026-11-01T00:00:00Z", "odd"]),
            "latest_remediation": st.one_of(st.none(), st.builds(repaired, st.sampled_from(["a", OLD]), st.just("vm"))),
        },
    ),
)
CLUSTERS = st.tuples(st.lists(ENTRIES, max_size=4), st.lists(ENTRIES, max_size=3)).map(
    lambda lists: cluster(*lists[0], deleted=lists[1])
)


@given(CLUSTERS, st.one_of(st.text(max_size=5), st.sampled_from(["a", "B", "vm", OLD, NEW.upper()])))
def test_every_answer_leads_to_one_result_that_can_be_told(answer: Cluster, name: str):
    match find(answer, name):
        case Found(node=node, live=live):
            assert node in (answer.gpu_worker_nodes if live else answer.deleted_gpu_worker_nodes)
            assert name.strip()
        case Ambiguous() as found:
            assert len(found.nodes) > 1
            assert problem("c1", name, found)
        case Unknown() as found:
            assert len(found.closest) <= 3
            assert problem("c1", name, found)


@given(CLUSTERS)
def test_the_instance_in_a_node_is_always_its_own(answer: Cluster):
    for node in answer.gpu_worker_nodes:
        ids = instances_of(answer, node)
        assert not (node.instance_id or "").strip() or same_id(ids[0], node.instance_id or "")
        assert len({folded(each) for each in ids}) == len(ids)
