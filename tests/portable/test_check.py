"""`togetherai-check` and the simulator start on every system. The workflow runs this on Linux, Windows and macOS."""

from __future__ import annotations

import subprocess
import sys

from tests.portable.test_plugin import CLEAN
from togetherai_simulator import running


def check(url: str) -> tuple[int, list[str]]:
    """The command's exit status, and its lines."""
    env = CLEAN | {"TOGETHER_BASE_URL": url, "TOGETHER_API_KEY": "simulator-key"}
    command = [sys.executable, "-m", "pulumi_resource_togetherai.check_cli", "cluster-1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_it_finds_a_simulator():
    with running() as simulator:
        code, lines = check(simulator.address)
    assert (code, [line.split()[:2] for line in lines]) == (
        0,
        [["ok", name] for name in ("network", "address", "key", "cluster", "clock")],
    )


def test_it_accepts_the_certificates_of_the_system():
    code, lines = check("https://127.0.0.1:9")
    assert code == 1
    assert lines[0].startswith("ok    network  no proxy; certificates of the operating system and of Mozilla (certifi ")
    assert lines[1].startswith("FAIL  address  get cluster: cannot reach https://127.0.0.1:9/v1 (")
