"""The links of a lab: for each ordered pair of regions the relays that its traffic takes, cut and healed by name."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import NamedTuple

from services.lab.relay import Relay
from shared.errors import OperatorError


class Link(NamedTuple):
    source: str
    target: str


class Links:
    def __init__(self, regions: Iterable[str]) -> None:
        self._relays: dict[Link, list[Relay]] = {Link(*pair): [] for pair in permutations(regions, 2)}
        self._cuts: dict[Link, asyncio.TimerHandle | None] = {}

    def __iter__(self) -> Iterator[Link]:
        return iter(self._relays)

    async def open(self, link: Link, *, port: int) -> int:
        """Puts a relay in front of a port of the source; returns the port that the target is to use instead."""
        relay = Relay(port)
        self._relays[link].append(relay)
        return await relay.listen()

    def cut(self, link: Link, *, for_s: float | None = None) -> None:
        """Cuts until it is healed, or for `for_s` seconds; a later cut of the same link replaces the term."""
        if link not in self._relays:
            raise OperatorError(
                f"there is no link {link.source} -> {link.target}",
                why="a link joins two different regions of this lab",
                next_step=f"Regions are {', '.join(dict.fromkeys(each.source for each in self._relays))}",
            )
        self._forget(link)
        timer = None
        if for_s is not None:
            timer = asyncio.get_running_loop().call_later(for_s, self.heal, link)
        self._cuts[link] = timer
        for relay in self._relays[link]:
            relay.cut()

    def heal(self, link: Link) -> None:
        self._forget(link)
        for relay in self._relays[link]:
            relay.heal()

    def heal_all(self) -> list[Link]:
        """Returns the links that were cut."""
        healed = list(self._cuts)
        for link in healed:
            self.heal(link)
        return healed

    @property
    def cuts(self) -> dict[Link, float | None]:
        """The links that are cut, with the seconds until they heal by themselves, if they do."""
        now = asyncio.get_running_loop().time()
        return {link: None if timer is None else max(0.0, timer.when() - now) for link, timer in self._cuts.items()}

    def close(self) -> None:
        for link, relays in self._relays.items():
            self._forget(link)
            for relay in relays:
                relay.close()

    def _forget(self, link: Link) -> None:
        timer = self._cuts.pop(link, None)
        if timer is not None:
            timer.cancel()
