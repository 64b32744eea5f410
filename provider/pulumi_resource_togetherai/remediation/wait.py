"""Waiting for a remediation to end: the loop alone. Whether it has ended, and what to say of it, stand elsewhere."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from enum import Enum, auto

from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused, NotFound
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.duration import seconds
from pulumi_resource_togetherai.remediation import words
from pulumi_resource_togetherai.remediation.run import Interrupted, Run

JITTER = 0.1
"""By how much of itself a poll interval varies, so that many waiters do not ask at the same moment."""
HEARTBEAT = 60.0
"""How often, in seconds, a wait without news says that it goes on."""


class Stop(Enum):
    """Why a wait ended."""

    ENDED = auto()
    TIMEOUT = auto()
    INTERRUPTED = auto()
    GONE = auto()
    NO_ACCESS = auto()


@dataclass
class Watch:
    """A remediation being waited for."""

    record: Remediation
    stop: Stop = Stop.ENDED
    error: ApiError | None = None
    """The API's answer, for GONE and NO_ACCESS."""


async def until_terminal(run: Run, record: Remediation) -> Watch:
    """Looks at a remediation every `pollInterval` until it is terminal, the deadline passes, the user interrupts, or
    the API no longer shows it. An API that does not answer is not a reason to stop: the remediation goes on too."""
    watch = Watch(record)
    try:
        await run.unless_stopped(_follow(run, watch))
    except TimeoutError:
        watch.stop = Stop.TIMEOUT
    except Interrupted:
        watch.stop = Stop.INTERRUPTED
    except NotFound as error:
        watch.stop, watch.error = Stop.GONE, error
    except CredentialRefused as error:
        watch.stop, watch.error = Stop.NO_ACCESS, error
    return watch


async def _follow(run: Run, watch: Watch) -> None:
    loop = asyncio.get_running_loop()
    interval = seconds(run.config.poll_interval)
    told: RemediationState | None = None
    told_at = 0.0
    while not watch.record.terminal:
        now = words.progress(watch.record, run.client.now())
        if watch.record.state != told or loop.time() - told_at >= HEARTBEAT:
            await run.report.status(now)
            told, told_at = watch.record.state, loop.time()
        await asyncio.sleep(interval * random.uniform(1 - JITTER, 1 + JITTER))
        record = watch.record
        try:
            watch.record = await run.client.get_remediation(record.cluster_id, record.instance_id, record.id)
        except (NotFound, CredentialRefused):
            raise
        except ApiError as error:
            await run.report.status(f"the API does not answer; still waiting ({error})")
            told = None
    if told is not None:
        await run.report.status(words.progress(watch.record, run.client.now()))
