"""resolve(): any order and any repetition of changes ends in the same item, and nothing that was seen is forgotten."""

from dataclasses import dataclass
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from shared.versions.resolve import Outcome, Stamp, resolve
from shared.versions.versions import (
    Version,
    covers,
    decode_seen,
    encode_seen,
    merge_seen,
    next_timestamp,
    timestamp_at,
    with_entry,
)

regions = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Step:
    """A local write in a region when `source` is None, else the arrival there of what another region holds."""

    region: int
    source: int | None
    wall_ms: int


steps = st.builds(
    Step, st.sampled_from(regions), st.sampled_from([None, *regions]), st.integers(1, 6)
)  # wall clocks that jump to and fro and often agree
histories = st.lists(steps, max_size=10)
vectors = st.dictionaries(st.integers(1, 255), st.integers(0, 2**64 - 1), max_size=5)


def joined(stored: Stamp | None, incoming: Stamp) -> Stamp:
    """The state that stays."""
    resolution = resolve(stored, incoming)
    version = incoming.version if stored is None or resolution.outcome is Outcome.APPLIED else stored.version
    return Stamp(version, resolution.seen)


def states_of(history: list[Step]) -> list[Stamp]:
    """Every state of one item that the regions of a history ever held."""
    held: dict[int, Stamp] = {}
    states = []
    for step in history:
        stored = held.get(step.region)
        if step.source is None:
            timestamp = next_timestamp(step.wall_ms * 1000, 0 if stored is None else stored.version.timestamp)
            seen = with_entry(b"" if stored is None else encode_seen(stored.seen), step.region, timestamp)
            state = Stamp(Version(timestamp, step.region), decode_seen(seen))
        elif step.source in held:
            state = joined(stored, held[step.source])
        else:
            continue
        held[step.region] = state
        states.append(state)
    return states


@st.composite
def drawn_states(draw: st.DrawFn, count: int) -> list[Stamp]:
    """States of one history, that may be equal, older than each other or concurrent."""
    states = states_of([Step(1, None, 1), *draw(histories)])
    return [draw(st.sampled_from(states)) for _ in range(count)]


@given(histories)
def test_a_version_is_higher_than_all_that_its_vector_covers(history: list[Step]) -> None:
    for version, seen in states_of(history):
        assert covers(seen, version)
        assert max(Version(timestamp, region) for region, timestamp in seen.items()) == version


@given(drawn_states(2))
def test_resolve_is_commutative(states: list[Stamp]) -> None:
    a, b = states
    assert joined(a, b) == joined(b, a)


@given(drawn_states(3))
def test_resolve_is_associative(states: list[Stamp]) -> None:
    a, b, c = states
    assert joined(joined(a, b), c) == joined(a, joined(b, c))


@given(drawn_states(2))
def test_resolve_is_idempotent(states: list[Stamp]) -> None:
    a, b = states
    assert joined(a, a) == a
    assert joined(joined(a, b), b) == joined(a, b)


@given(drawn_states(6), st.randoms(use_true_random=False))
def test_any_order_with_any_repetition_ends_in_one_state(states: list[Stamp], random: object) -> None:
    shuffled = states * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reduce(joined, shuffled) == reduce(joined, states)


@given(drawn_states(2))
def test_the_vector_only_grows(states: list[Stamp]) -> None:
    stored, incoming = states
    seen = resolve(stored, incoming).seen
    for before in (stored.seen, incoming.seen):
        assert all(seen[region] >= timestamp for region, timestamp in before.items())
    assert seen.keys() == stored.seen.keys() | incoming.seen.keys()


@given(drawn_states(2))
def test_the_higher_version_always_stays(states: list[Stamp]) -> None:
    stored, incoming = states
    assert joined(stored, incoming).version == max(stored.version, incoming.version)


@given(drawn_states(2))
def test_every_outcome_is_that_of_the_table(states: list[Stamp]) -> None:
    """Row by row as semantics says it, and the first row that fits decides."""
    stored, incoming = states
    resolution = resolve(stored, incoming)
    rows = [
        (stored.version == incoming.version, Outcome.DUPLICATE, False),
        (covers(stored.seen, incoming.version), Outcome.SUPERSEDED, False),
        (covers(incoming.seen, stored.version), Outcome.APPLIED, False),
        (incoming.version > stored.version, Outcome.APPLIED, True),
        (True, Outcome.SUPERSEDED, True),
    ]
    expected = next((outcome, concurrent) for fits, outcome, concurrent in rows if fits)
    assert (resolution.outcome, resolution.concurrent) == expected


def test_the_rows_of_the_table_one_by_one() -> None:
    first = Stamp(Version(10, 1), {1: 10})
    later = Stamp(Version(20, 2), {1: 10, 2: 20})
    beside = Stamp(Version(15, 3), {3: 15})
    both = {1: 10, 3: 15}
    assert resolve(None, first) == (Outcome.APPLIED, False, {1: 10})
    assert resolve(first, first) == (Outcome.DUPLICATE, False, {1: 10})
    assert resolve(later, first) == (Outcome.SUPERSEDED, False, later.seen)
    assert resolve(first, later) == (Outcome.APPLIED, False, later.seen)
    assert resolve(first, beside) == (Outcome.APPLIED, True, both)
    assert resolve(beside, first) == (Outcome.SUPERSEDED, True, both)


def test_at_one_instant_the_region_decides() -> None:
    low, high = Stamp(Version(10, 1), {1: 10}), Stamp(Version(10, 2), {2: 10})
    assert joined(low, high) == joined(high, low) == Stamp(Version(10, 2), {1: 10, 2: 10})


@given(st.integers(0, 2**48 * 1000 - 1), st.integers(0, 2**64 - 2))
def test_a_write_beats_what_it_saw_and_is_not_older_than_the_clock(wall_us: int, stored: int) -> None:
    timestamp = next_timestamp(wall_us, stored)
    assert timestamp > stored
    assert timestamp >= timestamp_at(wall_us)
    assert Version(timestamp_at(wall_us), 1).milliseconds == wall_us // 1000


@given(vectors)
def test_a_vector_survives_its_codec_and_equal_vectors_have_equal_bytes(seen: dict[int, int]) -> None:
    encoded = encode_seen(seen)
    assert decode_seen(encoded) == seen
    assert encode_seen(dict(reversed(seen.items()))) == encoded


@given(vectors, st.integers(1, 255), st.integers(0, 2**64 - 1))
def test_setting_an_entry_keeps_the_others(seen: dict[int, int], region: int, timestamp: int) -> None:
    assert decode_seen(with_entry(encode_seen(seen), region, timestamp)) == {**seen, region: timestamp}


@given(vectors, vectors)
def test_merging_takes_the_maximum_of_each_entry(left: dict[int, int], right: dict[int, int]) -> None:
    merged = merge_seen(left, right)
    for region in left.keys() | right.keys():
        highest = max(left.get(region, 0), right.get(region, 0))
        assert merged.get(region, 0) == highest
