"""Which regions there are: name, number and endpoint, written `name=number=endpoint` and separated by commas.

The number goes into every version and never changes for a name; the endpoint may differ from reader to reader (a
replicator behind a proxy sees other addresses than its neighbour).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.errors import OperatorError
from shared.limits import region_number_max

_name = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Region:
    name: str
    number: int  # 1..255, the same everywhere and for good
    endpoint: str  # http://host:port, no path, no trailing slash


@dataclass(frozen=True, slots=True)
class Topology:
    """The regions in the order in which they were given. Raises `OperatorError` for one that can't be."""

    regions: tuple[Region, ...] = ()
    _by_name: dict[str, Region] = field(init=False, repr=False, compare=False)
    _by_number: dict[int, Region] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for region in self.regions:
            _check(region)
        object.__setattr__(self, "_by_name", {region.name: region for region in self.regions})
        object.__setattr__(self, "_by_number", {region.number: region for region in self.regions})
        if len(self._by_name) < len(self.regions) or len(self._by_number) < len(self.regions):
            raise _refused(str(self), "a name or a number occurs twice")

    @classmethod
    def parse(cls, text: str) -> "Topology":
        return cls(tuple(_parse_region(entry) for entry in text.split(",") if entry.strip()))

    def __str__(self) -> str:
        """What `parse` reads."""
        return ",".join(f"{region.name}={region.number}={region.endpoint}" for region in self.regions)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def named(self, name: str) -> Region:
        """The region of that name, or `KeyError`."""
        return self._by_name[name]

    def numbered(self, number: int) -> Region:
        """The region of that number, or `KeyError`."""
        return self._by_number[number]

    def others(self, name: str) -> tuple[Region, ...]:
        return tuple(region for region in self.regions if region.name != name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __len__(self) -> int:
        return len(self.regions)


def _parse_region(entry: str) -> Region:
    parts = entry.strip().split("=", 2)
    if len(parts) != 3:
        raise _refused(entry, "a region is written name=number=endpoint")
    name, number, endpoint = parts
    if not (number.isascii() and number.isdigit()):
        raise _refused(entry, f"{number!r} is no number")
    return Region(name, int(number), endpoint.rstrip("/"))


def endpoint_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def region_name(text: str) -> str:
    if not _name.fullmatch(text):
        raise ValueError(f"{text!r}: a name is made of lower-case letters, digits and inner hyphens, 63 at most")
    return text


def _check(region: Region) -> None:
    entry = f"{region.name}={region.number}={region.endpoint}"
    try:
        region_name(region.name)
    except ValueError as error:
        raise _refused(entry, str(error)) from error
    if not 1 <= region.number <= region_number_max:
        raise _refused(entry, f"a number is between 1 and {region_number_max}")
    if not _is_endpoint(region.endpoint):
        raise _refused(entry, "an endpoint looks like http://host:port")


def _is_endpoint(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not any((parts.path, parts.query, parts.fragment, parts.username))
        )
    except ValueError:
        return False


def _refused(text: str, why: str) -> OperatorError:
    return OperatorError(
        f"the topology {text!r} can't be used",
        why=why,
        next_step="Write it like us-east-1=1=http://127.0.0.1:8001,eu-west-1=2=http://127.0.0.1:8002",
    )
