"""Sets of names in the order of the service."""

from services.region.rules.hash_sets import as_expected_set, as_set


def test_sets_are_shown_in_the_order_of_the_service() -> None:
    """As the service has been seen to show them."""
    assert as_expected_set(["pk", "sk", "a", "b", "c"]) == ["sk", "a", "b", "pk", "c"]
    assert as_set(["pk", "sk", "a"]) == ["a", "sk", "pk"]
    assert as_expected_set(["pk", "sk"]) == ["sk", "pk"]
    assert as_expected_set(["PK", "a", "b", "c", "d", "u1"]) == ["a", "b", "PK", "c", "d", "u1"]
