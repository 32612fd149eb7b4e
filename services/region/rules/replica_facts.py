"""What this region's replica of a table has for itself, never shared with other regions: tags, protection, policies.

Every change makes a new `ReplicaFacts`; it is written down whole, with a format number.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from shared.errors import CorruptRecordError

format_number = 1


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """`document` is as DynamoDB would give it back; `revision` is the time of the change in milliseconds."""

    document: str
    revision: str


@dataclass(frozen=True, slots=True)
class ContributorInsights:
    """Of the table, or of the index of that name."""

    is_enabled: bool
    mode: str
    changed_us: int


@dataclass(frozen=True, slots=True)
class KinesisDestination:
    stream_arn: str
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class ReplicaFacts:
    tags: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False  # against deletion
    policies: Mapping[str, ResourcePolicy] = field(default_factory=dict)  # by "" for the table, or a stream's label
    insights: Mapping[str, ContributorInsights] = field(default_factory=dict)  # by "" for the table, or an index's name
    kinesis: tuple[KinesisDestination, ...] = ()  # the newest first; none of them was ever reached
    tags_of_streams: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by a stream's label

    def tags_of(self, resource: str) -> Mapping[str, str]:
        """Of the table by "", or of the stream of that label; streams have none of their table's."""
        return self.tags_of_streams.get(resource, {}) if resource else self.tags

    def with_tags(self, resource: str, tags: Mapping[str, str]) -> "ReplicaFacts":
        if not resource:
            return replace(self, tags=tags)
        return replace(self, tags_of_streams={**self.tags_of_streams, resource: tags})

    def with_policy(self, resource: str, policy: ResourcePolicy | None) -> "ReplicaFacts":
        others = {name: each for name, each in self.policies.items() if name != resource}
        return replace(self, policies=others if policy is None else others | {resource: policy})


no_facts = ReplicaFacts()


def encode_facts(facts: ReplicaFacts) -> bytes:
    return orjson.dumps(asdict(facts) | {"format": format_number})


def decode_facts(document: bytes) -> ReplicaFacts:
    """Raises `CorruptRecordError` for bytes that are no facts of a known format."""
    members: dict[str, Any] = orjson.loads(document)
    if members.pop("format") != format_number:
        raise CorruptRecordError("facts of a replica in an unknown format")
    converted = {
        "policies": {name: ResourcePolicy(**policy) for name, policy in members["policies"].items()},
        "insights": {name: ContributorInsights(**insights) for name, insights in members["insights"].items()},
        "kinesis": tuple(KinesisDestination(**destination) for destination in members["kinesis"]),
    }
    return ReplicaFacts(**(members | converted))
