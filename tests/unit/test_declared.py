"""What a program of the dynamic form passes beside the inputs, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from pulumi_resource_togetherai.dynamic.declared import (
    LOOKING_AHEAD,
    as_plain,
    may_be_later,
    passed_beside,
    refuse_provider,
)
from pulumi_resource_togetherai.forms import DYNAMIC, PLUGIN, REPLACE_ON, SECRET, URN
from pulumi_resource_togetherai.unknown import UNKNOWN

KIND = "Remediation"


async def passed(arguments: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What is passed, as far as it is known."""
    beside = passed_beside("fix", KIND, arguments, pulumi.ResourceOptions(**options) if options else None)
    return {
        name: await value.future() if isinstance(value, pulumi.Output) else value  # pyright: ignore[reportUnknownMemberType]
        for name, value in beside.items()
    }


async def test_a_program_without_secrets_and_options_passes_the_urn_alone():
    beside = await passed({"reason": "Jane", "mode": pulumi.Output.from_input("VM_ONLY")})
    assert str(beside.pop(URN)).endswith(f"::{DYNAMIC}{KIND}::fix")
    assert beside == {LOOKING_AHEAD: None, SECRET: None, REPLACE_ON: None}


async def test_what_is_secret_is_named_wherever_it_stands_and_however_it_is_marked():
    arguments: dict[str, Any] = {
        "reason": "Jane",
        "cluster_id": pulumi.Output.secret("c1"),
        "instance_id": pulumi.Output.from_input("i7"),
        "triggers": {"who": pulumi.Output.secret("Jane")},
        "mode": "VM_ONLY",
        "if_active": None,
        "recent_window": "30m",
    }
    beside = await passed(arguments, additional_secret_outputs=["mode", "ifActive", "reason", "recent_window"])
    assert beside[SECRET] == ["reason", "clusterId", "triggers", "mode", "recentWindow"]
    assert await arguments["mode"].is_secret()
    assert arguments["if_active"] is None
    arguments = {"instance_id": "i7", "mode": "VM_ONLY"}
    assert (await passed(arguments, additional_secret_outputs=["instanceId"]))[SECRET] == ["instanceId"]
    assert arguments["mode"] == "VM_ONLY"


async def test_a_preview_is_told_to_be_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert (await passed({}))[LOOKING_AHEAD] is True


async def test_what_a_change_of_is_to_replace_is_named_as_pulumi_names_it():
    assert (await passed({}, replace_on_changes=["retry_failed", "*"]))[REPLACE_ON] == ["retryFailed", "*"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (pulumi.UNKNOWN, UNKNOWN),
        ({"who": pulumi.UNKNOWN, "runs": ["1", pulumi.UNKNOWN]}, {"who": UNKNOWN, "runs": ["1", UNKNOWN]}),
        (True, True),
    ],
)
def test_what_is_not_known_yet_is_read_as_that_wherever_it_stands(value: Any, plain: Any):
    assert as_plain(value) == plain


async def test_what_may_come_later_is_known_wherever_it_stands():
    later = pulumi.Output.from_input("a")
    values: list[tuple[Any, Any]] = [
        (later, "a"),
        ({"a": later, "b": "b"}, {"a": "a"}),
        (["b", later], ["b"]),
        ((later,), ("a",)),
    ]
    for one, other in values:
        assert may_be_later(one)
        assert may_be_later({"deeper": [one]})
        assert not may_be_later(other)


def offered(package: str | None) -> Any:
    return SimpleNamespace(package=package) if package else None


@pytest.mark.parametrize(
    ("own", "several", "inherited", "refused"),
    [
        (None, [], None, False),
        (None, None, None, False),
        ("togetherai", None, None, True),
        ("pulumi-python", None, None, False),
        ("aws", [], None, False),
        (None, ["aws", "togetherai"], None, True),
        (None, {"aws": "aws", "togetherai": "togetherai"}, None, True),
        (None, {"aws": "aws"}, None, False),
        (None, None, "togetherai", True),
        ("aws", None, "togetherai", True),
        ("pulumi-python", None, "togetherai", False),
        (None, ["pulumi-python"], "togetherai", False),
    ],
)
def test_a_provider_of_the_plugin_is_refused_however_it_is_given(
    own: str | None, several: list[str] | dict[str, str] | None, inherited: str | None, refused: bool
):
    asked = list[str]()

    def get_provider(token: str) -> Any:
        asked.append(token)
        return offered(inherited)

    providers: Any = several
    if isinstance(several, dict):
        providers = {name: offered(package) for name, package in several.items()}
    elif several is not None:
        providers = [offered(package) for package in several]
    parent = SimpleNamespace(get_provider=get_provider) if inherited else None
    options = cast(pulumi.ResourceOptions, SimpleNamespace(provider=offered(own), providers=providers, parent=parent))
    if refused:
        with pytest.raises(pulumi.RunError, match=r"fix: the dynamic form cannot use a togetherai.Provider"):
            refuse_provider("fix", options)
    else:
        refuse_provider("fix", options)
    assert asked == ([f"{PLUGIN}{KIND}"] if inherited else [])


def test_without_options_there_is_nothing_to_refuse():
    refuse_provider("fix", None)
