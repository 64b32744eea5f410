"""Bad input is answered with what to write instead."""

from __future__ import annotations

import re
from typing import Any, Self

import pytest
from pydantic import model_validator

from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.fields import Inputs
from pulumi_resource_togetherai.operation.check import Failure, check
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.unknown import UNKNOWN, until_known

GOOD = {"clusterId": "c1", "instanceId": "i7", "mode": "VM_ONLY"}


def failures(changes: dict[str, Any]) -> list[Failure]:
    properties = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return check(RemediationInputs, properties).failures


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"clusterId": ...}, "clusterId", "clusterId is required"),
        ({"instanceId": ""}, "instanceId", "instanceId is empty"),
        ({"instanceId": "   "}, "instanceId", "instanceId is empty"),
        ({"mode": ...}, "mode", "mode is required"),
        ({"mode": "VM_ONYL"}, "mode", 'mode: "VM_ONYL" is not a mode; did you mean VM_ONLY?'),
        ({"mode": "vm_only"}, "mode", 'mode: "vm_only" is not a mode; did you mean VM_ONLY?'),
        ({"mode": "REMEDIATION_MODE_VM_ONYL"}, "mode", "did you mean VM_ONLY?"),
        ({"mode": "explode"}, "mode", "write one of VM_ONLY, HOST_AWARE"),
        ({"mode": 3.0}, "mode", "is not a mode"),
        ({"timeout": "soon"}, "timeout", '"soon" is not a duration; write a number with its unit, such as 90s'),
        ({"timeout": "30"}, "timeout", '"30" is not a duration'),
        ({"timeout": 30.0}, "timeout", '"30.0" is not a duration'),
        ({"timeout": "-5m"}, "timeout", "is not a duration"),
        ({"timeout": "0s"}, "timeout", "is not a duration"),
        ({"ifActive": "adopt"}, "ifActive", '"adopt" is not one of FAIL, ADOPT, CREATE; did you mean ADOPT?'),
        ({"deleteWhileRunning": "KILL"}, "deleteWhileRunning", "is not one of WAIT, ABANDON, FAIL"),
        ({"wait": "perhaps"}, "wait", "wait: 'perhaps': input should be a valid boolean"),
        ({"clusterID": "c1"}, "clusterID", '"clusterID" is not a property; did you mean clusterId?'),
        ({"colour": "red"}, "colour", '"colour" is not a property; the properties are clusterId'),
        ({"triggers": {"run": 2.0}}, "triggers.run", "triggers.run: 2: input should be a valid string"),
        ({"triggers": {"run": 1.5}}, "triggers.run", "triggers.run: 1.5: input should be a valid string"),
        ({"reason": ["a", "b"]}, "reason", "reason: input should be a valid string"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_the_remedy(changes: dict[str, Any], path: str, reason: str):
    (failure,) = failures(changes)
    assert failure.property == path
    assert reason in failure.reason
    assert "\n" not in failure.reason


@pytest.mark.parametrize(
    ("rule", "path", "reason"),
    [
        ({"nmae": "x"}, "rules.0.nmae", '"nmae" is not a property of rules.0; did you mean name?'),
        ({"when": {"status": ["x"]}}, "rules.0.when.status", "of rules.0.when; did you mean statuses?"),
        ({"when": {"colour": "red"}}, "rules.0.when.colour", "the properties are alerts, xids"),
        ({"name": "x", "action": "REPAIRE"}, "rules.0.action", "did you mean REPAIR?"),
        ({"name": "x"}, "rules.0", 'rules.0: rule "x" would repair nodes with which nothing is wrong'),
    ],
)
def test_a_mistake_inside_a_property_is_named_with_its_place(rule: dict[str, Any], path: str, reason: str):
    found = check(ClusterRepairInputs, {"clusterId": "c1", "rules": [rule]}).failures
    failure = next(one for one in found if one.property == path)
    assert reason in failure.reason


def test_a_mistake_of_no_property_is_reported_too():
    class Pair(Inputs):
        """Two inputs that contradict each other."""

        one: int | None = None

        @model_validator(mode="after")
        def _never(self) -> Self:
            raise ValueError("one of them; remove it")

    (failure,) = check(Pair, {"one": 1.0}).failures
    assert (failure.property, failure.reason) == ("", "one of them; remove it")


@pytest.mark.parametrize("bad", ["a/b", "..", ".", "../c2", "a b", "a%2Fb", "-", "a?b", "a#b", "ä"])
@pytest.mark.parametrize("name", ["clusterId", "instanceId", "idempotencyKey"])
def test_no_id_can_be_a_path(name: str, bad: str):
    (failure,) = failures({name: bad})
    assert failure.property == name


def test_every_mistake_is_reported_at_once():
    assert {failure.property for failure in failures({"mode": "X", "timeout": "X", "colour": "X"})} == {
        "mode",
        "timeout",
        "colour",
    }


@pytest.mark.parametrize("mode", ["VM_ONLY", "REMEDIATION_MODE_VM_ONLY"])
def test_a_mode_is_stored_in_full(mode: str):
    assert check(RemediationInputs, GOOD | {"mode": mode}).inputs["mode"] == "REMEDIATION_MODE_VM_ONLY"


def test_a_newer_servers_mode_passes_in_full():
    assert not failures({"mode": "REMEDIATION_MODE_DEFROST"})


def test_defaults_are_not_written_into_the_inputs():
    assert set(check(RemediationInputs, GOOD).inputs) == set(GOOD)


@pytest.mark.parametrize("name", ["clusterId", "mode", "timeout", "triggers", "ifActive"])
@pytest.mark.parametrize("value", [UNKNOWN, {"run": UNKNOWN}, {"runs": ["1", UNKNOWN]}], ids=str)
def test_a_value_that_is_not_known_yet_passes_and_the_others_are_still_checked(name: str, value: Any):
    checked = check(RemediationInputs, GOOD | {name: value})
    assert not checked.failures
    assert checked.inputs[name] == value
    assert name == "mode" or checked.inputs["mode"] == "REMEDIATION_MODE_VM_ONLY"
    assert check(RemediationInputs, GOOD | {name: value, "deleteWhileRunning": "X"}).failures


def test_a_preview_names_what_it_does_not_know_yet():
    inputs = GOOD | {"triggers": {"run": UNKNOWN}, "reason": UNKNOWN}
    assert until_known(inputs) == "`pulumi up` will decide what to do once it knows reason, triggers"
    assert until_known(GOOD) == ""


def test_a_property_without_a_value_is_as_one_that_is_not_there():
    assert check(RemediationInputs, GOOD | {"timeout": None}) == check(RemediationInputs, GOOD)
    assert [failure.reason for failure in failures({"mode": None})] == ["mode is required"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"baseUrl": "not a url"}, '"not a url" is not the address of an API; write one such as https://'),
        ({"baseUrl": "ftp://host/v1"}, "is not the address of an API"),
        ({"baseUrl": "https://host:port"}, "is not the address of an API"),
        ({"apiKey": ""}, "the API key is empty"),
        ({"pollInterval": "5"}, "is not a duration"),
        ({"maxRetries": "-1"}, "maxRetries: '-1': input should be greater than or equal to 0"),
        ({"apiKy": "x"}, "did you mean apiKey?"),
    ],
)
def test_mistakes_in_the_providers_configuration(settings: dict[str, Any], reason: str):
    (failure,) = check(ProviderConfig, settings).failures
    assert reason in failure.reason


def test_settings_come_as_the_strings_of_a_stacks_configuration():
    config = ProviderConfig.model_validate({"preflight": "false", "maxRetries": "3", "baseUrl": "https://h:1/"})
    assert (config.preflight, config.max_retries, config.address()) == (False, 3, "https://h:1/v1")


def test_the_api_key_is_in_no_text_about_the_configuration():
    config = ProviderConfig.model_validate({"apiKey": "tgp-secret"})
    assert "tgp-secret" not in f"{config!r}{config}{config.model_dump_json()}{config.credential()!r}"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "http://example.test",
            "http://example.test/v1 is not encrypted, so others on the network could read the API key",
        ),
        ("http://localhost.example.test", "is not encrypted"),
        ("http://127.0.0.1.example.test", "is not encrypted"),
        ("http://10.0.0.1", "is not encrypted"),
    ],
)
def test_the_key_does_not_travel_in_clear(url: str, reason: str):
    for config, environment in (
        (ProviderConfig.model_validate({"baseUrl": url}), {}),
        (ProviderConfig(), {"TOGETHER_BASE_URL": url}),
    ):
        with pytest.raises(ValueError, match=re.escape(reason)):
            config.address(environment)
        meant = config.model_copy(update={"dangerously_send_api_key_in_clear": True})
        assert meant.address(environment) == f"{url}/v1"


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1:1", "http://127.8.9.1", "http://[::1]:8080"]
)
def test_this_machine_may_be_asked_in_clear(url: str):
    assert ProviderConfig.model_validate({"baseUrl": url}).address({}) == f"{url}/v1"


@pytest.mark.parametrize("url", ["https://user:hunter2@host", "https://hunter2@host", "ftp://user:hunter2@host/?x"])
def test_an_address_with_credentials_is_refused_and_not_shown(url: str):
    (failure,) = check(ProviderConfig, {"baseUrl": url}).failures
    assert failure.property == "baseUrl"
    assert "hunter2" not in failure.reason


@pytest.mark.parametrize("key", ["tgp secret", "tgp-sécret", "  ", 12345, ["tgp-secret"]])
def test_a_bad_api_key_is_not_shown(key: Any):
    (failure,) = check(ProviderConfig, {"apiKey": key}).failures
    assert str(key).strip("[]'") not in failure.reason.replace("apiKey", "") or str(key).isspace()
