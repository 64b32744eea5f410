"""The fleet example's tables: what they may say, and what is said of mistakes."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import fleet
import pytest
from table import Node, read

from pulumi_resource_togetherai.api.enums import RemediationMode
from tests.engine.stack import ROOT

REBOOT, HOST_AWARE = RemediationMode.REBOOT_VM, RemediationMode.HOST_AWARE


def nodes(text: str, file: str = "nodes.csv", incident: str | None = "INC-1") -> list[Node]:
    return read(file, text, mode="REBOOT_VM", incident=incident)


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
        ("t.csv", "", "t.csv: there is no node in it"),
        ("t.csv", "cluster,instance\n", "t.csv: there is no node in it"),
        ("t.csv", "cluster\nc\n", "t.csv, line 2: it names no instance"),
        ("t.csv", "cluster,instance\nc,\n", "t.csv, line 2: it names no instance"),
        ("t.csv", "cluster,instance\nc,a b\n", "t.csv, line 2: instance: String should match pattern"),
        ("t.csv", "cluster,instance,mod\nc,n,X\n", "t.csv, line 2: mod: there is no such column; there are cluster, "),
        ("t.csv", "cluster,instance\nc,n,X\n", "t.csv, line 2: more than the columns: there is no such column"),
        (
            "t.csv",
            "cluster,instance,mode\nc,n,VM_ONYL\n",
            't.csv, line 2: mode: "VM_ONYL" is not a mode; did you mean VM_ONLY?',
        ),
        ("t.csv", "cluster,instance\nc,n\nd,n\nc,n\n", "t.csv, line 4: n of c is in t.csv, line 2 already"),
        ("t.csv", 'cluster,instance\nc,"n"x\n', "t.csv, after line 1: this is no CSV: "),
        ("t.yaml", "- c\n", "t.yaml: write clusters, and under each a list of its nodes"),
        ("t.yaml", "c: n\n", "t.yaml, c: write a list of its nodes"),
        ("t.yaml", "c: [n, 7]\n", "t.yaml, c, node 2: instance: Input should be a valid string"),
        ("t.yaml", "c: [\n", "t.yaml: this is no YAML: "),
    ],
)
def test_a_mistake_is_one_line_that_names_the_place(file: str, text: str, problem: str):
    with pytest.raises(ValueError) as raised:
        nodes(text, file)
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)


def test_a_node_needs_an_incident():
    with pytest.raises(ValueError, match="line 2: it names no incident, nor does --incident"):
        nodes("cluster,instance\nc,n\n", incident=None)
    (node,) = nodes("cluster,instance,incident\nc,n,INC-9\n", incident=None)
    assert node.incident == "INC-9"


def test_an_alert_makes_a_table_with_a_line_for_each_node():
    alert = _alert()
    work = [alert.Work("c", ("n1",), "first-2026-11-23T03:00:00+01:00"), alert.Work("c", ("n2",), "second")]
    text = io.StringIO()
    alert.print_table([*work, alert.Work("c", ("n1",), "third")], text)
    assert [(node.instance, node.incident) for node in nodes(text.getvalue())] == [
        ("n1", "first-2026-11-23T03:00:00+01:00"),
        ("n2", "second"),
    ]


def _alert() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alert", ROOT / "examples" / "automation" / "alert.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("alert", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nodes.csv", "--incident=INC-7"], "error: there is nobody to ask: agree with --yes"),
        (["-", "--incident=INC-7"], "error: there is nobody to ask: agree with --yes"),
        (["missing.csv", "--yes"], "error: [Errno 2] No such file or directory: 'missing.csv'"),
        (["nodes.csv", "--yes"], "error: nodes.csv, line 2: it names no incident, nor does --incident"),
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
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    Path("nodes.csv").write_text("cluster,instance\nc,n\n")
    try:
        code = fleet.main(arguments)
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(says)
