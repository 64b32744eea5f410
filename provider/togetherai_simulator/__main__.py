"""`togetherai-simulator`, and `python -m togetherai_simulator`."""

from __future__ import annotations

import sys

NEEDS = ("jinja2", "starlette", "uvicorn", "yaml")
"""What the extra `simulator` installs: a provider needs no web server."""


def main() -> int:
    """Runs the command. If the simulator is not installed, prints what is missing."""
    try:
        from togetherai_simulator.command import main as run
    except ModuleNotFoundError as error:
        if error.name not in NEEDS:
            raise
        print(
            f"togetherai-simulator: {error.name} is not installed. The simulator is an extra: "
            'pip install "pulumi-resource-togetherai[simulator]"',
            file=sys.stderr,
        )
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
