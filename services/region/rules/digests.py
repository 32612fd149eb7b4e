"""The digest of a partition: an order-free additive 128-bit sum over live items' (key, version, image).

Addition modulo 2^128 of BLAKE2b hashes, so that it can be kept incrementally, subtracted from, and summed over slot
ranges; equal digests mean equal items in equal versions (Bellare and Micciancio's AdHash construction).
"""

import hashlib
import struct

from services.region.rules.stored import StoredItem
from shared.model.keys import ItemKey

digest_modulus = 1 << 128
digest_bytes = 16
_head = struct.Struct(">HHQB")


def item_digest(key: ItemKey, stored: StoredItem | None) -> int:
    """The share of one item; an absent item or a tombstone has none."""
    if stored is None or stored.image is None:
        return 0
    head = _head.pack(len(key.partition), len(key.sort), stored.timestamp, stored.region)
    hashed = hashlib.blake2b(head + key.partition + key.sort + stored.image, digest_size=digest_bytes)
    return int.from_bytes(hashed.digest())
