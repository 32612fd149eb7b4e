"""Which topic carries what, and how topics are made."""

import struct
from dataclasses import dataclass

from shared.changes.records import Lane
from shared.model.tables import Generation, catalog_generation

record_bytes_max = 8 * 1024 * 1024  # the largest item, written as JSON, with its vector and keys
_sequence = struct.Struct(">Q")


def catalog_topic(region: str) -> str:
    return f"meridian.{region}.catalog"


def heartbeats_topic(region: str) -> str:
    return f"meridian.{region}.heartbeats"


def table_topic(region: str, generation: Generation) -> str:
    return f"meridian.{region}.table.{generation.hex()}"


def topic_of(region: str, lane: Lane) -> str:
    return catalog_topic(region) if lane.generation == catalog_generation else table_topic(region, lane.generation)


def key_of(sequence: int) -> bytes:
    """The key of a change's record: its origin sequence."""
    return _sequence.pack(sequence)


def sequence_of(key: bytes | None) -> int | None:
    """None for what is no key of ours."""
    return _sequence.unpack(key)[0] if key is not None and len(key) == _sequence.size else None


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How topics are made; of those that exist only missing partitions are added."""

    replication_factor: int = 1
    min_insync_replicas: int = 1
    retention_hours: int = 7 * 24
    compression: str = "none"  # or gzip

    def to_configuration(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "compression.type": "uncompressed" if self.compression == "none" else self.compression,
            "max.message.bytes": str(record_bytes_max),
            "message.timestamp.type": "CreateTime",
            "min.insync.replicas": str(self.min_insync_replicas),
            "retention.ms": str(self.retention_hours * 3_600_000),
            "retention.bytes": "-1",
            "unclean.leader.election.enable": "false",
        }
