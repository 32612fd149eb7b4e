"""What an arriving change does to the stored item: resolve() put into terms of rows and the conflict log."""

from typing import NamedTuple

from services.region.rules.stored import StoredItem
from shared.changes.records import Change
from shared.errors import CorruptRecordError
from shared.limits import clock_drift_max_ms, clock_drift_refuse_ms
from shared.model.tables import catalog_generation
from shared.model.values import same_image
from shared.versions.resolve import Outcome, Stamp, resolve
from shared.versions.versions import SeenVector, encode_seen


class RemoteDecision(NamedTuple):
    """`item`: replaces what is stored; `seen`: only the stored vector grows; `loser` and `winner`: of a conflict."""

    outcome: Outcome
    item: StoredItem | None = None
    seen: SeenVector | None = None
    loser: StoredItem | None = None
    winner: StoredItem | None = None


def decide_remote(change: Change, stored: StoredItem | None) -> RemoteDecision:
    """The table of semantics, "Versions and last-writer-wins"; two tombstones or equal images are no conflict.

    Raises `CorruptRecordError` for an image that can't be compared.
    """
    incoming = Stamp(change.version, change.seen)
    resolution = resolve(None if stored is None else Stamp(stored.version, stored.seen_vector), incoming)
    arrived = StoredItem(*change.version, encode_seen(resolution.seen), change.image)
    if stored is None:
        return RemoteDecision(resolution.outcome, item=arrived)
    conflict = resolution.concurrent and not _holds_the_same(stored, change)
    if resolution.outcome is Outcome.APPLIED:
        return RemoteDecision(
            Outcome.APPLIED,
            item=arrived,
            loser=stored if conflict else None,
            winner=arrived if conflict else None,
        )
    return RemoteDecision(
        resolution.outcome,
        seen=resolution.seen if resolution.seen != stored.seen_vector else None,
        loser=arrived if conflict else None,
        winner=stored if conflict else None,
    )


def _holds_the_same(stored: StoredItem, change: Change) -> bool:
    """What the catalog lane carries are documents, not items; they are the same when their bytes are."""
    if change.lane.generation == catalog_generation:
        return stored.image == change.image
    try:
        return same_image(stored.image, change.image)
    except (TypeError, AttributeError, LookupError, ValueError, ArithmeticError, StopIteration) as error:
        raise CorruptRecordError("its image is not an item") from error


def check_stamp(change: Change) -> None:
    """Resolution rests on it: a version is the highest of those that its vector covers. `CorruptRecordError` if not."""
    highest = max(((timestamp, region) for region, timestamp in change.seen.items()), default=None)
    if highest != change.version:
        raise CorruptRecordError("its seen vector does not fit its version")


class Drift(NamedTuple):
    """How far a change's timestamp is ahead of the local wall clock, and what that means."""

    ahead_ms: int

    @property
    def is_alarming(self) -> bool:
        return self.ahead_ms > clock_drift_max_ms

    @property
    def is_refused(self) -> bool:
        return self.ahead_ms > clock_drift_refuse_ms


def drift_of(change: Change, now_us: int) -> Drift:
    return Drift(change.version.milliseconds - now_us // 1000)
