"""Commands on a table's time to live, and what they answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpdateTimeToLive:
    table: str
    attribute: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class DescribeTimeToLive:
    table: str


@dataclass(frozen=True, slots=True)
class TimeToLiveDescription:
    attribute: str | None  # None: items don't expire
