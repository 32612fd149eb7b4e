"""What an arriving change does to the stored item and to the conflict log."""

from dataclasses import replace

import pytest

from services.region.rules.remote import RemoteDecision, decide_remote, drift_of
from services.region.rules.stored import StoredItem
from shared.changes.records import Change, Kind, Lane
from shared.limits import clock_drift_max_ms, clock_drift_refuse_ms
from shared.model.tables import Generation, catalog_generation
from shared.versions.resolve import Outcome
from shared.versions.versions import SeenVector, Version, encode_seen

lane = Lane(Generation(b"g" * 16), 0)
old, new = b'{"p":{"S":"x"},"n":{"N":"1"}}', b'{"p":{"S":"x"},"n":{"N":"2"}}'


def change(version: Version, image: bytes | None = new, seen: SeenVector | None = None) -> Change:
    return Change(
        kind=Kind.DELETE if image is None else Kind.PUT,
        lane=lane,
        origin=version.region,
        origin_sequence=1,
        version=version,
        seen=seen or {version.region: version.timestamp},
        commit_us=0,
        partition_key=b"x",
        sort_key=b"",
        image=image,
    )


def state(version: Version, image: bytes | None = old, seen: SeenVector | None = None) -> StoredItem:
    return StoredItem(*version, encode_seen(seen or {version.region: version.timestamp}), image)


def merged(version: Version, image: bytes | None, *vectors: tuple[int, int]) -> StoredItem:
    return StoredItem(*version, encode_seen(dict(vectors)), image)


def test_a_change_of_an_item_that_is_not_here_is_stored() -> None:
    decision = decide_remote(change(Version(5, 2)), None)
    assert decision == RemoteDecision(Outcome.APPLIED, item=merged(Version(5, 2), new, (2, 5)))


def test_a_repeated_change_does_nothing() -> None:
    assert decide_remote(change(Version(5, 2), old), state(Version(5, 2))) == RemoteDecision(Outcome.DUPLICATE)


def test_a_repeat_that_has_seen_more_grows_the_vector() -> None:
    decision = decide_remote(change(Version(5, 2), old, {2: 5, 3: 4}), state(Version(5, 2)))
    assert decision == RemoteDecision(Outcome.DUPLICATE, seen={2: 5, 3: 4})


def test_a_change_that_stored_descends_from_does_nothing() -> None:
    decision = decide_remote(change(Version(5, 2)), state(Version(6, 1), seen={1: 6, 2: 5}))
    assert decision == RemoteDecision(Outcome.SUPERSEDED)


def test_a_change_that_has_seen_what_is_stored_replaces_it() -> None:
    decision = decide_remote(change(Version(6, 2), seen={1: 5, 2: 6}), state(Version(5, 1)))
    assert decision == RemoteDecision(Outcome.APPLIED, item=merged(Version(6, 2), new, (1, 5), (2, 6)))


def test_the_stored_loser_of_a_conflict_goes_to_the_log() -> None:
    stored = state(Version(5, 1))
    decision = decide_remote(change(Version(6, 2)), stored)
    winner = merged(Version(6, 2), new, (1, 5), (2, 6))
    assert decision == RemoteDecision(Outcome.APPLIED, item=winner, loser=stored, winner=winner)


def test_the_arriving_loser_of_a_conflict_goes_to_the_log() -> None:
    stored = state(Version(6, 1))
    decision = decide_remote(change(Version(5, 2)), stored)
    assert (decision.outcome, decision.item, decision.seen) == (Outcome.SUPERSEDED, None, {1: 6, 2: 5})
    assert decision.loser is not None
    assert (decision.loser.version, decision.loser.image) == (Version(5, 2), new)
    assert decision.winner == stored


@pytest.mark.parametrize("arriving", [Version(5, 2), Version(7, 2)])
@pytest.mark.parametrize(
    ("left", "right"), [(None, None), (old, old), (b'{"a":{"S":"x"},"n":{"N":"1"}}', b'{"n":{"N":"1"},"a":{"S":"x"}}')]
)
def test_equal_images_and_two_tombstones_are_no_conflict(
    arriving: Version, left: bytes | None, right: bytes | None
) -> None:
    decision = decide_remote(change(arriving, left), state(Version(6, 1), right))
    assert (decision.loser, decision.winner) == (None, None)


def test_documents_of_the_catalog_lane_are_compared_as_they_are() -> None:
    """A definition is no item: two regions that change one table at a time must not stop the catalog lane."""
    left, right = b'{"format":1,"name":"orders"}', b'{"name":"orders","format":1}'
    arriving = replace(change(Version(7, 2), left), lane=Lane(catalog_generation, 0))
    assert decide_remote(arriving, state(Version(6, 1), right)).loser == state(Version(6, 1), right)
    assert decide_remote(arriving, state(Version(6, 1), left)).loser is None


@pytest.mark.parametrize(("arriving", "stored"), [(None, old), (new, None)])
def test_a_delete_beside_a_write_is_a_conflict(arriving: bytes | None, stored: bytes | None) -> None:
    decision = decide_remote(change(Version(7, 2), arriving), state(Version(6, 1), stored))
    assert decision.loser is not None
    assert decision.loser.image == stored


def test_a_delete_survives_an_older_update_from_another_region() -> None:
    decision = decide_remote(change(Version(5, 2)), state(Version(6, 1), None))
    assert decision.item is None


@pytest.mark.parametrize(
    ("ahead_ms", "alarming", "refused"),
    [
        (-10_000, False, False),
        (0, False, False),
        (clock_drift_max_ms, False, False),
        (clock_drift_max_ms + 1, True, False),
        (clock_drift_refuse_ms, True, False),
        (clock_drift_refuse_ms + 1, True, True),
    ],
)
def test_drift_is_told_from_the_local_clock(ahead_ms: int, alarming: bool, refused: bool) -> None:
    now_ms = 1_700_000_000_000
    drift = drift_of(change(Version((now_ms + ahead_ms) << 16, 2)), now_ms * 1000)
    assert (drift.is_alarming, drift.is_refused) == (alarming, refused)
