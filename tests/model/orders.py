"""Every order of the moves of several actors, depth first, each order that makes a difference once.

A run is executed again from its beginning for each order, so it has to be deterministic: it asks `Search.choose` which
move comes next, and everything else follows. Two moves of different actors that commute (see `Move.commutes`) are tried
in one order only. That is dynamic partial order reduction (Flanagan and Godefroid, 2005) with sleep sets: after each
run, wherever a move came before one of another actor that it does not commute with, the other one is tried first, too.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Touch(Enum):
    """What a move does to what all actors share."""

    NOTHING = "nothing"
    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True)
class Move:
    """Something that an actor can do next."""

    who: str
    what: str
    touch: Touch
    fault: str = ""
    about: str = ""
    """The one thing that it touches; empty if it may touch all."""

    def commutes(self, other: Move) -> bool:
        """Whether the order of the two makes no difference to anybody."""
        if self.who == other.who:
            return False
        return (
            Touch.NOTHING in (self.touch, other.touch)
            or self.touch == other.touch == Touch.READS
            or (bool(self.about) and bool(other.about) and self.about != other.about)
        )


class Chooser(Protocol):
    """Says which move comes next."""

    def choose(self, moves: Sequence[Move]) -> Move:
        """One of the moves."""
        ...

    def barrier(self) -> None:
        """What came before cannot come after what follows, nor the other way round."""
        ...


class Redundant(Exception):
    """Another run makes no difference to this one."""


class NotDeterministic(Exception):
    """The same choices led to other moves than before, so nothing follows from the orders that were tried."""


@dataclass
class _Node:
    moves: list[Move]
    asleep: set[Move]
    """Those whose orders have been tried already, before something that they commute with."""
    stage: int
    """How many barriers came before."""
    taken: Move
    wanted: set[str]
    """The actors that have to be tried here."""
    tried: list[Move] = field(default_factory=list[Move])


class Search:
    """All orders; iterate over `runs`, and in each of them ask `choose`."""

    def __init__(self, *, reduced: bool = True) -> None:
        """`reduced`: whether orders that make no difference are left out."""
        self._reduced = reduced
        self._path = list[_Node]()
        self._depth = self._stage = 0

    def runs(self) -> Generator[None]:
        """One item for each run that is to be executed."""
        while True:
            self._depth = self._stage = 0
            yield
            self._want_races_reversed()
            if not self._advance():
                return

    @property
    def taken(self) -> list[Move]:
        """The moves of the run up to here."""
        return [node.taken for node in self._path[: self._depth]]

    def choose(self, moves: Sequence[Move]) -> Move:
        """Which move comes next. Raises Redundant if this order needs no more than was executed of it."""
        depth, self._depth = self._depth, self._depth + 1
        if depth < len(self._path):
            if self._path[depth].moves != list(moves):
                raise NotDeterministic(f"{self._path[depth].moves} became {moves}")
            return self._path[depth].taken
        asleep = self._asleep(self._path[-1]) if self._path and self._reduced else set[Move]()
        awake = [move for move in moves if move not in asleep]
        if not awake:
            self._depth -= 1
            raise Redundant
        wanted = {awake[0].who} if self._reduced else {move.who for move in moves}
        self._path.append(_Node(list(moves), asleep, self._stage, awake[0], wanted))
        return awake[0]

    def barrier(self) -> None:
        """What came before cannot come after what follows, nor the other way round."""
        self._stage += 1

    def _asleep(self, parent: _Node) -> set[Move]:
        if parent.stage != self._stage:
            return set()
        return {move for move in parent.asleep.union(parent.tried) if move.commutes(parent.taken)}

    def _want_races_reversed(self) -> None:
        """Wherever two moves do not commute and nothing else forces their order, wants the later actor tried first."""
        before = list[set[int]]()
        """Of each move, which earlier ones necessarily come before it."""
        for later, node in enumerate(self._path):
            move, forced = node.taken, set[int]()
            own = [earlier for earlier in range(later) if self._path[earlier].taken.who == move.who]
            if own:
                forced |= before[own[-1]] | {own[-1]}
            race = True
            for earlier in reversed(range(later)):
                other = self._path[earlier]
                if other.stage != node.stage:
                    break
                if other.taken.commutes(move) or other.taken.who == move.who:
                    continue
                if race and earlier not in forced:
                    here = {one.who for one in other.moves}
                    other.wanted |= {move.who} if move.who in here else here
                    race = False
                forced |= before[earlier] | {earlier}
            before.append(forced)

    def _advance(self) -> bool:
        while self._path:
            node = self._path[-1]
            node.tried.append(node.taken)
            left = [move for move in node.moves if move not in node.asleep and move not in node.tried]
            same = [move for move in left if move.who == node.taken.who]
            if following := [*same, *(move for move in left if move.who in node.wanted)]:
                node.taken = following[0]
                return True
            self._path.pop()
        return False


class Given:
    """A given order; after its end each actor goes on as far as it can."""

    def __init__(self, order: Sequence[str]) -> None:
        """`order` names the moves as `name` does."""
        self._left = list(order)
        self.taken = list[Move]()

    def choose(self, moves: Sequence[Move]) -> Move:
        """The move of that name. Raises NotDeterministic if there is none."""
        by_name = dict(zip(names(moves), moves, strict=True))
        wanted = self._left.pop(0) if self._left else next(iter(by_name))
        if wanted not in by_name:
            raise NotDeterministic(f"after {len(self.taken)} moves there is no {wanted}, only {', '.join(by_name)}")
        self.taken.append(by_name[wanted])
        return by_name[wanted]

    def barrier(self) -> None:
        """Nothing to do."""


def names(moves: Sequence[Move]) -> list[str]:
    """A short name of each of the moves: the actor, if it has several the number, and the fault."""
    requests = dict[str, list[str]]()
    for move in moves:
        requests.setdefault(move.who, [])
        if move.what not in requests[move.who]:
            requests[move.who].append(move.what)
    found = list[str]()
    for move in moves:
        number = requests[move.who].index(move.what)
        found.append(f"{move.who}{number + 1 if number else ''}{'!' * bool(move.fault)}{move.fault}")
    return found
