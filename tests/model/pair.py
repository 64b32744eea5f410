"""Two provider processes that ask for one node of one platform, and a chooser that says whose request comes next.

Every request waits until it is chosen, and only then takes effect. What is not tried, and why nothing is missed:

- Its answer is delivered at once. It touches nobody but the process that gets it, so a late answer is the same as a
  late next request.
- While a process has nothing under way, time passes to its next request. What the other one has under way is late.
- A process that asks again what it was answered twice, with nothing changed in between, learns nothing: others go on.
- A remediation begins, and ends, when nobody can do anything else but ask again: it stays PENDING, and RUNNING, as long
  as both need. The provider cannot keep its promise where a remediation begins before the first look.
- Which instance is in which node is the same all the time, so the order of the request for it is of no account.
- A read that is lost on its way and one whose answer is lost are the same; a read leaves nothing behind.
- A POST that is refused because of its `remediation_id` leaves nothing behind and tells nothing of the other process:
  its order is of no account.
- A killed run leaves its writes behind and nothing else: the kill strikes after each write, and before the first
  request after a remediation has begun or ended. One that strikes later, before the next write, is the same. It is
  followed by another run, whose first request may come at any time; so a kill at the start is the same as a later
  start.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, get_args

import httpx
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationState
from pulumi_resource_togetherai.api.models import Remediation
from pulumi_resource_togetherai.config import ProviderConfig
from pulumi_resource_togetherai.operation.session import Session
from tests.model.orders import Chooser, Move, Touch, names
from tests.model.world import NODE, NOON, Killed, Telling, World
from togetherai_simulator import DEFAULT_API_KEY, Clock, InProcessTransport, simulate
from togetherai_simulator.settings import Idempotency

READINGS: tuple[str, ...] = get_args(Idempotency)
"""What the server may do with `remediation_id`."""
FAULTS = ("none", "request-lost", "answer-lost", "killed", "lag", "lag-3")
"""At most one of them strikes, at any one request. `killed` ends the run, after a write or once a remediation has gone
on; `lag` answers a read from what was before the last write, `lag-3` that process's next two as well."""
ASKING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "two stacks": ({"stack": "one"}, {"stack": "two"}),
    "two stacks, dynamic and ADOPT": ({"stack": "one"}, {"stack": "two", "keeps": False, "ifActive": "ADOPT"}),
    "two stacks, one with wait: false": ({"stack": "one"}, {"stack": "two", "wait": False}),
    "one stack twice": ({"stack": "prod"}, {"stack": "prod"}),
}
"""Who asks: programs of two stacks, or two runs of one stack that no lock keeps apart."""

LAGS = {"lag": 1, "lag-3": 3}
"""How many reads in a row are answered from before."""
CLUSTER = "GET "
"""The question that says which instance is in which node."""
PHASE = 40.0
"""How long, in seconds, a remediation stays at least as it is: PENDING, then RUNNING."""
PATIENCE = 2
"""A process that was answered the same question this often, with nothing changed since, only waits."""
RUNS = 3
"""How often a command is run at most until it ends well, or is told of another remediation."""
ENDLESS = 2000
"""After this many requests a run is given up."""
SOON = 1e-6
"""In seconds: shorter than any pause of a process."""
LATE = 1e6
"""In seconds: longer than anything takes. A request may be under way as long as any order needs."""

VERDICT = re.compile("being repaired already|came first")
"""What tells a user to wait for the other remediation to end, and not to run the command again at once."""
NOTHING = re.compile(r"[Nn]othing was (posted|started)|no remediation of instance \S+ of cluster \S+ was started")
WITHDRAWN = re.compile("(cancelled|withdrawn) before it began")
TWICE = "the node is being repaired twice"


@dataclass(eq=False)
class _Held:
    """A request that waits to be chosen."""

    request: httpx.Request
    answer: asyncio.Future[httpx.Response]
    number: int
    what: str
    about: str

    @property
    def reads(self) -> bool:
        return self.request.method == "GET"


class _Gate(httpx.AsyncBaseTransport):
    """The way to the API of one run of a command."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise Killed
        held = self._process.hold(request)
        try:
            return await held.answer
        finally:
            self._process.held.remove(held)


class _Stack(World):
    """A stack and its program, with a platform that two of them share."""

    gate: _Gate

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        key = Credential(SecretStr(DEFAULT_API_KEY), "the test")
        client = Client("http://simulator/v1", key, request_timeout=LATE, max_retries=3, transport=self.gate)
        session = Session(self.config, client)
        try:
            yield session
        finally:
            await session.close()


@dataclass
class Run:
    """One run of a command, and what its user was told."""

    number: int
    started: int = 0
    """How many remediations its requests have started."""
    killed: bool = False
    errors: list[str] = field(default_factory=list[str])
    crash: str = ""

    @property
    def again(self) -> bool:
        """Whether its user runs the command again."""
        return self.killed or bool(self.crash) or (bool(self.errors) and not VERDICT.search(self.errors[0]))


class Process:
    """A program, and the runs of `pulumi up` until its user knows how it stands."""

    def __init__(self, pair: Pair, who: str, stack: _Stack, declared: dict[str, Any]) -> None:
        self._pair = pair
        self.who = who
        self.stack = stack
        self._declared = declared
        self.waits_for_the_end = declared["wait"]
        self.held = list[_Held]()
        self.known = Counter[str]()
        """How often each question was answered since anything changed."""
        self.runs = list[Run]()
        self.behind = 0
        """How many of its next reads are answered by a replica that lags."""
        self.knows = 0
        """How many writes that replica knows of."""
        self.heard_at_stage = 0
        """How often a remediation had gone on when it was last answered."""
        self.ended = False
        self._current: asyncio.Task[list[str]] | None = None

    @property
    def run(self) -> Run:
        """Its present run, or its last."""
        return self.runs[-1]

    def hold(self, request: httpx.Request) -> _Held:
        """Keeps a request until it is chosen."""
        self._pair.requests += 1
        url = request.url.raw_path.decode().removeprefix("/v1/compute/clusters/cluster-1")
        about = re.search("/remediations/([^/?]+)", url)
        answer = asyncio.get_running_loop().create_future()
        what = f"{request.method} {url}"
        held = _Held(request, answer, self._pair.requests, what, about[1] if about else "")
        self.held.append(held)
        self._pair.news.set()
        return held

    def waits(self, held: _Held) -> bool:
        """Whether the answer to a request is known already."""
        return held.reads and self.known[held.what] >= PATIENCE

    async def live(self, most: int) -> None:
        """Runs the command until its user knows how it stands, but at most so often."""
        self.ended = False
        try:
            for _ in range(most):
                await self._up()
                if not self.run.again:
                    break
        finally:
            self.ended = True
            self._pair.news.set()

    async def _up(self) -> None:
        """Runs the command once."""
        run = Run(len(self.runs) + 1)
        self.runs.append(run)
        self.known.clear()
        self.stack.told = Telling()
        self.stack.gate = gate = _Gate(self)
        self._current = asyncio.ensure_future(self.stack.up_meanwhile({"fix": self._declared}))
        await asyncio.wait([self._current])
        if gate.dead:
            run.killed = True
            return
        try:
            run.errors = self._current.result()
        except (Exception, asyncio.CancelledError) as error:
            run.crash = repr(error)
        self._pair.story.append(f"{self.who} is told: {run.crash or run.errors or 'success'}")
        self._pair.judge_words(self)

    def kill(self) -> None:
        """Ends the present run where it is: nothing that it does from now on arrives anywhere."""
        assert self._current is not None
        self.stack.gate.dead = True
        for held in self.held:
            held.answer.set_exception(Killed())
        self._current.cancel()


@dataclass(frozen=True)
class Outcome:
    """How a run of both ended."""

    struck: bool
    """Whether a fault struck."""
    problems: list[tuple[str, str]]
    """Each with its kind: `duplicate`, `loss` or `wrong words`. `repeat` is none: a program repaired the node once more
    after the other's remediation had ended, and its user was warned, as `ifRecent` says."""
    story: list[str]
    order: list[str]
    """What has to be chosen to get it again; see `orders.Given`."""


class _Replica:
    """A platform that knows of some of the writes."""

    def __init__(self, settings: dict[str, Any]) -> None:
        scenario = {"seed": 0, "settings": settings}
        self._now = 0.0
        self._transport = InProcessTransport(simulate(scenario, clock=Clock(lambda: NOON + self._now)))

    async def answer(self, now: float, request: httpx.Request) -> httpx.Response:
        """Its answer at a time, in seconds since noon."""
        self._now = now
        answer = await self._transport.handle_async_request(request)
        await answer.aread()
        return answer


class Endless(Exception):
    """The processes went on for ever."""


_Choice = tuple[Move, Callable[[], Coroutine[Any, Any, None]]]
"""A move, and what it does."""


class Pair:
    """Both processes on one platform, once from the beginning to the end."""

    def __init__(self, asking: str, reading: str, fault: str, chooser: Chooser) -> None:
        self._fault = fault
        self._chooser = chooser
        self._settings = {"idempotency": reading, "pending": LATE, "running": LATE}
        self.story = list[str]()
        self._order = list[str]()
        self._needed = 0
        self.requests = 0
        self.news = asyncio.Event()
        """Set when a process has a request, or has ended."""
        self._problems = list[tuple[str, str]]()
        self._struck = False
        self._undisturbed = False
        """Whether nobody gets between any more, and no fault strikes."""
        self._stage = 0
        """How often a remediation has gone on."""
        self._writes = list[tuple[float, httpx.Request]]()
        """All that changed the platform, and when."""
        self._replicas = dict[int, _Replica]()
        """Each by how many writes it knows of."""
        self._differs = dict[tuple[int, str], bool]()
        """By the number of writes and the question: whether the answer is another one than before the last write."""
        random.seed(0)  # jitter
        self.processes = list[Process]()
        for who, asked in zip("AB", ASKING[asking], strict=True):
            beside = self.processes[0].stack if self.processes else None
            stack = _Stack(
                settings=self._settings, stack=asked["stack"], keeps_unfinished=asked.get("keeps", True), beside=beside
            )
            stack.config = ProviderConfig(max_retries=3)
            declared: dict[str, Any] = {"clusterId": "cluster-1", "instanceId": NODE, "mode": "REBOOT_VM"}
            declared |= {"ifActive": asked.get("ifActive", "FAIL"), "wait": asked.get("wait", True)}
            self.processes.append(Process(self, who, stack, declared))
        self._world = self.processes[0].stack
        self._loop = self._world.loop
        self._loop.setup_looptime(resolution=1e-9, noop_cycles=0)  # every callback that is ready runs before time does
        self._transport = InProcessTransport(self._world.app)

    def play(self) -> Outcome:
        """Plays it. Raises what the chooser raises."""
        try:
            self._world.run(self._play())
            self._judge_deeds()
        except Endless as endless:
            self._problems.append(("loss", str(endless)))
        finally:
            self._world.run(_cancel_all())
            for process in reversed(self.processes):
                process.stack.close()
        return Outcome(self._struck, self._problems, self.story, self._order[: self._needed])

    async def _play(self) -> None:
        await self._together(self.processes, RUNS)
        while any(not record.terminal for record in self.records()):
            await asyncio.sleep(PHASE)
            await self._a_remediation_goes_on()
        self._undisturbed = True
        for process in self.processes:
            if self._lost(process):
                self.story.append(f"{process.who} runs its command once more")
                await self._together([process], 1)
            for record in self._lost(process):
                self._problems.append(("loss", f"{record.id} ran, and {process.who} does not find it"))

    async def _together(self, processes: Sequence[Process], most: int) -> None:
        """Lets processes run, each until it ends, but at most so many commands."""
        living = [asyncio.ensure_future(process.live(most)) for process in processes]
        while await self._requests_held():
            if self.requests > ENDLESS:
                raise Endless(f"there was no end after {ENDLESS} requests")
            choices = [choice for process in processes for choice in await self._choices(process)]
            if choices:
                await self._choose(choices)
            elif not await self._a_remediation_goes_on():
                waiting = [(held.number, process, held) for process in processes for held in process.held]
                _, process, held = min(waiting, key=lambda item: item[0])
                await self._answer(process, held)
        await asyncio.gather(*living)

    async def _choose(self, choices: Sequence[_Choice]) -> None:
        moves = [move for move, _ in choices]
        index = moves.index(self._chooser.choose(moves))
        self._order.append(names(moves)[index])
        self._needed = len(self._order) if index else self._needed  # the first one is chosen when nothing is said
        await choices[index][1]()

    async def _requests_held(self) -> bool:
        """Lets time pass until each process that has not ended has a request; returns whether there is one."""
        while True:
            await asyncio.sleep(SOON)  # all that can go on without a request has gone on
            alive = [process for process in self.processes if not process.ended]
            if all(process.held for process in alive):
                return bool(alive)
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), LATE / 2)
            except TimeoutError:
                raise Endless("a process waits for nothing") from None

    # --- what can come next ---

    async def _choices(self, process: Process) -> list[_Choice]:
        """What a process can do next, with each fault that can strike it."""
        found = list[_Choice]()
        for held in sorted(process.held, key=lambda held: held.what):
            if self._undisturbed or process.waits(held) or held.what in {move.what for move, _ in found}:
                continue
            effect = self._effect(held)
            found.append((Move(process.who, held.what, effect, "", held.about), partial(self._answer, process, held)))
            if self._struck:
                continue
            match self._fault:
                case "request-lost" if not held.reads:
                    touch, make = Touch.NOTHING, partial(self._lose, process, held)
                case "answer-lost":
                    touch = Touch.NOTHING if held.reads else effect
                    make = partial(self._lose, process, held, after=True)
                case "killed" if effect == Touch.WRITES:
                    touch, make = Touch.WRITES, partial(self._kill, process, held)
                case "killed" if process.heard_at_stage < self._stage and held is process.held[0]:
                    touch, make = Touch.NOTHING, partial(self._kill, process)
                case "lag" | "lag-3" if held.reads and await self._lags(held):
                    touch, make = Touch.READS, partial(self._lag, process, held)
                case _:
                    continue
            found.append((Move(process.who, held.what, touch, self._fault, held.about), make))
        return found

    def _effect(self, held: _Held) -> Touch:
        if held.reads:
            return Touch.NOTHING if held.what == CLUSTER else Touch.READS
        refused = self._settings["idempotency"] == "refuse" and "remediation_id=" in held.what
        return Touch.NOTHING if refused else Touch.WRITES

    async def _answer(self, process: Process, held: _Held) -> None:
        if held.reads and process.behind:
            process.behind -= 1
            self.story.append(f"{process.who} is answered from before: {held.what}")
            answer = await self._before(held.request, process.knows)
        else:
            if not process.waits(held):
                self.story.append(f"{process.who} is answered: {held.what}")
            answer = await self._take_effect(process, held)
            process.known[held.what] += 1
        held.answer.set_result(self.answered(process, held.request, answer))

    def answered(self, process: Process, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        """What becomes of an answer: here a test can break the provider."""
        return answer

    async def _lag(self, process: Process, held: _Held) -> None:
        self._struck = True
        process.behind, process.knows = LAGS[self._fault], len(self._writes) - 1
        await self._answer(process, held)

    async def _lose(self, process: Process, held: _Held, *, after: bool = False) -> None:
        self._strike(f"{process.who} loses the {'answer to' if after else 'request'} {held.what}")
        if after:
            await self._take_effect(process, held)
        held.answer.set_exception(httpx.ReadError("the connection broke", request=held.request))

    async def _kill(self, process: Process, after: _Held | None = None) -> None:
        self._strike(f"{process.who} is killed{f' after {after.what}' if after else ''}")
        if after is not None:
            await self._take_effect(process, after)
        process.kill()

    def _strike(self, what: str) -> None:
        self._struck = True
        self.story.append(what)

    # --- the platform ---

    async def _take_effect(self, process: Process, held: _Held) -> httpx.Response:
        process.heard_at_stage = self._stage
        answer = await self._transport.handle_async_request(held.request)
        await answer.aread()
        effect = self._world.app.journal.entries[-1].effect
        if effect == "created":
            process.run.started += 1
        if effect not in (None, "replayed"):
            self._changed(held.request)
        return answer

    def _changed(self, request: httpx.Request) -> None:
        self._writes.append((self._loop.time(), request))
        for process in self.processes:
            process.known.clear()

    async def _before(self, request: httpx.Request, knows: int) -> httpx.Response:
        """The answer of a replica that knows of so many writes."""
        if knows not in self._replicas:
            self._replicas[knows] = replica = _Replica(self._settings)
            for at, write in self._writes[:knows]:
                await replica.answer(at, write)
        return await self._replicas[knows].answer(self._loop.time(), request)

    async def _lags(self, held: _Held) -> bool:
        """Whether a late answer differs."""
        if not self._writes:
            return False
        knows = len(self._writes) - 1
        if (knows, held.what) not in self._differs:
            now = await self._transport.handle_async_request(held.request)
            await now.aread()
            self._differs[knows, held.what] = now.content != (await self._before(held.request, knows)).content
        return self._differs[knows, held.what]

    async def _a_remediation_goes_on(self) -> bool:
        """All that are PENDING begin; if none is, all that are RUNNING end. Returns whether there was one."""
        if self._writes and self._loop.time() - self._writes[-1][0] < PHASE:
            return False
        active = [record for record in self.records() if not record.terminal]
        pending = [record for record in active if record.cancellable]
        for record in pending or active:
            state = "RUNNING" if pending else "SUCCEEDED"
            url = f"http://simulator/_simulator/remediations/{record.id}/state"
            request = httpx.Request("POST", url, json={"state": state})
            await self._transport.handle_async_request(request)
            self._changed(request)
            self.story.append(f"{record.id} is {state}")
        if active:
            self._stage += 1
            self._chooser.barrier()
        return bool(active)

    def records(self) -> list[Remediation]:
        """The node's remediations as they are."""
        return [job.remediation for job in self._world.app.platform.jobs("cluster-1", NODE)]

    # --- what must not be ---

    def judge_words(self, process: Process) -> None:
        """Compares what a run's user is told with what the platform did."""
        run, records = process.run, self.records()
        text = " ".join(run.errors)
        named = [record for record in records if record.id in text]

        def wrong(why: str) -> None:
            self._problems.append(("wrong words", f"{process.who}: {why}: {text}"))

        if run.crash:
            wrong(f"crashed with {run.crash}")
        elif not run.errors:
            held = process.stack.stack["fix"].resource.outputs["remediationId"]
            states = [record.state for record in records if record.id == held]
            if states != ["SUCCEEDED"] and (process.waits_for_the_end or states in ([], ["CANCELLED"])):
                wrong(f"success, and its remediation {held} is {states}")
        if NOTHING.search(text) and run.started:
            wrong("nothing was started, and something was")
        if "no longer knows" in text and named:
            wrong("gone, and there it is")
        cancelled = [record for record in named if record.state == RemediationState.CANCELLED]
        if WITHDRAWN.search(text) and all(record.start_time for record in cancelled):
            wrong("withdrawn, and it was not")
        if VERDICT.search(text) and all(record.state == RemediationState.CANCELLED for record in records):
            wrong("another one goes on, and none does")

    def _lost(self, process: Process) -> list[Remediation]:
        mine = f"[pulumi training/{process.stack.name} "
        held = process.stack.stack.get("fix")
        found = held.resource.outputs["remediationId"] if held else None
        begun = [record for record in self.records() if record.start_time and mine in (record.reason or "")]
        return [record for record in begun if record.id != found]

    def _judge_deeds(self) -> None:
        records = self.records()
        begun = [record for record in records if record.start_time]
        if len(begun) > 1:
            first, *later = sorted(begun, key=lambda record: record.start_time or datetime.max)
            told = [line for process in self.processes for line in process.stack.told.lines]
            meant = all(
                first.end_time and one.create_time and first.end_time <= one.create_time for one in later
            ) and any(first.id in line for line in told)
            self._problems.append(("repeat" if meant else "duplicate", f"{len(begun)} remediations began"))
        if not begun:
            self._problems.append(("loss", "both asked, and no remediation began"))
        one_program = self.processes[0].stack.name == self.processes[1].stack.name
        for reason, count in Counter(record.reason for record in records).items():
            if count > 1 and not one_program:  # two runs of one program may post twice, and withdraw one
                self._problems.append(("duplicate", f"{count} POSTs took effect for {reason}"))
        for process in self.processes:
            if process.run.again:
                told = process.run.crash or process.run.errors
                self._problems.append(("loss", f"{process.who} does not know after {len(process.runs)} runs: {told}"))
            if len(begun) < 2 and any(TWICE in line for line in process.stack.told.lines):
                self._problems.append(("wrong words", f"{process.who}: repaired twice, and it was not"))


async def _cancel_all() -> None:
    """Ends what a killed process or an unfinished run left."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
