"""The fleet example's tables: what they may say, and what is said of mistakes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import fleet
import pytest
from table import Node, read

from pulumi_resource_togetherai.api.enums import RemediationMode

REBOOT, HOST_AWARE = RemediationMode.REBOOT_VM, RemediationMode.HOST_AWARE


def nodes(text: str, file: str = "nodes.csv", incident: str | None = "INC-1") -> list[Node]:
    return read(file, text.encode(), mode="REBOOT_VM", incident=incident)


TABLES = sorted(Path(__file__).with_name("tables").iterdir())


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_a_table_is_read_as_people_have_it(file: Path):
    found = read(file.name, file.read_bytes(), mode="REBOOT_VM", incident="INC-1")
    assert found == [
        Node("training", "gpu-worker-12", REBOOT, "Lüfter 3, laut", "INC-1", "node"),
        Node("training", "gpu-worker-13", HOST_AWARE, "fleet: INC-1", "INC-1", "node"),
    ]


def test_a_table_with_columns_and_without_rows_names_no_node():
    assert nodes("cluster,node\n") == []


def test_csv_and_yaml_say_the_same():
    said = [
        Node("cluster-1", "node-1", REBOOT, "fleet: INC-1", "INC-1"),
        Node("cluster-2", "node-2", HOST_AWARE, "fan 3, again", "INC-2"),
    ]
    csv = (
        'instance,cluster,mode,reason,incident\nnode-1,cluster-1,,,\nnode-2,cluster-2,HOST_AWARE,"fan 3, again",INC-2\n'
    )
    yaml = """
        cluster-1: [node-1]
        cluster-2:
        - {instance: node-2, mode: HOST_AWARE, reason: "fan 3, again", incident: INC-2}
    """
    assert nodes(csv) == said
    assert nodes(yaml, "nodes.yaml") == said


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("t.csv", "", "t.csv: it is empty; write a line with the names of the columns: cluster, instance, node, "),
        ("t.csv", "cluster\nc\n", "t.csv, line 1: the columns are cluster; there have to be `cluster`, and `node` or "),
        ("t.csv", "node,mode\nn,VM_ONLY\n", "t.csv, line 1: the columns are node, mode; there have to be `cluster`"),
        ("t.csv", "cluster,node\nc,\n", "t.csv, line 2: it names no node of c; fill in `node` or `instance`"),
        ("t.csv", "cluster,node\n,n\n", "t.csv, line 2: it names no cluster; it has node n"),
        ("t.csv", "cluster,node,instance\nc,n,i\n", "t.csv, line 2: it names instance i and node n; name one"),
        ("t.csv", "cluster,instance\nc,a b\n", "t.csv, line 2: instance: a b: String should match pattern"),
        ("t.csv", "cluster,instance,mod\nc,n,X\n", "t.csv, line 1: mod: there is no such column; there are cluster, "),
        (
            "t.csv",
            "Cluster, node,CLUSTER\nc,n,d\n",
            "t.csv, line 1: the column cluster is there 2 times: Cluster, ",
        ),
        ("t.csv", "cluster,instance\nc,n,X\n", "t.csv, line 2: X stands in a column without a name"),
        ("t.csv", "cluster,instance,,mode\nc,n,X,\n", "t.csv, line 2: X stands in a column without a name"),
        (
            "t.csv",
            "cluster,instance,mode\nc,n,VM_ONYL\n",
            't.csv, line 2: mode: VM_ONYL: "VM_ONYL" is not a mode; did you mean VM_ONLY?',
        ),
        ("t.csv", "cluster,node,since\nc,n,today\n", "t.csv, line 2: since: today: Input should be a valid datetime"),
        ("t.csv", "cluster,instance\nc,n\nd,n\nc,n\n", "t.csv, line 4: n of c is in t.csv, line 2 already"),
        ("t.csv", "sep=;\ncluster;node\n\nc;\n", "t.csv, line 4: it names no node of c"),
        ("t.csv", 'cluster,instance\nc,"n"x\n', "t.csv, after line 2: this is no CSV: "),
        ("t.yaml", "- c\n", "t.yaml: write clusters, and under each a list of its nodes; there is a list"),
        ("t.yaml", "c: n\n", "t.yaml, c: write a list of its nodes; there is a str"),
        ("t.yaml", "c: [n, 7]\n", "t.yaml, c, node 2: instance: 7: Input should be a valid string"),
        ("t.yaml", "c: [\n", "t.yaml: this is no YAML: "),
    ],
)
def test_a_mistake_is_one_line_that_names_the_place(file: str, text: str, problem: str):
    with pytest.raises(ValueError) as raised:
        nodes(text, file)
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)


def test_what_is_no_text_is_named():
    with pytest.raises(ValueError, match=r"^t\.csv: byte 0x81 at 13 is no text in UTF-8, nor in Windows-1252; save it"):
        read("t.csv", b"cluster,node\n\x81,n\n", mode="REBOOT_VM", incident="INC-1")


def test_a_node_needs_an_incident():
    with pytest.raises(ValueError, match="line 2: it names no incident, nor does --incident"):
        nodes("cluster,instance\nc,n\n", incident=None)
    (node,) = nodes("cluster,instance,incident\nc,n,INC-9\n", incident=None)
    assert node.incident == "INC-9"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nodes.csv", "--incident=INC-7"], "error: there is nobody to ask: agree with --yes"),
        (["-", "--incident=INC-7"], "error: there is nobody to ask: agree with --yes"),
        (["missing.csv", "--yes"], "error: [Errno 2] No such file or directory: 'missing.csv'"),
        (
            ["nodes.csv", "--yes"],
            "error: nodes.csv, line 2: it names no incident, nor does --incident; it has cluster c, instance n",
        ),
        (["nodes.csv", "--max-failed=3"], "--max-failed: '3' is not a share; write a percentage, such as 5%"),
        (["nodes.csv", "--max-failed=101%"], "--max-failed: '101%' is not a share; write a percentage, such as 5%"),
        (["nodes.csv", "--max-concurrent=0"], "--max-concurrent: '0' is not a whole number from 1 up"),
        (["nodes.csv", "--config=k=v"], "'k=v' is not a setting; write one such as togetherai:pollInterval=10s"),
    ],
)
def test_what_is_not_asked_for_properly_ends_with_2(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    Path("nodes.csv").write_text("cluster,instance\nc,n\n")
    try:
        code = fleet.main(arguments)
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(says)
