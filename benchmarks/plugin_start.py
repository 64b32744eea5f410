"""How long the plugin takes from its start to its answer to GetPluginInfo, compared with `python -c "import pulumi"`.

    python benchmarks/plugin_start.py [--runs 15]

It measures both in turn in one run, so that other load on the machine affects both alike. The figure is the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

TARGET = 1.5
NO_ENGINE = "127.0.0.1:9"  # nothing listens there; the plugin needs an engine only to talk to it


def import_pulumi() -> float:
    """Seconds that a process takes to import Pulumi and end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import pulumi"], check=True)
    return time.perf_counter() - started


def start_plugin() -> float:
    """Seconds until a new plugin process has answered GetPluginInfo."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pulumi_resource_togetherai", NO_ENGINE]
    plugin = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert plugin.stdout is not None
        port = int(plugin.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.GetPluginInfo(empty_pb2.Empty())  # pyright: ignore[reportUnknownMemberType]
        return time.perf_counter() - started
    finally:
        plugin.kill()
        plugin.communicate()


def main() -> None:
    """Prints the medians and their ratio as JSON; ends with 1 if the ratio misses the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    import_pulumi()  # the first run of each reads the files from disk
    start_plugin()
    pairs = [(import_pulumi(), start_plugin()) for _ in range(runs)]
    imports, starts = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = starts / imports
    figures = {
        "runs": runs,
        "import pulumi, median ms": round(imports * 1000),
        "plugin until GetPluginInfo, median ms": round(starts * 1000),
        "ratio": round(ratio, 2),
        "target": TARGET,
    }
    print(json.dumps(figures, indent=2))
    sys.exit(ratio > TARGET)


if __name__ == "__main__":
    main()
