"""The command lines of a lab's processes."""

import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from services.lab.layout import LabFolder
from services.lab.record import LabRecord, ProcessRecord
from shared.topology import Topology


def region_command(
    process: ProcessRecord, record: LabRecord, folder: LabFolder, *, kafka_bootstrap: str | None
) -> list[str]:
    flags = {
        "region": process.region,
        "data": str(folder.region(process.region)),
        "port": str(port_of(process)),
        "topology": str(record.topology),
        "feed": record.feed,
        "token-file": str(folder.token),
    }
    if kafka_bootstrap is not None:
        flags["kafka-bootstrap"] = kafka_bootstrap
    return _python("services.region", flags)


def replicator_command(
    process: ProcessRecord,
    record: LabRecord,
    folder: LabFolder,
    *,
    topology: Topology,
    kafka_bootstraps: Mapping[str, str],
) -> list[str]:
    """`topology` and `kafka_bootstraps` are what this replicator is to see: the relays in front of other regions."""
    flags = {
        "region": process.region,
        "port": str(port_of(process)),
        "endpoint": record.topology.named(process.region).endpoint,
        "topology": str(topology),
        "feed": record.feed,
        "token-file": str(folder.token),
    }
    if kafka_bootstraps:
        flags["kafka-bootstrap"] = ",".join(f"{region}={address}" for region, address in kafka_bootstraps.items())
    return _python("services.replicator", flags)


def port_of(process: ProcessRecord) -> int:
    port = urlsplit(process.address).port
    assert port is not None, "a lab's endpoints name their port"
    return port


def _python(module: str, flags: Mapping[str, str]) -> list[str]:
    # -P: a folder named `services` or `shared` where the lab was started must not be taken for ours.
    return [
        sys.executable,
        "-P",
        "-m",
        module,
        *(word for name, value in flags.items() for word in (f"--{name}", value)),
    ]
