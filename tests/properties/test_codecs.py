"""What is stored and sent: it survives its codec, and bytes that are something else are told from it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.changes.batches import Batch, Delivery, decode_batch, encode_batch
from shared.changes.heartbeats import Heartbeat, decode_heartbeat, encode_heartbeat
from shared.changes.records import Change, Kind, Lane, commit_us_of, decode_change, encode_change
from shared.errors import CorruptRecordError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import (
    BillingMode,
    Generation,
    RegionName,
    ReplicaState,
    ReplicaStatus,
    StreamSpecification,
    TableDefinition,
    decode_definition,
    decode_replica_state,
    encode_definition,
    encode_replica_state,
)
from shared.versions.versions import Version, encode_seen
from tests.properties.attribute_values import items

unsigned_64 = st.integers(0, 2**64 - 1)
unsigned_63 = st.integers(0, 2**63 - 1)  # what a partition file keeps
region_numbers = st.integers(1, 255)
texts = st.text(max_size=10)
lanes = st.builds(Lane, st.binary(min_size=16, max_size=16).map(Generation), st.integers(0, 65_535))


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind, region = draw(st.sampled_from(Kind)), draw(region_numbers)
    return Change(
        kind=kind,
        lane=draw(lanes),
        origin=region,
        origin_sequence=draw(unsigned_63),
        version=Version(draw(unsigned_63), region),
        seen=draw(st.dictionaries(region_numbers, unsigned_63, max_size=4)),
        commit_us=draw(unsigned_63),
        partition_key=draw(st.binary(min_size=1, max_size=20)),
        sort_key=draw(st.binary(max_size=20)),
        image=orjson.dumps(draw(items)) if kind is Kind.PUT else None,
    )


def encoded(change: Change) -> bytes:
    return encode_change(
        change.kind,
        change.lane,
        version=change.version,
        origin_sequence=change.origin_sequence,
        seen=encode_seen(change.seen),
        commit_us=change.commit_us,
        partition_key=change.partition_key,
        sort_key=change.sort_key,
        image=change.image,
    )


heartbeats = st.builds(Heartbeat, region_numbers, unsigned_64, st.dictionaries(lanes, unsigned_64, max_size=4))
deliveries = st.builds(Delivery, lanes, unsigned_64, st.binary(max_size=40), st.integers(-(2**63), 2**63 - 1))
batches = st.builds(
    Batch, st.dictionaries(texts, st.one_of(texts, st.integers(-5, 5), st.none())), st.lists(deliveries, max_size=5)
)
key_attributes = st.builds(KeyAttribute, texts, st.sampled_from("SNB"))
definitions = st.builds(
    TableDefinition,
    generation=st.binary(min_size=16, max_size=16).map(Generation),
    name=texts,
    key_schema=st.builds(KeySchema, key_attributes, st.none() | key_attributes),
    partition_count=st.integers(1, 256),
    replicas=st.lists(texts.map(RegionName), max_size=3).map(tuple),
    created_us=st.integers(0, 2**60),
    billing_mode=st.sampled_from(BillingMode),
    read_capacity_units=st.integers(0, 100),
    write_capacity_units=st.integers(0, 100),
    stream=st.none() | st.builds(StreamSpecification, st.booleans(), st.none() | texts),
    global_since_us=st.none() | st.integers(0, 2**60),
)
replica_states = st.builds(ReplicaState, st.sampled_from(ReplicaStatus), st.integers(0, 100), st.none() | texts)


class Codec:
    """A format with what makes examples of it."""

    def __init__(
        self, examples: st.SearchStrategy[Any], encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]
    ) -> None:
        self.examples = examples
        self.encode = encode
        self.decode = decode


codecs = {
    "change": Codec(changes(), encoded, decode_change),
    "heartbeat": Codec(heartbeats, encode_heartbeat, decode_heartbeat),
    "batch": Codec(batches, lambda batch: encode_batch(*batch), decode_batch),
    "definition": Codec(definitions, encode_definition, decode_definition),
    "replica state": Codec(replica_states, encode_replica_state, decode_replica_state),
}
few = settings(max_examples=40)
every_codec = pytest.mark.parametrize("codec", codecs.values(), ids=codecs)


@every_codec
@few
@given(data=st.data())
def test_what_is_encoded_is_decoded(codec: Codec, data: st.DataObject) -> None:
    value = data.draw(codec.examples)
    assert codec.decode(codec.encode(value)) == value


@every_codec
@few
@given(data=st.data())
def test_every_truncation_is_noticed(codec: Codec, data: st.DataObject) -> None:
    whole = codec.encode(data.draw(codec.examples))
    for length in range(len(whole)):
        with pytest.raises(CorruptRecordError):
            codec.decode(whole[:length])


@every_codec
@few
@given(data=st.data(), more=st.binary(min_size=1, max_size=5).filter(bytes.strip))
def test_what_is_longer_is_noticed(codec: Codec, data: st.DataObject, more: bytes) -> None:
    whole = codec.encode(data.draw(codec.examples))
    with pytest.raises(CorruptRecordError):
        codec.decode(whole + more)


@every_codec
@few
@given(data=st.data())
def test_altered_bytes_are_decoded_or_refused_and_nothing_else(codec: Codec, data: st.DataObject) -> None:
    whole = bytearray(codec.encode(data.draw(codec.examples)))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(CorruptRecordError):
        codec.decode(bytes(whole))


@every_codec
@few
@given(content=st.binary(max_size=80), as_format=st.booleans())
def test_random_bytes_are_decoded_or_refused_and_nothing_else(codec: Codec, content: bytes, as_format: bool) -> None:
    with suppress(CorruptRecordError):
        codec.decode(b"\x01" * as_format + content)


@pytest.mark.parametrize("name", ["change", "heartbeat", "batch"])
@few
@given(data=st.data(), number=st.integers(2, 255))
def test_binary_formats_of_later_releases_are_refused(name: str, data: st.DataObject, number: int) -> None:
    whole = codecs[name].encode(data.draw(codecs[name].examples))
    with pytest.raises(CorruptRecordError):
        codecs[name].decode(bytes([number]) + whole[1:])


@pytest.mark.parametrize("name", ["definition", "replica state"])
@few
@given(data=st.data())
def test_document_formats_of_later_releases_are_refused(name: str, data: st.DataObject) -> None:
    document = orjson.loads(codecs[name].encode(data.draw(codecs[name].examples)))
    with pytest.raises(CorruptRecordError):
        codecs[name].decode(orjson.dumps(document | {"format": 2}))


@given(changes())
def test_the_commit_time_is_read_without_the_rest(change: Change) -> None:
    assert commit_us_of(encoded(change)) == change.commit_us


@given(st.binary(max_size=60))
def test_the_commit_time_of_what_is_no_record_is_none_or_a_number(content: bytes) -> None:
    assert isinstance(commit_us_of(content), int | None)
