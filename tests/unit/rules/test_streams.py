"""What a stream shows of a change, and how its positions are written."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.commands.streams import EventName, StreamRecord
from services.region.rules import streams
from services.region.rules.streams import (
    IteratorPlace,
    KeptStream,
    decode_iterator,
    encode_iterator,
    label_of,
    sequence_number,
    sequence_of,
    shard_id,
    stream_record,
    with_stream,
)
from shared.changes.records import Change, Kind, Lane
from shared.errors import ValidationError
from shared.limits import partitions_max, shard_iterator_age_max_s, stream_age_max_s
from shared.model.keys import KeyAttribute, KeySchema, key_bytes
from shared.model.tables import Generation, RegionName, StreamSpecification, TableDefinition
from shared.model.values import Item, encode_item
from shared.versions.versions import Version

generation = Generation(b"0123456789abcdef")
schema = KeySchema(KeyAttribute("p", "S"))
definition = TableDefinition(generation, "orders", schema, 4, (RegionName("here"),), created_us=1_000_000)
on = StreamSpecification(enabled=True, view_type="KEYS_ONLY")
off = StreamSpecification(enabled=False)
key = b"k" * 32
places = st.builds(
    IteratorPlace,
    st.binary(min_size=16, max_size=16).map(Generation),
    st.integers(0, 2**63 - 1),
    st.integers(0, partitions_max - 1),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1),
)


def change_of(kind: Kind, item: Item | None) -> Change:
    return Change(
        kind=kind,
        lane=Lane(generation, 3),
        origin=1,
        origin_sequence=7,
        version=Version(5, 1),
        seen={1: 5},
        commit_us=1_700_000_000_123_456,
        partition_key=key_bytes({"S": "a"}),
        sort_key=b"",
        image=None if item is None else encode_item(item),
    )


def record_of(
    kind: Kind, *, old: Item | None, new: Item | None, view_type: str = "NEW_AND_OLD_IMAGES", made_here: bool = True
) -> StreamRecord | None:
    return stream_record(
        change_of(kind, new),
        sequence=9,
        commit_us=1_700_000_000_123_456,
        old_image=None if old is None else encode_item(old),
        made_here=made_here,
        schema=schema,
        view_type=view_type,
        region="here",
    )


def item(**texts: str) -> Item:
    return {"p": {"S": "a"}} | {name: {"S": text} for name, text in texts.items()}


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (None, item(x="1"), EventName.INSERT),
        (item(x="1"), item(x="2"), EventName.MODIFY),
        (item(x="1"), None, EventName.REMOVE),
    ],
)
def test_a_record_is_named_by_what_was_there_and_what_is(old: Item | None, new: Item | None, name: EventName) -> None:
    record = record_of(Kind.DELETE if new is None else Kind.PUT, old=old, new=new)
    assert record is not None
    assert (record.event_name, record.keys) == (name, item())
    assert record.sequence_number == sequence_number(9, 3)


def test_what_changes_nothing_has_no_record() -> None:
    same = item(x="1") | {"n": {"N": "1"}, "s": {"SS": ["a", "b"]}}
    shuffled = dict(reversed(same.items())) | {"s": {"SS": ["b", "a"]}}
    assert record_of(Kind.PUT, old=same, new=same) is None
    assert record_of(Kind.PUT, old=same, new=shuffled) is None
    assert record_of(Kind.DELETE, old=None, new=None) is None


def test_an_expiry_is_the_services_own_in_its_origin_region_only() -> None:
    for kind, made_here, by_service in (
        (Kind.EXPIRY, True, True),
        (Kind.EXPIRY, False, False),
        (Kind.DELETE, True, False),
    ):
        record = record_of(kind, old=item(), new=None, made_here=made_here)
        assert record is not None
        assert record.by_service is by_service


@pytest.mark.parametrize(
    ("view_type", "size_bytes"), [("KEYS_ONLY", 5), ("NEW_IMAGE", 26), ("OLD_IMAGE", 38), ("NEW_AND_OLD_IMAGES", 59)]
)
def test_the_size_is_of_what_is_shown(view_type: str, size_bytes: int) -> None:
    """The sizes of AWS's own sample events."""
    schema_of_sample = KeySchema(KeyAttribute("Id", "N"))
    new: Item = {"Message": {"S": "New item!"}, "Id": {"N": "101"}}
    old: Item = {"Message": {"S": "This item has changed"}, "Id": {"N": "101"}}
    record = stream_record(
        change_of(Kind.PUT, new),
        sequence=1,
        commit_us=0,
        old_image=encode_item(old),
        made_here=True,
        schema=schema_of_sample,
        view_type=view_type,
        region="here",
    )
    assert record is not None
    assert record.size_bytes == size_bytes


def test_event_ids_differ_between_regions_and_stay_the_same() -> None:
    def id_in(region: str) -> str:
        record = stream_record(
            change_of(Kind.PUT, item()),
            sequence=1,
            commit_us=0,
            old_image=None,
            made_here=True,
            schema=schema,
            view_type="KEYS_ONLY",
            region=region,
        )
        assert record is not None
        return record.event_id

    assert id_in("here") == id_in("here") != id_in("there")


@given(st.lists(st.integers(0, 2**63 - 1), min_size=2, max_size=2), st.integers(0, partitions_max - 1))
def test_sequence_numbers_sort_like_sequences(sequences: list[int], partition: int) -> None:
    first, second = (sequence_number(sequence, partition) for sequence in sequences)
    assert (first < second) == (int(first) < int(second)) == (sequences[0] < sequences[1])
    assert 21 <= len(first) <= 40
    assert sequence_of(first) == sequences[0]
    assert first != sequence_number(sequences[0], (partition + 1) % partitions_max)


@pytest.mark.parametrize("number", ["", "x" * 24, "0" * 24, "1" + "²" * 23, "2" + "0" * 20 + "003", "1" * 40])
def test_what_is_no_sequence_number_is_told(number: str) -> None:
    assert sequence_of(number) is None


def test_shards_sort_by_partition() -> None:
    ids = [shard_id(generation, 1_700_000_000_123_456, partition) for partition in range(partitions_max)]
    assert ids == sorted(set(ids))
    assert ids[255] == "shardId-00000001700000000123-ff303132"


@given(places)
def test_an_iterator_survives_its_token(place: IteratorPlace) -> None:
    assert decode_iterator(encode_iterator(place, key), key) == place


@given(places, st.integers(0, 10_000))
def test_a_changed_token_is_none(place: IteratorPlace, at: int) -> None:
    token = encode_iterator(place, key)
    at %= len(token)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    assert decode_iterator(changed, key) is None
    assert decode_iterator(token, b"another key" * 3) is None


@given(st.text())
def test_any_text_is_dealt_with_as_a_token(text: str) -> None:
    assert decode_iterator(text, key) is None


def test_an_iterator_of_another_format_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(streams, "_iterator_format", 2)
        token = encode_iterator(IteratorPlace(generation, 1, 0, 0, 0), key)
    assert decode_iterator(token, key) is None


def test_an_iterator_expires_after_15_minutes() -> None:
    place = IteratorPlace(generation, 1, 0, 0, issued_us=1_000_000)
    age_us = shard_iterator_age_max_s * 1_000_000
    assert not place.is_expired(1_000_000 + age_us)
    assert place.is_expired(1_000_001 + age_us)


def test_a_disabled_stream_is_readable_for_a_day() -> None:
    stream = KeptStream(generation, "orders", "KEYS_ONLY", 1_000_000, (0,))
    assert stream.is_readable(2**60)
    ended = replace(stream, disabled_us=2_000_000, ended=(0,))
    day_us = stream_age_max_s * 1_000_000
    assert ended.is_readable(1_999_999 + day_us)
    assert not ended.is_readable(2_000_000 + day_us)


def test_a_label_is_the_moment_of_enabling() -> None:
    assert label_of(1_700_000_000_123_456) == "2023-11-14T22:13:20.123"


def test_every_stream_of_a_table_has_a_label_of_its_own() -> None:
    """Also when the clock stands still between disabling and enabling."""
    first = with_stream(definition, on, 5_000_000)
    second = with_stream(with_stream(first, off, 5_000_000), on, 5_000_000)
    labels = [label_of(each.stream_since_us or 0) for each in (first, second)]
    assert labels[0] < labels[1]


def test_what_would_change_nothing_is_refused() -> None:
    enabled = with_stream(definition, on, 5_000_000)
    with pytest.raises(ValidationError, match="Table already has an enabled stream: TableName: orders"):
        with_stream(enabled, on, 6_000_000)
    disabled = with_stream(enabled, off, 6_000_000)
    assert disabled.stream_since_us == 5_000_000
    with pytest.raises(ValidationError, match="Table has no stream to disable: TableName: orders"):
        with_stream(disabled, off, 7_000_000)


def test_a_replicas_stream_stays_on() -> None:
    enabled = with_stream(definition, on, 5_000_000).with_replicas((RegionName("here"), RegionName("there")))
    with pytest.raises(ValidationError, match="Disabling Stream is not allowed for a Global Table replica"):
        with_stream(enabled, off, 6_000_000)
