"""Chance that comes from a seed, in the phrases in which requests are drawn."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Kind = TypeVar("Kind")


class Dice(Random):
    """The same throws for the same seed, in every process."""

    def one_in(self, count: int) -> bool:
        return self.randrange(count) == 0

    def some(self, things: Sequence[Kind], *, most: int) -> list[Kind]:
        """Different ones of `things` in any order, perhaps none."""
        return self.sample(things, self.randint(0, min(most, len(things))))

    def several(self, things: Sequence[Kind], *, most: int) -> list[Kind]:
        """Different ones of `things` in any order, at least one."""
        return self.sample(things, self.randint(1, min(most, len(things))))

    def times(self, most: int) -> range:
        """At least once, seldom more often than twice."""
        return range(1 if self.one_in(2) else self.randint(1, most))
