"""What is stored of an item, as the rules see it: version, seen vector and image; a tombstone has no image."""

from typing import NamedTuple

from shared.versions.versions import SeenVector, Version, decode_seen


class StoredItem(NamedTuple):
    timestamp: int
    region: int
    seen: bytes  # encoded vector
    image: bytes | None  # encoded item; None: a tombstone

    @property
    def version(self) -> Version:
        return Version(self.timestamp, self.region)

    @property
    def seen_vector(self) -> SeenVector:
        return decode_seen(self.seen)
