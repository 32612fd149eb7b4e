"""Decided changes as the transaction log keeps them, and what an earlier life of the process has left there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.region.commands.transactions import ClientToken
from services.region.engine.transaction_views import DecidedChange, Place
from services.region.rules.stored import StoredItem
from shared.changes.batches import Delivery, decode_batch, encode_batch
from shared.changes.records import Change, Lane, decode_change, encode_change
from shared.model.keys import ItemKey, slot_of
from shared.versions.versions import encode_seen


class Remains(NamedTuple):
    """What an earlier life of the process has committed and perhaps not done, by its entries' numbers and by lane."""

    numbers: Sequence[int]
    client_tokens: Sequence[ClientToken]
    changes: Mapping[Lane, Sequence[Change]]


def encode_changes(changes: Sequence[DecidedChange], now_us: int) -> bytes:
    """A record's origin sequence is given only when it is written."""
    if not changes:
        return b""
    return encode_batch(
        {},
        [
            Delivery(
                lane,
                0,
                encode_change(
                    kind,
                    lane,
                    version=item.version,
                    origin_sequence=0,
                    seen=item.seen,
                    commit_us=now_us,
                    partition_key=key.partition,
                    sort_key=key.sort,
                    image=item.image,
                ),
            )
            for (lane, key), kind, item in changes
        ],
    )


def decode_changes(entry: bytes) -> Sequence[Change]:
    """What an entry of the log says was decided."""
    return [decode_change(delivery.record) for delivery in decode_batch(entry).deliveries]


def as_decided(change: Change) -> DecidedChange:
    """A change that was read from the log, to be written."""
    key = ItemKey(slot_of(change.partition_key), change.partition_key, change.sort_key)
    return DecidedChange(
        Place(change.lane, key), change.kind, StoredItem(*change.version, encode_seen(change.seen), change.image)
    )
