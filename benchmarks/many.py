"""Many remediations at once: requests, delay, CPU and memory of the provider, compared with a plain loop.

    python benchmarks/many.py [--n 1,10,100,500,1000,10000] [--sides up,dynamic,loop,plugin] [--plot]
                              [--clusters 1,10] [--pages 100,1000] [--no-preview]

Sides: `up` is the plugin on the Pulumi engine, `dynamic` the dynamic form on it, `loop` a loop over the vendor's
client, `plugin` the plugin without the engine. For more than 1000 remediations there is one process for each 1000, with
a cluster of its own. docs/performance.md explains what is measured and what the figures mean.
"""

from __future__ import annotations

import argparse
import sys

from waiting.bench import main

if __name__ == "__main__":
    sys.exit(main(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)))
