"""The dialects of the simulated API: how it words and delays its answers, and which requests it serves.

Nobody here has met the real server: each choice is a guess about it, in the way that services differ. By default the
simulator answers as the published contract is read most simply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from random import Random
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from togetherai_simulator.options import Options

Lag = Annotated[float, Field(ge=0, le=86_400)]
"""Simulated seconds, up to a day."""
Null = BeforeValidator(lambda value: "null" if value is None else value)
"""In YAML and JSON, a null that is not in quotes is the word all the same."""

UnsetTime = Annotated[Literal["absent", "null", "empty", "zero", "epoch"], Null]
UnsetText = Annotated[Literal["absent", "null", "empty"], Null]
UnsetMessage = Annotated[Literal["absent", "null"], Null]
UnsetToken = Annotated[Literal["empty", "null", "absent"], Null]
EmptyList = Annotated[Literal["empty", "null", "absent"], Null]
HasNext = Literal["always", "when_true", "never"]
Wildcard = Literal["served", 400, 403, 404, 405, 501]
Filters = Literal["honoured", "ignored", "refused"]
PageTokens = Literal["cursor", "offset"]
Order = Literal["newest", "oldest", "updated", "unordered"]
CreateAnswer = Literal["record_200", "record_201", "id_201", "empty_200", "empty_202", "empty_204"]
ActionAnswer = Literal["record_200", "empty_200", "empty_202", "empty_204"]
Replaced = Literal["served", "list_404", "all_404"]
RefusedId = Literal["named", "bare", "unnamed"]
PathIds = Literal["written", "omitted"]
IdCase = Literal["same", "upper"]
Enums = Literal["full", "short", "lower"]
Errors = Literal["status", "openai", "text", "html"]
Names = Literal["snake", "camel"]
DateHeader = Literal["present", "absent"]


class Dialect(Options):
    """How the API speaks. A number in place of the group draws every choice at random; the number is the `seed`."""

    model_config = ConfigDict(frozen=True)

    seed: int | None = None
    """Draws every choice that is not given. The same seed draws the same dialect."""
    get_lag: Lag = 0
    """How far a GET of one remediation lags behind writes. A younger remediation is 404."""
    list_lag: Lag = 0
    """How far lists lag behind writes: they lack a younger remediation, and filter by the earlier state."""
    cluster_lag: Lag = 0
    """How far GETs of clusters lag behind writes: in the latest remediations, the instances and the status of nodes."""
    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    """How many replicas answer reads, each read one at random. From none for the first up to the whole lag for the last
    they lag in even steps, so an older record may follow a newer one. A single replica has the whole lag."""
    unset_times: UnsetTime = "absent"
    """How an unset time is written: not at all, null, `""`, `0001-01-01T00:00:00Z` (`zero`) or `1970-01-01T00:00:00Z`
    (`epoch`)."""
    unset_texts: UnsetText = "absent"
    """How an unset text is written: not at all, null or `""`."""
    unset_messages: UnsetMessage = "absent"
    """How everything else that is unset is written (a latest remediation, an annotation, a number): not at all, or
    null."""
    empty_lists: EmptyList = "empty"
    """How an empty list is written: `[]` (but `linked_alerts` not at all), null, or never at all."""
    has_next: HasNext = "always"
    """When a page of a list has `has_next`. If `never`, the token alone says whether another page follows."""
    unset_page_token: UnsetToken = "empty"
    """How the last page writes `next_page_token`: `""`, null, or not at all."""
    wildcard: Wildcard = "served"
    """Whether `instances/-` lists a whole cluster, or the HTTP status that refuses it."""
    filters: Filters = "honoured"
    """What `state`, `mode` and `trigger` do in a list. If `refused`, they are 400 like any unknown parameter."""
    page_tokens: PageTokens = "cursor"
    """What a page token holds: the place of the last remediation, or how many came before. The second one shifts:
    what is added or forgotten between two pages makes others appear twice or never."""
    order: Order = "newest"
    """The order of a list that asks for none: newest created first, oldest created first, last updated first, or none
    in particular, though always the same."""
    create_answer: CreateAnswer = "record_200"
    """What a create is answered: the remediation, its id alone (`{"id": ...}`), `{}` (`empty_200`) or no body, with
    the HTTP status in the name."""
    action_answer: ActionAnswer = "record_200"
    """What an approve, a reject and a cancel are answered."""
    replaced: Replaced = "served"
    """What becomes of an instance's paths once its VM is replaced or evicted: still served, the list 404, or all 404.
    The list of the cluster has its remediations all the same."""
    refused_id: RefusedId = "named"
    """What the 400 says if the setting `idempotency` is `refuse`: an error that names the parameter, as `errors` words
    it; `{"error": ...}` that names it; or `{"error": "Bad Request"}`."""
    path_ids: PathIds = "written"
    """Whether answers repeat the `cluster_id` and the `instance_id` that their path names."""
    id_case: IdCase = "same"
    """Whether answers write UUIDs in upper case. Paths take them in any case then."""
    enums: Enums = "full"
    """How modes, triggers, states and severities are written: `REMEDIATION_MODE_VM_ONLY`, `VM_ONLY` or `vm_only`."""
    errors: Errors = "status"
    """How errors are worded: a google.rpc.Status; `{"error": {"message", "type", "code"}}`, as the vendor's inference
    API does it; plain text; or a web server's page."""
    names: Names = "snake"
    """How answers write the names of fields: `create_time` or, as proto-JSON does by default, `createTime`."""
    date: DateHeader = "present"
    """Whether answers have a Date header."""
    date_skew: Annotated[float, Field(ge=-1e6, le=1e6)] = 0
    """By how many seconds the Date header is ahead of the simulated time; negative is behind."""

    @model_validator(mode="before")
    @classmethod
    def _drawn(cls, content: Any) -> Any:
        seed = seed_of(content)
        if seed is None:
            return content
        drawn = draw(cls, [name for name in cls.model_fields if name != "seed"], NUMBERS, seed)
        if drawn.get("replaced") == "all_404":
            # Without the list of the cluster nobody could ever read how the replacement of a VM ended.
            drawn.pop("wildcard", None)
        return drawn | ({"seed": seed} if isinstance(content, int) else content)

    @classmethod
    def random(cls, seed: int) -> Self:
        """The dialect of this seed. About half of its choices are the default."""
        return cls(seed=seed)

    @cached_property
    def spoken(self) -> dict[str, Any]:
        """The choices that are not the default, by name; empty if the API speaks as the contract says."""
        return {
            name: value
            for name, field in type(self).model_fields.items()
            if name != "seed" and (value := getattr(self, name)) != field.default
        }


NUMBERS: dict[str, tuple[float, ...]] = {
    "get_lag": (1, 3, 10, 20),
    "list_lag": (1, 3, 10, 20),
    "cluster_lag": (1, 3, 10, 20),
    "replicas": (2, 3),
    "date_skew": (-300, -5, 5, 300),
}
"""The numbers that can be drawn besides the default."""


def seed_of(content: Any) -> int | None:
    """The seed that the group is written with: as a number in its place, or among its choices."""
    seed = cast(dict[str, Any], content).get("seed") if isinstance(content, dict) else content
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else None


def draw(
    options: type[BaseModel], names: Iterable[str], numbers: Mapping[str, Iterable[float]], seed: int
) -> dict[str, Any]:
    """Draws the choices of these names. Those that are not the default, as a mapping.

    Half of the time it is the default. Each choice has a generator of its own, so a new one changes no other.
    """
    drawn: dict[str, Any] = {}
    for name in names:
        field = options.model_fields[name]
        others = [value for value in numbers.get(name) or get_args(field.annotation) if value != field.default]
        random = Random(f"dialect/{seed}/{name}")
        if random.random() < 0.5:
            drawn[name] = random.choice(others)
    return drawn
