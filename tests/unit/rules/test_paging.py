"""A page: where it ends, what it counts, what it costs."""

import pytest

from services.region.expressions.conditions import bind_condition
from services.region.expressions.projections import bind_projection
from services.region.expressions.substitutions import Substitutions
from services.region.rules.capacity import image_size_bytes, read_units, write_units
from services.region.rules.paging import PageBuilder, rows_wanted
from shared.limits import page_bytes_max
from shared.model.values import Item, decode_item, encode_item


def image_of(size_bytes: int, name: str = "x") -> bytes:
    """The image of an item of exactly so many bytes."""
    image = encode_item({"p": {"S": name}, "t": {"S": "x" * (size_bytes - len(name) - 2)}})
    assert image_size_bytes(image) == size_bytes
    return image


def page(
    *images: bytes,
    limit: int | None = None,
    filter_: str | None = None,
    project: str | None = None,
    count: bool = False,
) -> PageBuilder:
    values = {":a": {"S": "a"}} if filter_ else None
    built = PageBuilder(
        condition=None
        if filter_ is None
        else bind_condition(filter_, Substitutions(None, values), parameter="FilterExpression"),
        projection=None if project is None else bind_projection(project, Substitutions(None, None)),
        limit=limit,
        count_only=count,
    )
    built.take_all(images)
    return built


def test_exactly_a_megabyte_is_no_full_page() -> None:
    built = page(image_of(page_bytes_max // 2), image_of(page_bytes_max // 2))
    assert (built.scanned_count, built.is_full()) == (2, False)


def test_the_item_that_passes_a_megabyte_ends_the_page_with_it() -> None:
    last = image_of(page_bytes_max // 2 + 1, "last")
    built = page(image_of(page_bytes_max // 2), last, image_of(10))
    assert (built.scanned_count, built.is_full(), built.last_image) == (2, True, last)
    assert built.capacity_units(consistent=False) == 128.5


def test_sizes_count_and_not_stored_bytes() -> None:
    """Numbers and nested values take many more bytes in an image than DynamoDB counts."""
    item: Item = {"p": {"S": "x"}, "l": {"L": [{"N": "7"}] * 110_000}}
    image = encode_item(item)
    assert len(image) > page_bytes_max > 2 * image_size_bytes(image)
    assert page(image, image, image, image).scanned_count == 4


def test_sizes_are_the_same_over_several_slices() -> None:
    slices = page()
    while not slices.is_full():
        slices.take_all([image_of(100_000)])
    assert slices.scanned_count == page(*[image_of(100_000)] * 20).scanned_count == 11


def test_a_limit_ends_the_page_with_the_item_that_reaches_it() -> None:
    built = page(image_of(10, "a"), image_of(10, "b"), image_of(10, "c"), limit=2)
    assert (built.scanned_count, built.is_full(), built.last_image) == (2, True, image_of(10, "b"))


def test_what_a_filter_drops_is_looked_at_and_paid_for() -> None:
    built = page(*[image_of(5000, name) for name in "ab"], filter_="p = :a")
    assert (built.count, built.scanned_count, built.images) == (1, 2, [image_of(5000, "a")])
    assert built.capacity_units(consistent=True) == 3.0


def test_a_projection_keeps_what_was_asked_for() -> None:
    assert [decode_item(image) for image in page(image_of(50), project="p").images] == [{"p": {"S": "x"}}]


def test_a_count_keeps_no_images() -> None:
    built = page(image_of(10), image_of(10), count=True)
    assert (built.count, built.images) == (2, [])


@pytest.mark.parametrize(("limit", "taken", "expected"), [(None, 0, 64), (None, 500, 64), (10, 3, 7), (1000, 0, 64)])
def test_a_slice_reads_no_more_than_is_wanted(limit: int | None, taken: int, expected: int) -> None:
    assert rows_wanted(limit, taken, 64) == expected


@pytest.mark.parametrize(
    ("sizes", "units"), [((None, None), 1), ((None, 1024), 1), ((None, 1025), 2), ((5000, 10), 5), ((10, 5000), 5)]
)
def test_a_write_costs_the_larger_of_both_images(sizes: tuple[int | None, int | None], units: float) -> None:
    assert write_units(*(None if size is None else image_of(size) for size in sizes)) == units


@pytest.mark.parametrize(
    ("size_bytes", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (4096, True, 1), (4097, True, 2), (4097, False, 1), (409_600, False, 50)],
)
def test_a_read_costs_its_size_and_half_when_not_consistent(size_bytes: int, consistent: bool, units: float) -> None:
    assert read_units(size_bytes, consistent=consistent) == units
