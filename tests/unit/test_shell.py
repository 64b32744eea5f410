"""What the provider says under `pulumi do`: flags in place of inputs, and no stack; and when it only looks."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.plugin.shell import in_shell
from pulumi_resource_togetherai.preview_flag import previews


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("set `ifActive` to ADOPT", "set `--if-active` to ADOPT"),
        ("or set `retryFailed: true`", "or set `--retry-failed=true`"),
        ("instanceId or node is required", "--instance-id or node is required"),
        ("write `instanceId` in place of `node`", "write `--instance-id` in place of `--node`"),
        ("the mode of the node, by its state", "the mode of the node, by its state"),
        ("togetherai:ifRecent and <clusterId>/<instanceId>", "togetherai:ifRecent and <clusterId>/<instanceId>"),
        ("run another one, change `triggers`", "run another one, give another `--idempotency-key`"),
        ("with it. Change `idempotencyKey`", "with it. Give another `--idempotency-key`"),
        (
            "to run it again: change `triggers`, and run `pulumi up`\n  or run it again now: pulumi up --replace 'u'\n"
            "  to drop it: remove it from the program",
            "to run it again: give another `--idempotency-key`",
        ),
        ("Nothing was posted\n  The stack records nothing of it\n  next", "Nothing was posted\n  next"),
        ("Run `pulumi up` again", "Run `pulumi do` again"),
        (
            "then `pulumi up` starts a new one, without a change of `triggers`",
            "then `pulumi do` starts a new one, under the same flags",
        ),
        (
            "The stack keeps no record of it, but the next `pulumi up` finds it again by its key.",
            "No stack keeps a record of it, but the next `pulumi do` finds it again by its key.",
        ),
        ("It stays in the stack; run the same command again", "Run the same command again"),
    ],
)
def test_messages_name_flags_and_no_stack(text: str, said: str):
    assert in_shell(text) == said


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        ("pulumi do togetherai:Remediation read c/i/r", False),
        ("pulumi do togetherai:Remediation read c/i/r --dry-run", True),
        ("pulumi do togetherai:Remediation delete c/i/r --stateless --yes", True),
        ("pulumi -C work do togetherai:Remediation patch c/i/r", True),
    ],
)
def test_what_is_read_to_be_deleted_is_not_waited_for(command: str, looks: bool):
    assert previews(command.split()) is looks
