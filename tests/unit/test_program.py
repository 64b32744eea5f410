"""What preview says of several resources of a program for one node."""

from __future__ import annotations

import asyncio

from pulumi_resource_togetherai.remediation.rules.identity import Identity
from pulumi_resource_togetherai.remediation.rules.inputs import RemediationInputs
from pulumi_resource_togetherai.remediation.steps.program import Program
from tests.model.world import Telling


class Slow(Telling):
    """The engine's log, which takes a while for each line."""

    async def warning(self, text: str) -> None:
        await asyncio.sleep(0)
        await super().warning(text)


def one(name: str) -> Identity:
    inputs = {"clusterId": "c", "instanceId": "i", "mode": "REBOOT_VM", "ifActive": "ADOPT"}
    urn = f"urn:pulumi:prod::training::togetherai:index:Remediation::{name}"
    return Identity(urn, RemediationInputs.model_validate(inputs))


async def test_each_pair_is_warned_of_once_though_more_join_while_the_engine_takes_the_lines():
    program, report = Program(), Slow()
    await asyncio.gather(*(program.joins(one(f"r{number}"), "i", report) for number in range(6)))
    pairs = [line.partition(". Unless")[0].partition(": ")[2] for line in report.lines]
    assert len(pairs) == len(set(pairs)) == 15
