"""The plugin starts, answers and ends on every system. The workflow runs this on Linux, Windows and macOS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_resource_togetherai import __version__

LIKE_WINDOWS = Path(__file__).parent / "like_windows"
WINDOWS = sys.platform == "win32"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.upper().endswith(("_PROXY", "_CA_BUNDLE"))
    and name not in ("SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONUTF8")
}
"""The environment without what tells of a network, or of an encoding that the system does not have by itself."""
NO_ENGINE = "127.0.0.1:9"
"""The plugin needs an engine only to talk to it."""


def signals() -> Iterable[int]:
    """What may ask the plugin to end."""
    return [signal.CTRL_BREAK_EVENT] if sys.platform == "win32" else [signal.SIGINT, signal.SIGTERM]


def start(**env: str) -> tuple[subprocess.Popen[str], int]:
    """The plugin as the engine starts it, in a group of its own, and the port that it has printed."""
    plugin = subprocess.Popen(
        [sys.executable, "-m", "pulumi_resource_togetherai", NO_ENGINE],
        env=CLEAN | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    assert plugin.stdout is not None
    return plugin, int(plugin.stdout.readline())


def ask(port: int) -> tuple[str, dict[str, object]]:
    """The plugin's version, and its schema."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        info = stub.GetPluginInfo(empty_pb2.Empty())
        schema = stub.GetSchema(provider_pb2.GetSchemaRequest())
    return info.version, json.loads(schema.schema)


@pytest.mark.parametrize("number", signals())
def test_it_starts_answers_and_ends(number: int):
    plugin, port = start()
    version, schema = ask(port)
    plugin.send_signal(number)
    output, errors = plugin.communicate(timeout=60)
    assert (output, errors, plugin.returncode) == ("", "", 0)
    assert version == __version__
    assert schema["name"] == "togetherai"


@pytest.mark.skipif(WINDOWS, reason="this is Windows")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_it_does_where_a_system_lacks_what_windows_lacks(name: str):
    """SIGUSR1 stands for SIGBREAK, with which the engine ends plugins on Windows."""
    plugin, port = start(PYTHONPATH=str(LIKE_WINDOWS))
    assert ask(port)[0] == __version__
    plugin.send_signal(getattr(signal, name))
    output, errors = plugin.communicate(timeout=60)
    assert (output, errors, plugin.returncode) == ("", "", 0)


@pytest.mark.skipif(WINDOWS, reason="this is Windows")
def test_the_stand_in_for_windows_lacks_what_windows_lacks():
    program = (
        "import asyncio, signal, os\n"
        "loop = asyncio.new_event_loop()\n"
        "for call in (loop.add_signal_handler, loop.add_reader):\n"
        "    try: call(2, print)\n"
        "    except NotImplementedError: print('refused')\n"
        "loop.close()\n"
        "print(hasattr(os, 'kill'), hasattr(signal, 'SIGHUP'))\n"
        "try: import fcntl\n"
        "except ImportError: print('none')\n"
    )
    env = os.environ | {"PYTHONPATH": str(LIKE_WINDOWS)}
    told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["refused", "refused", "False", "False", "none"]
