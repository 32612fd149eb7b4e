"""Commands of the calls around tables: tags, resource policies, insights, Kinesis destinations, and their results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """A table, or one of its streams, as an ARN names it; `stream` is "" or the stream's label."""

    table: str
    stream: str = ""


@dataclass(frozen=True, slots=True)
class TagResource:
    resource_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UntagResource:
    resource_arn: str
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class ListTagsOfResource:
    resource_arn: str


@dataclass(frozen=True, slots=True)
class PutResourcePolicy:
    resource_arn: str
    document: str
    expected_revision: str | None = None


@dataclass(frozen=True, slots=True)
class GetResourcePolicy:
    resource_arn: str


@dataclass(frozen=True, slots=True)
class DeleteResourcePolicy:
    resource_arn: str
    expected_revision: str | None = None


@dataclass(frozen=True, slots=True)
class TableCall:
    """Asks about a table, or about its index of that name."""

    table: str
    index: str = ""


@dataclass(frozen=True, slots=True)
class UpdateContributorInsights:
    table: str
    index: str
    enable: bool
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class ListContributorInsights:
    table: str | None = None
    results_max: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class InsightsDescription:
    """`status` is what insights are, or are about to be; mode and time are None until they were enabled once."""

    table: str
    index: str
    status: str
    mode: str | None = None
    changed_us: int | None = None
    rules: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class InsightsPage:
    insights: Sequence[InsightsDescription]
    last: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeKinesisDestination:
    table: str
    stream_arn: str
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class DestinationDescription:
    stream_arn: str
    status: str
    precision: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DestinationsOfTable:
    table: str
    destinations: Sequence[DestinationDescription]
