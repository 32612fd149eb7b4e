"""The order in which the service, which is written in Java, lists sets of names in its messages: that of a HashSet."""

from collections.abc import Sequence


def as_set(names: Sequence[str], *, buckets: int = 16) -> list[str]:
    """Distinct names in the order in which a set that grew to them is walked."""
    distinct = dict.fromkeys(names)
    while len(distinct) > buckets * 3 // 4:
        buckets *= 2
    return sorted(distinct, key=lambda name: _spread_hash(name) & (buckets - 1))


def as_expected_set(names: Sequence[str]) -> list[str]:
    """As `as_set`, of a set whose size was known when it was made."""
    return as_set(names, buckets=1 << (len(names) - 1).bit_length())


def _spread_hash(text: str) -> int:
    units = text.encode("utf-16-be")
    code = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (code * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return code ^ code >> 16
