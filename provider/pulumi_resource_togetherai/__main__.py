"""Starts the provider plugin: `pulumi-resource-togetherai <engine address>`."""

from __future__ import annotations


def main() -> None:
    """The entry point of the plugin."""
    from pulumi_resource_togetherai.plugin.server import main as serve

    serve()


if __name__ == "__main__":
    main()
