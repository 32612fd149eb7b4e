"""Every format with its examples, and how an example is written down so that a person can read it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from services.region.rules import digests, replica_facts
from services.region.rules.replica_facts import ContributorInsights, KinesisDestination, ReplicaFacts, ResourcePolicy
from services.region.rules.stored import StoredItem
from shared.changes import batches, heartbeats, records
from shared.changes.batches import Batch, Delivery
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Change, Kind, Lane
from shared.model import tables
from shared.model.indexes import index_of
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, key_bytes, slot_of
from shared.model.tables import (
    BillingMode,
    Encryption,
    Generation,
    RegionName,
    ReplicaIndexSettings,
    ReplicaSettings,
    ReplicaState,
    ReplicaStatus,
    StreamSpecification,
    TableDefinition,
    TableSettings,
    TimeToLive,
)
from shared.versions.versions import Version, encode_seen

folder = Path(__file__).parent / "files"
Document = dict[str, Any]  # an example as JSON; bytes are written as hexadecimal digits


@dataclass(frozen=True, slots=True)
class Format:
    """`decode` is None for what is only ever made and compared."""

    name: str
    number: int
    examples: Mapping[str, Document]
    encode: Callable[[Document], bytes]
    decode: Callable[[bytes], Document] | None = None


def _lane(document: list[Any]) -> Lane:
    generation, partition = document
    return Lane(Generation(bytes.fromhex(generation)), partition)


def _lane_document(lane: Lane) -> list[Any]:
    return [lane.generation.hex(), lane.partition]


def _encode_change(document: Document) -> bytes:
    return records.encode_change(
        Kind[document["kind"]],
        _lane(document["lane"]),
        version=Version(*document["version"]),
        origin_sequence=document["origin_sequence"],
        seen=encode_seen({int(region): timestamp for region, timestamp in document["seen"].items()}),
        commit_us=document["commit_us"],
        partition_key=bytes.fromhex(document["partition_key"]),
        sort_key=bytes.fromhex(document["sort_key"]),
        image=None if document["image"] is None else document["image"].encode(),
    )


def _decode_change(record: bytes) -> Document:
    change: Change = records.decode_change(record)
    return {
        "kind": change.kind.name,
        "lane": _lane_document(change.lane),
        "origin_sequence": change.origin_sequence,
        "version": list(change.version),
        "seen": {str(region): timestamp for region, timestamp in change.seen.items()},
        "commit_us": change.commit_us,
        "partition_key": change.partition_key.hex(),
        "sort_key": change.sort_key.hex(),
        "image": None if change.image is None else change.image.decode(),
    }


def _encode_heartbeat(document: Document) -> bytes:
    heads = {_lane(lane): sequence for lane, sequence in document["heads"]}
    return heartbeats.encode_heartbeat(Heartbeat(document["region"], document["time_us"], heads))


def _decode_heartbeat(record: bytes) -> Document:
    heartbeat = heartbeats.decode_heartbeat(record)
    heads = [[_lane_document(lane), sequence] for lane, sequence in heartbeat.heads.items()]
    return {"region": heartbeat.region, "time_us": heartbeat.time_us, "heads": heads}


def _encode_batch(document: Document) -> bytes:
    deliveries = [
        Delivery(_lane(lane), sequence, bytes.fromhex(record), offset)
        for lane, sequence, record, offset in document["deliveries"]
    ]
    return batches.encode_batch(document["head"], deliveries)


def _decode_batch(body: bytes) -> Document:
    batch: Batch = batches.decode_batch(body)
    deliveries = [
        [_lane_document(lane), sequence, record.hex(), offset] for lane, sequence, record, offset in batch.deliveries
    ]
    return {"head": batch.head, "deliveries": deliveries}


def _encode_definition(document: Document) -> bytes:
    keys, stream, ttl = document["key_schema"], document["stream"], document["ttl"]
    given = document | {
        "generation": Generation(bytes.fromhex(document["generation"])),
        "key_schema": KeySchema(
            KeyAttribute(**keys["partition"]), None if keys["sort"] is None else KeyAttribute(**keys["sort"])
        ),
        "replicas": tuple(map(RegionName, document["replicas"])),
        "billing_mode": BillingMode(document["billing_mode"]),
        "stream": None if stream is None else StreamSpecification(**stream),
        "indexes": tuple(map(index_of, document["indexes"])),
        "settings": _table_settings(document["settings"]),
        "ttl": None if ttl is None else TimeToLive(**ttl),
    }
    return tables.encode_definition(TableDefinition(**given))


def _table_settings(document: Document) -> TableSettings:
    replicas = tuple(
        ReplicaSettings(**replica | {"indexes": tuple(ReplicaIndexSettings(**index) for index in replica["indexes"])})
        for replica in document["replicas"]
    )
    encryption = None if document["encryption"] is None else Encryption(**document["encryption"])
    return TableSettings(**document | {"encryption": encryption, "replicas": replicas})


def _decode_definition(encoded: bytes) -> Document:
    definition = tables.decode_definition(encoded)
    members = asdict(definition) | {"generation": definition.generation.hex()}
    document: Document = orjson.loads(orjson.dumps(members))
    return document


def _encode_facts(document: Document) -> bytes:
    converted = {
        "policies": {name: ResourcePolicy(**policy) for name, policy in document["policies"].items()},
        "insights": {name: ContributorInsights(**insights) for name, insights in document["insights"].items()},
        "kinesis": tuple(KinesisDestination(**destination) for destination in document["kinesis"]),
    }
    return replica_facts.encode_facts(ReplicaFacts(**document | converted))


def _decode_facts(encoded: bytes) -> Document:
    facts = asdict(replica_facts.decode_facts(encoded))
    return facts | {"kinesis": list(facts["kinesis"])}


def _encode_replica_state(document: Document) -> bytes:
    return tables.encode_replica_state(ReplicaState(**document | {"status": ReplicaStatus(document["status"])}))


def _decode_replica_state(document: bytes) -> Document:
    return asdict(tables.decode_replica_state(document))


def _encode_key(document: Document) -> bytes:
    """Slot and key bytes; every region must put an item into the same place."""
    encoded = key_bytes(document)
    return slot_of(encoded).to_bytes(2) + encoded


def _encode_digest(document: Document) -> bytes:
    partition, sort = bytes.fromhex(document["partition_key"]), bytes.fromhex(document["sort_key"])
    image = None if document["image"] is None else document["image"].encode()
    timestamp, region = document["version"]
    stored = StoredItem(timestamp, region, b"", image)
    return digests.item_digest(ItemKey(slot_of(partition), partition, sort), stored).to_bytes(digests.digest_bytes)


_generation = "00112233445566778899aabbccddeeff"
_image = '{"p":{"S":"key"},"c":{"N":"-1.5"},"text":{"S":"straße"}}'
_put = {
    "kind": "PUT",
    "lane": [_generation, 3],
    "origin_sequence": 42,
    "version": [111411200000000001, 2],
    "seen": {"1": 111411199999934464, "2": 111411200000000001},
    "commit_us": 1700000000000123,
    "partition_key": b"key".hex(),
    "sort_key": key_bytes({"N": "-1.5"}).hex(),
    "image": _image,
}
_delete = _put | {"kind": "DELETE", "image": None, "sort_key": "", "seen": {"2": 111411200000000001}}
_no_settings: Document = {
    "table_class": "STANDARD",
    "table_class_changed_us": None,
    "encryption": None,
    "on_demand_since_us": None,
    "max_read_request_units": None,
    "max_write_request_units": None,
    "warm_read_units": 0,
    "warm_write_units": 0,
    "capacity_increased_us": None,
    "capacity_decreased_us": None,
    "capacity_decreases": 0,
    "replicas": [],
}
_definition = {
    "generation": _generation,
    "name": "orders",
    "key_schema": {"partition": {"name": "p", "type": "S"}, "sort": {"name": "c", "type": "N"}},
    "partition_count": 4,
    "replicas": ["us-east-1", "eu-west-1"],
    "created_us": 1700000000000000,
    "billing_mode": "PAY_PER_REQUEST",
    "read_capacity_units": 0,
    "write_capacity_units": 0,
    "stream": {"enabled": True, "view_type": "NEW_AND_OLD_IMAGES"},
    "global_since_us": 1700000000000001,
    "indexes": [],
    "index_changes": 0,
    "settings": _no_settings | {"on_demand_since_us": 1700000000000000},
    "stream_since_us": 1700000000000000,
    "ttl": None,
}
_settings = {
    "table_class": "STANDARD_INFREQUENT_ACCESS",
    "table_class_changed_us": 1700000000000002,
    "encryption": {"key": "alias/orders"},
    "on_demand_since_us": 1700000000000000,
    "max_read_request_units": 100,
    "max_write_request_units": None,
    "warm_read_units": 13000,
    "warm_write_units": 5000,
    "capacity_increased_us": 1700000000000003,
    "capacity_decreased_us": 1700000000000004,
    "capacity_decreases": 2,
    "replicas": [
        {
            "region": "eu-west-1",
            "table_class": "STANDARD",
            "read_capacity_units": 7,
            "max_read_request_units": None,
            "encryption_key": None,
            "indexes": [{"name": "by-date", "read_capacity_units": 3, "max_read_request_units": None}],
        }
    ],
}
_indexes = [
    {
        "number": 1,
        "name": "by-date",
        "is_global": False,
        "partition": [{"name": "p", "type": "S"}],
        "sort": [{"name": "date", "type": "N"}],
        "table_keys": ["p", "c"],
        "projection": "INCLUDE",
        "included": ["text"],
        "read_capacity_units": 0,
        "write_capacity_units": 0,
        "on_demand": None,
        "warm_read_units": None,
        "warm_write_units": None,
        "capacity_increased_us": None,
        "capacity_decreased_us": None,
        "capacity_decreases": 0,
    },
    {
        "number": 435200000000001,
        "name": "by-place",
        "is_global": True,
        "partition": [{"name": "country", "type": "S"}, {"name": "town", "type": "S"}],
        "sort": [{"name": "street", "type": "S"}, {"name": "number", "type": "N"}],
        "table_keys": ["p", "c"],
        "projection": "ALL",
        "included": [],
        "read_capacity_units": 3,
        "write_capacity_units": 4,
        "on_demand": {"read_units": 5, "write_units": None},
        "warm_read_units": 13000,
        "warm_write_units": None,
        "capacity_increased_us": 1700000000000005,
        "capacity_decreased_us": 1700000000000006,
        "capacity_decreases": 1,
    },
]
_local_definition = _definition | {
    "key_schema": {"partition": {"name": "p", "type": "B"}, "sort": None},
    "replicas": ["us-east-1"],
    "billing_mode": "PROVISIONED",
    "read_capacity_units": 3,
    "write_capacity_units": 4,
    "stream": None,
    "global_since_us": None,
    "settings": _no_settings,
    "stream_since_us": None,
}
_digested = {"partition_key": "6b6579", "sort_key": "", "version": [111411200000000001, 2], "image": _image}
_numbers = [
    "0",
    "1",
    "-1",
    "10",
    "0.5",
    "-1.5",
    "123.456",
    "9" * 38,
    "-" + "9" * 38,
    "1" + "0" * 125,
    "0." + "0" * 129 + "1",
]

formats = [
    Format(
        "change",
        records.format_number,
        {
            "a put": _put,
            "a delete": _delete,
            "an expiry": _delete | {"kind": "EXPIRY"},
            "a row of a snapshot": _put | {"origin_sequence": 0},
            "the largest numbers": _put
            | {"version": [2**63 - 1, 255], "seen": {"255": 2**63 - 1}, "commit_us": 2**63 - 1},
        },
        _encode_change,
        _decode_change,
    ),
    Format(
        "heartbeat",
        heartbeats.format_number,
        {
            "nothing moved": {"region": 1, "time_us": 1700000000000123, "heads": []},
            "two lanes moved": {
                "region": 255,
                "time_us": 1700000000000123,
                "heads": [[["00" * 16, 0], 7], [[_generation, 3], 2**63]],
            },
        },
        _encode_heartbeat,
        _decode_heartbeat,
    ),
    Format(
        "batch",
        batches.format_number,
        {
            "empty": {"head": {"cursor": "a:1", "interrupted": True, "heartbeats": []}, "deliveries": []},
            "of two lanes": {
                "head": {"source": "us-east-1", "mode": "feed"},
                "deliveries": [
                    [[_generation, 3], 1, "0102", -1],
                    [[_generation, 0], 9, "", 700],
                    [[_generation, 3], 2, "ff", -1],
                ],
            },
        },
        _encode_batch,
        _decode_batch,
    ),
    Format(
        "definition",
        tables.format_number,
        {
            "global": _definition,
            "local": _local_definition,
            "with a latest stream and a time to live": _definition
            | {"stream": None, "stream_since_us": 1700000000000002, "ttl": {"attribute": "ends", "number": 259}},
            "with settings": _definition | {"settings": _settings},
            "with indexes": _definition | {"indexes": _indexes, "index_changes": 1},
        },
        _encode_definition,
        _decode_definition,
    ),
    Format(
        "replica_state",
        tables.format_number,
        {
            "active": {"status": "ACTIVE", "percent": 100, "description": None},
            "failed": {"status": "CREATION_FAILED", "percent": 0, "description": "the real error"},
        },
        _encode_replica_state,
        _decode_replica_state,
    ),
    Format(
        "replica_facts",
        replica_facts.format_number,
        {
            "none": {
                "tags": {},
                "is_protected": False,
                "policies": {},
                "insights": {},
                "kinesis": [],
                "tags_of_streams": {},
            },
            "all": {
                "tags": {"team": "blue", "empty": ""},
                "is_protected": True,
                "policies": {"": {"document": "{}", "revision": "1700000000000"}},
                "insights": {"by-date": {"is_enabled": True, "mode": "THROTTLED_KEYS", "changed_us": 1700000000000000}},
                "kinesis": [{"stream_arn": "arn:aws:kinesis:here:1:stream/s", "precision": None}],
                "tags_of_streams": {"2026-01-01T00:00:00.000": {"team": "red"}},
            },
        },
        _encode_facts,
        _decode_facts,
    ),
    Format(
        "key",
        1,
        {
            "text": {"S": "straße"},
            "binary": {"B": "AP8="},
            **{f"number {number}": {"N": number} for number in _numbers},
        },
        _encode_key,
    ),
    Format(
        "digest",
        1,
        {
            "an item": _digested,
            "with a sort key": _digested | {"sort_key": "0102"},
            "a tombstone": _digested | {"image": None},
        },
        _encode_digest,
    ),
]
