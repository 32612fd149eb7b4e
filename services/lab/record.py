"""`lab.json`: what is known about a lab, running or not; written by its supervisor alone, in one step each time.

Credentials, token and region numbers outlive every restart: clients keep working, and a region's number is part of
every version that it wrote.
"""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from services.lab.layout import LabFolder, write_private
from services.lab.ports import loopback
from services.lab.processes import ProcessIdentity
from shared.errors import OperatorError
from shared.topology import Region, Topology

format_number = 1
default_feed = "embedded"
default_base_port = 8000
default_regions = ("us-east-1", "eu-west-1", "ap-northeast-1")
replicator_offset = 100
_key_letters = string.ascii_uppercase + string.digits
_secret_letters = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process of the lab; `role` is region, replicator or kafka, `address` where it listens."""

    role: str
    region: str
    address: str
    identity: ProcessIdentity | None = None

    @property
    def name(self) -> str:
        return f"{self.role}:{self.region}"

    @property
    def pid(self) -> int | None:
        """None when it doesn't run, whoever ended it."""
        return self.identity.pid if self.identity is not None and self.identity.is_alive else None


@dataclass(frozen=True, slots=True)
class LabRecord:
    feed: str
    base_port: int
    numbers: dict[str, int]  # of every region that this lab ever had
    processes: tuple[ProcessRecord, ...]
    credentials: Credentials
    token: str
    supervisor: ProcessIdentity | None = None

    def of_role(self, role: str) -> tuple[ProcessRecord, ...]:
        return tuple(process for process in self.processes if process.role == role)

    @property
    def regions(self) -> tuple[ProcessRecord, ...]:
        return self.of_role("region")

    @property
    def topology(self) -> Topology:
        return Topology(tuple(Region(each.region, self.numbers[each.region], each.address) for each in self.regions))

    @property
    def identities(self) -> list[ProcessIdentity]:
        """Of the processes that were started and not seen to end."""
        return [process.identity for process in self.processes if process.identity is not None]

    def with_identity(self, name: str, identity: ProcessIdentity | None) -> "LabRecord":
        processes = (replace(each, identity=identity) if each.name == name else each for each in self.processes)
        return replace(self, processes=tuple(processes))


@dataclass(frozen=True, slots=True)
class LabRequest:
    """What was asked for; what wasn't is as it was the last time, or the default."""

    feed: str | None = None
    base_port: int | None = None
    regions: tuple[str, ...] | None = None


def plan_lab(request: LabRequest, previous: LabRecord | None) -> LabRecord:
    """The record of a lab that is to start."""
    feed = request.feed or (previous.feed if previous else default_feed)
    base_port = request.base_port or (previous.base_port if previous else default_base_port)
    names = request.regions or (previous.topology.names if previous else default_regions)
    processes = [
        process
        for index, name in enumerate(names, start=1)
        for process in (
            ProcessRecord("region", name, f"http://{loopback}:{base_port + index}"),
            ProcessRecord("replicator", name, f"http://{loopback}:{base_port + replicator_offset + index}"),
        )
    ]
    record = LabRecord(
        feed=feed,
        base_port=base_port,
        numbers=_numbers(previous.numbers if previous else {}, names),
        processes=tuple(processes),
        credentials=previous.credentials if previous else _new_credentials(),
        token=previous.token if previous else _random_word(_secret_letters, 43),
    )
    _check(record)
    return record


def read_record(folder: LabFolder) -> LabRecord | None:
    """None where there never was a lab; `OperatorError` where there is something else."""
    try:
        document = orjson.loads(folder.record.read_bytes())
        return _decode(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"{folder.record} can't be read",
            why=f"{type(error).__name__}: {error}",
            next_step="If the lab's data may go, remove the folder; otherwise put the file back from a copy",
        ) from error


def existing_record(folder: LabFolder) -> LabRecord:
    record = read_record(folder)
    if record is None:
        raise OperatorError(
            f"there is no lab in {folder.path}",
            why=f"{folder.record} does not exist",
            next_step="Start one with: meridian lab up, or name its folder with --data",
        )
    return record


def write_record(folder: LabFolder, record: LabRecord) -> None:
    write_private(folder.record, orjson.dumps(document_of(record), option=orjson.OPT_INDENT_2) + b"\n")


def document_of(record: LabRecord) -> dict[str, Any]:
    return {
        "format": format_number,
        "feed": record.feed,
        "base_port": record.base_port,
        "regions": [
            {
                "name": each.region,
                "number": record.numbers[each.region],
                "endpoint": each.address,
                "console": f"{each.address}/console",
                **_identity_fields(each.identity),
            }
            for each in record.regions
        ],
        "replicators": [
            {"region": each.region, "endpoint": each.address, **_identity_fields(each.identity)}
            for each in record.of_role("replicator")
        ],
        "brokers": [
            {"region": each.region, "bootstrap": each.address, **_identity_fields(each.identity)}
            for each in record.of_role("kafka")
        ],
        "numbers": record.numbers,
        "credentials": {
            "access_key_id": record.credentials.access_key_id,
            "secret_access_key": record.credentials.secret_access_key,
        },
        "token": record.token,
        "supervisor": _identity_fields(record.supervisor),
    }


def _decode(document: dict[str, Any]) -> LabRecord:
    if document["format"] != format_number:
        raise ValueError(f"format {document['format']} is unknown to this version")
    processes = (
        *(ProcessRecord("region", each["name"], each["endpoint"], _identity(each)) for each in document["regions"]),
        *(
            ProcessRecord("replicator", each["region"], each["endpoint"], _identity(each))
            for each in document["replicators"]
        ),
        *(ProcessRecord("kafka", each["region"], each["bootstrap"], _identity(each)) for each in document["brokers"]),
    )
    return LabRecord(
        feed=document["feed"],
        base_port=document["base_port"],
        numbers=document["numbers"],
        processes=processes,
        credentials=Credentials(**document["credentials"]),
        token=document["token"],
        supervisor=_identity(document["supervisor"]),
    )


def _identity(fields: dict[str, Any]) -> ProcessIdentity | None:
    return None if fields["pid"] is None else ProcessIdentity(fields["pid"], fields["started"])


def _identity_fields(identity: ProcessIdentity | None) -> dict[str, Any]:
    return {
        "pid": None if identity is None else identity.pid,
        "started": None if identity is None else identity.started,
    }


def _numbers(known: dict[str, int], names: Sequence[str]) -> dict[str, int]:
    numbers = dict(known)
    for name in names:
        numbers.setdefault(name, max(numbers.values(), default=0) + 1)
    return numbers


def _new_credentials() -> Credentials:
    """Of the length of AWS's, and of letters and digits only, so that every tool and shell takes them."""
    return Credentials(f"MRDN{_random_word(_key_letters, 16)}", _random_word(_secret_letters, 40))


def _random_word(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _check(record: LabRecord) -> None:
    count = len(record.regions)
    if count >= replicator_offset or record.base_port + 2 * replicator_offset > 65_535:
        raise OperatorError(
            f"{count} regions from port {record.base_port} on don't fit",
            why=f"a lab has at most {replicator_offset - 1} regions, and 200 ports from its base port on",
            next_step="Choose a lower --base-port or fewer --regions",
        )
