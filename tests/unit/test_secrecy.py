"""What is secret is in no output in clear, and in no text for people."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_resource_togetherai.operation.check import Failure, check
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.repair.inputs import ClusterRepairInputs
from pulumi_resource_togetherai.review.rules.inputs import ReviewInputs
from pulumi_resource_togetherai.rolling.inputs import RollingInputs
from pulumi_resource_togetherai.sanitize import quoted, sanitize
from pulumi_resource_togetherai.secrecy import Secrets

MODELS = [RemediationInputs, ReviewInputs, RollingInputs, ClusterRepairInputs]
INPUTS = {"clusterId": "c1", "reason": "names Jane", "triggers": {"who": "Jane Doe"}, "comment": "ok"}


def among(*names: str, **inputs: Any) -> Secrets:
    return Secrets.among(INPUTS | inputs, names)


def test_an_output_is_secret_that_repeats_a_secret_input_or_holds_what_it_says():
    outputs = {"reason": "names Jane [pulumi x]", "reviewComment": "ok", "errorMessage": "no: names Jane", "state": "S"}
    assert among("reason").outputs(outputs) == {"reason", "errorMessage"}
    assert among("comment").outputs(outputs) == {"comment", "reviewComment"}
    assert among("triggers").outputs({"linkedAlerts": [{"a": ["by Jane Doe"]}]}) == {"triggers", "linkedAlerts"}
    assert among().outputs(outputs) == frozenset()


def test_a_text_says_that_there_is_a_secret_and_not_which():
    assert among("reason").conceal("400: names Jane is too long") == "400: [secret] is too long"
    assert among("triggers").conceal("because Jane Doe") == "because [secret]"
    assert among().conceal("400: names Jane is too long") == "400: names Jane is too long"
    assert among("comment", comment="low").conceal("slow down") == "slow down", "too short to tell from chance"
    assert among("comment", comment="slow").conceal("slow down") == "[secret] down"


def test_of_two_secrets_the_one_that_holds_the_other_is_hidden_whole():
    for why in ("names Jane", "Jane Doe"):
        assert among("triggers", triggers={"who": "Jane", "why": why}).conceal(f"no: {why}") == "no: [secret]"


@pytest.mark.parametrize("secret", ["two\nlines", "\x1b[2J\u202eescaped", "  spaces around  ", 9 * "\U000e0041"])
def test_a_secret_is_found_as_messages_write_it(secret: str):
    shown = among("reason", reason=secret).conceal(f"it said {quoted(secret)} and {secret}")
    assert shown.replace(" ", "") == "itsaid[secret]and[secret]"


@pytest.mark.parametrize("length", range(4, 40, 4))
def test_a_secret_that_a_message_cuts_off_is_found(length: int):
    secret = "abcdefgh" * 5
    told = among("reason", reason=secret).conceal(sanitize(f"no: {secret}", 4 + length))
    assert told == "no: [secret] ... (cut off)"


def test_a_secrets_beginning_is_shown_if_too_short_or_not_cut_off():
    secrets = among("reason")
    assert secrets.conceal(sanitize("no: names Jane", 7)) == "no: nam ... (cut off)"
    assert secrets.conceal("it has no names") == "it has no names"


def test_a_name_is_hidden_in_no_message_and_the_program_is_told():
    secrets = among("clusterId", "reason")
    assert secrets.conceal("in cluster c1") == "in cluster c1"
    assert secrets.warning == "clusterId is marked as secret; ids, URNs and messages show it nevertheless"
    assert among("mode", "clusterId").warning.startswith("clusterId, mode are marked as secret;")
    assert among("reason", "timeout").warning == ""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_mistake_in_a_secret_shows_its_value(model: Any):
    names = [str(field.alias) for field in model.model_fields.values()]
    for value in ("hush hush", "", 4242424242.0, 0.5, True, ["hush"], {"hush": 1.0}, ["hush", "hush"]):
        inputs = dict.fromkeys([*names, "resaon"], value)
        secrets = Secrets.among(inputs, inputs)
        for failure in secrets.mistakes(check(model, inputs).failures):
            assert failure.property == "", "the engine shows the value of a property that is named"
            for text in ("hush", "4242", "0.5", "True"):
                assert text not in failure.reason


def test_a_mistake_in_a_secret_still_says_what_to_write():
    inputs = {"clusterId": "c1", "instanceId": "i1", "mode": "VM_ONYL", "timeout": "soon"}
    timeout, mode = Secrets.among(inputs, inputs).mistakes(check(RemediationInputs, inputs).failures)
    assert mode.reason == (
        "mode: what is given is not valid, and not shown, because it may be secret; did you mean VM_ONLY?"
    )
    assert timeout.reason.endswith("write a number with its unit, such as 90s, 30m or 1h30m")


def test_a_mistake_that_shows_no_value_says_what_it_is():
    unknown = Failure("clusterId", "clusterId is not known before `pulumi up`")
    assert among("clusterId").mistakes([unknown]) == [Failure("", unknown.reason)]


def test_a_mistake_elsewhere_is_shown_as_ever():
    inputs = {"clusterId": "c1", "instanceId": "i1", "mode": "VM_ONYL", "reason": "hush"}
    (mode,) = Secrets.among(inputs, ["reason"]).mistakes(check(RemediationInputs, inputs).failures)
    assert (mode.property, mode.reason) == ("mode", 'mode: "VM_ONYL" is not a mode; did you mean VM_ONLY?')


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_input_that_takes_a_word_is_concealed_or_warned_of(model: Any):
    for name in [str(field.alias) for field in model.model_fields.values()]:
        for value, word in (
            ("hush", "hush"),
            (["hush"], "hush"),
            ({"why": "hush"}, "hush"),
            ("REMEDIATION_MODE_HUSH", "REMEDIATION_MODE_HUSH"),
        ):
            if name in {failure.property.partition(".")[0] for failure in check(model, {name: value}).failures}:
                continue
            secrets = Secrets.among({name: value}, [name])
            assert secrets.warning or secrets.conceal(word) == "[secret]", f"secrecy.py does not speak of {name}"
