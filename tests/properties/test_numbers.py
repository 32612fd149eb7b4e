"""Numbers: value and form are canonical, arithmetic is exact, and hostile text costs nothing."""

from contextlib import suppress
from datetime import timedelta
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import ValidationError
from shared.limits import number_digits_max, number_exponent_max, number_exponent_min
from shared.model.numbers import add_numbers, canonical_number, decimal_of, scientific_parts, subtract_numbers
from tests.properties.attribute_values import numbers

exact = Context(prec=1000)
signs = st.sampled_from(["", "-", "+"])
written = st.builds(
    "{}{}{}{}".format,
    signs,
    st.text("0123456789", min_size=1, max_size=45),
    st.one_of(st.just(""), st.text("0123456789", max_size=45).map(lambda fraction: f".{fraction}")),
    st.one_of(
        st.just(""),
        st.builds("{}{}{}".format, st.sampled_from("eE"), signs, st.integers(0, 200)),
    ),
)


def is_storable(value: Decimal) -> bool:
    if value == 0:
        return number_exponent_min <= value.adjusted() <= number_exponent_max
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    return len(digits) <= number_digits_max and number_exponent_min <= value.adjusted() <= number_exponent_max


@given(written)
@example("0e150")
@example("0e-131")
@example("-0.0")
def test_a_number_keeps_its_value_or_is_refused(text: str) -> None:
    value = exact.create_decimal(text)
    if is_storable(value):
        canonical = canonical_number(text)
        assert Decimal(canonical) == value
        assert decimal_of(canonical) == value
    else:
        with pytest.raises(ValidationError):
            canonical_number(text)


@given(written)
def test_canonical_text_is_plain_and_unique(text: str) -> None:
    if is_storable(exact.create_decimal(text)):
        canonical = canonical_number(text)
        assert canonical_number(canonical) == canonical
        assert set(canonical) <= set("-.0123456789")
        assert not canonical.startswith(("-0.", "0.")) or "." in canonical
        assert canonical == "0" or canonical.strip("-0.") != ""
        assert "." not in canonical or canonical[-1] not in "0."
        assert canonical.lstrip("-")[0] != "0" or canonical.lstrip("-")[:2] in ("0", "0.")


@given(numbers())
def test_scientific_parts_give_the_value_again(text: str) -> None:
    negative, digits, exponent = scientific_parts(text)
    first, rest = digits[:1] or "0", digits[1:]
    value = Decimal(f"{'-' if negative else ''}{first}.{rest}E{exponent}")
    assert value == Decimal(text)
    assert not digits.startswith("0")
    assert not digits.endswith("0")


@given(numbers(), numbers())
@example("1" + "0" * 37, "0.1")
@example("9" * 38, "1")
@example("5", "-5")
@example("0." + "0" * 129 + "1", "0." + "0" * 129 + "1")
def test_sums_and_differences_are_exact_or_refused(left: str, right: str) -> None:
    with localcontext(exact):
        outcomes = [(add_numbers, Decimal(left) + Decimal(right)), (subtract_numbers, Decimal(left) - Decimal(right))]
    for calculate, value in outcomes:
        if is_storable(value.normalize(exact)):  # a difference that is zero has no exponent of its own
            assert Decimal(calculate(left, right)) == value
        else:
            with pytest.raises(ValidationError):
                calculate(left, right)


@given(st.text(max_size=12))
@example("Infinity")
@example("NaN")
@example("sNaN")
@example("1_0")
@example("\u0661")
@example("1\n")
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        canonical = canonical_number(text)
    except ValidationError:
        return
    assert text.isascii()
    assert Decimal(canonical) == Decimal(text)


@settings(deadline=timedelta(seconds=1), max_examples=60)
@given(
    st.sampled_from(
        [
            "1E+{}",
            "1E-{}",
            "-1e{}",
            "0E{}",
            "{}",
            "-{}",
            "0.{}",
            "1.{}E5",
            "1E000{}",
            "1E+" + "0" * 100_000 + "{}",
            "0" * 100_000 + "{}",
            "0." + "0" * 100_000 + "{}",
        ]
    ),
    st.sampled_from(["1", "7" * 7, "9" * 100, "9" * 100_000]),
)
def test_hostile_numbers_cost_nothing(form: str, digits: str) -> None:
    """An exponent that was believed would make a text or an integer of a gigabyte."""
    with suppress(ValidationError):
        assert len(canonical_number(form.format(digits))) < 200
