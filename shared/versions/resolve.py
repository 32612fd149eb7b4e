"""Last-writer-wins: what becomes of a stored item when another version of it arrives.

The table of semantics ("Versions and last-writer-wins"): coverage by a seen vector decides first, then the higher
version; the vector of the result is the maximum of both. Because a version is always higher than every version
that its vector covers, the result is the join of a semilattice: commutative, associative and idempotent.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.versions.versions import SeenVector, Version, covers, merge_seen


class Outcome(StrEnum):
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"


class Stamp(NamedTuple):
    """What resolution looks at of a stored or an arriving state."""

    version: Version
    seen: SeenVector


class Resolution(NamedTuple):
    outcome: Outcome
    concurrent: bool  # neither had seen the other; a conflict, unless both images are the same
    seen: SeenVector  # of the state that stays; equal to the stored one when nothing is to be written


def resolve(stored: Stamp | None, incoming: Stamp) -> Resolution:
    """Whether `incoming` replaces `stored`; `APPLIED` means that it does."""
    if stored is None:
        return Resolution(Outcome.APPLIED, concurrent=False, seen=incoming.seen)
    seen = merge_seen(stored.seen, incoming.seen)
    if incoming.version == stored.version:
        return Resolution(Outcome.DUPLICATE, concurrent=False, seen=seen)
    if covers(stored.seen, incoming.version):
        return Resolution(Outcome.SUPERSEDED, concurrent=False, seen=seen)
    if covers(incoming.seen, stored.version):
        return Resolution(Outcome.APPLIED, concurrent=False, seen=seen)
    outcome = Outcome.APPLIED if incoming.version > stored.version else Outcome.SUPERSEDED
    return Resolution(outcome, concurrent=True, seen=seen)
