"""Every order of the requests of two processes that ask for one node, with at most one fault at any of them.

    python -m tests.model.explore                                   # all of it
    python -m tests.model.explore --reading ignore --fault lag      # a part
    python -m tests.model.explore --asking "two stacks" --reading id --fault lag --again "A A B B!lag"

The code is the provider's, the platform is the simulator, and the time is simulated. `pair` says what an order is made
of and what is judged, `orders` which orders make no difference. Each is executed from its beginning. Ends with 1 if
anything was done twice, got lost, or was told wrongly. A repeat is none of these: see `pair.Outcome`.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.model.orders import Chooser, Given, Redundant, Search
from tests.model.pair import ASKING, FAULTS, READINGS, Outcome, Pair

PROBLEMS = ("duplicate", "loss", "wrong words")
KINDS = (*PROBLEMS, "repeat")
PROGRESS = 10.0
"""How often a line of progress is printed, in seconds."""

Part = tuple[str, str, str]
"""Who asks, the reading and the fault."""


@dataclass
class Explored:
    """What came of all orders of one part."""

    part: Part
    schedules: int = 0
    """How many orders there were in which the fault struck."""
    stopped: int = 0
    """How many were given up on the way, because they repeated others."""
    cut: bool = False
    """Whether the limit ended it."""
    found: Counter[str] = field(default_factory=Counter[str])
    """In how many there was something of each kind."""
    shortest: dict[str, tuple[str, Outcome]] = field(default_factory=dict[str, tuple[str, Outcome]])
    """The shortest of each kind, with what happened."""

    @property
    def bad(self) -> bool:
        """Whether there was a problem."""
        return any(self.found[kind] for kind in PROBLEMS)

    def note(self, outcome: Outcome) -> None:
        """Takes the result of one order."""
        self.schedules += 1
        for kind, problem in dict(reversed(outcome.problems)).items():
            self.found[kind] += 1
            if kind not in self.shortest or len(outcome.story) < len(self.shortest[kind][1].story):
                self.shortest[kind] = problem, outcome

    @property
    def cell(self) -> str:
        """Its numbers for the table."""
        return f"{self.schedules}{'+' * self.cut}: " + "/".join(str(self.found[kind]) for kind in KINDS)


def explore(part: Part, limit: int | None = None, pair: Callable[[str, str, str, Chooser], Pair] = Pair) -> Explored:
    """Executes all orders of a part, or the first `limit` of them."""
    explored, search = Explored(part), Search()
    for _ in search.runs():
        if limit is not None and explored.schedules >= limit:
            explored.cut = True
            break
        try:
            outcome = pair(*part, search).play()
        except Redundant:
            explored.stopped += 1
            continue
        if outcome.struck or part[2] == "none":  # those in which nothing struck are counted under "none"
            explored.note(outcome)
    return explored


def table(explored: Iterable[Explored]) -> str:
    """The numbers of all parts in Markdown."""
    cells = {one.part: one.cell for one in explored}
    readings = [reading for reading in READINGS if any(part[1] == reading for part in cells)]
    rows = [["who asks", "fault", *readings], ["---"] * (2 + len(readings))]
    for asking, fault in itertools.product(ASKING, FAULTS):
        found = [cells.get((asking, reading, fault), "") for reading in readings]
        if any(found):
            rows.append([asking, fault, *found])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def again(part: Part, outcome: Outcome) -> str:
    """The command that executes an order again."""
    asking, reading, fault = part
    return (
        f'python -m tests.model.explore --asking "{asking}" --reading {reading} --fault {fault} '
        f'--again "{" ".join(outcome.order)}"'
    )


def _all(parts: Sequence[Part], limit: int | None, jobs: int) -> list[Explored]:
    done, told = list[Explored](), time.monotonic()
    with ProcessPoolExecutor(jobs, initializer=gc.freeze) as pool:
        for future in as_completed([pool.submit(explore, part, limit) for part in parts]):
            done.append(one := future.result())
            for kind in [kind for kind in PROBLEMS if kind in one.shortest]:
                print(f"{', '.join(one.part)}: {kind}: {again(one.part, one.shortest[kind][1])}", file=sys.stderr)
            if time.monotonic() - told > PROGRESS:
                told = time.monotonic()
                schedules, found = sum(one.schedules for one in done), sum((one.found for one in done), Counter[str]())
                print(f"{len(done)} of {len(parts)} parts, {schedules} schedules, {dict(found)}", file=sys.stderr)
    return done


def main() -> int:
    """Explores what the arguments say, prints the table and the shortest schedule of each kind of problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asking", action="append", choices=ASKING, help="who asks; default: each in turn")
    parser.add_argument("--reading", action="append", choices=READINGS, help="of `remediation_id`; default: each")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="the fault that may strike; default: each")
    parser.add_argument("--limit", type=int, help="at most this many schedules for each of these; `+` marks a cut")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes explore at once")
    parser.add_argument("--again", metavar="ORDER", help="execute one schedule and tell it step by step")
    chosen = parser.parse_args()
    parts = list(itertools.product(chosen.asking or ASKING, chosen.reading or READINGS, chosen.fault or FAULTS))
    if chosen.again is not None:
        outcome = Pair(*parts[0], Given(chosen.again.split())).play()
        print("\n".join([*outcome.story, *(f"{kind}: {problem}" for kind, problem in outcome.problems)]))
        return any(kind in PROBLEMS for kind, _ in outcome.problems)
    began = time.monotonic()
    explored = _all(parts, chosen.limit, chosen.jobs)
    print("schedules: duplicates/losses/wrong words/repeats\n")
    print(table(explored))
    found = sum((one.found for one in explored), Counter[str]())
    counts = ", ".join(f"{found[kind]} with {kind}" for kind in KINDS)
    print(
        f"\n{sum(one.schedules for one in explored)} schedules in {time.monotonic() - began:.0f} s, {counts}; "
        f"{sum(one.stopped for one in explored)} more were given up on the way, because they repeated others"
    )
    for kind, fault in itertools.product(KINDS, FAULTS):
        having = [one for one in explored if one.part[2] == fault and kind in one.shortest]
        if having:
            one = min(having, key=lambda one: len(one.shortest[kind][1].story))
            problem, outcome = one.shortest[kind]
            steps = "\n".join(f"  {step}" for step in outcome.story)
            print(f"\n{kind}: {', '.join(one.part)}: {problem}\n{steps}\n  again: {again(one.part, outcome)}")
    return any(one.bad for one in explored)


if __name__ == "__main__":
    sys.exit(main())
