"""DynamoDB numbers: up to 38 significant digits, magnitude 1E-130 to 9.99…E+125, kept as canonical text.

Canonical text is plain decimal notation without exponent, leading or trailing zeros, as DynamoDB returns it.
Source: DynamoDB Developer Guide, "Naming rules and data types", Number. The grammar and the range are checked on
the text before any `Decimal` is made, so that a hostile exponent costs nothing.
"""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext
from functools import lru_cache

from shared.errors import ValidationError
from shared.limits import number_digits_max, number_exponent_max, number_exponent_min

_grammar = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
_small_integer = re.compile(r"-?[1-9][0-9]{0,36}", re.ASCII)
_arithmetic = Context(prec=number_digits_max + 2, Emax=999_999, Emin=-999_999, traps=[InvalidOperation, Overflow])

_overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range"
_underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
_not_numeric = "The parameter cannot be converted to a numeric value"
_exponent_chars_max = 7  # with its sign; a longer one has leading zeros or is out of range
_too_precise = "Attempting to store more than 38 significant digits in a Number"


class NumberError(ValidationError):
    """A text that is no number that DynamoDB stores; `older` are the words of operations that read it in Java's way."""

    def __init__(self, message: str, *, older: str | None = None) -> None:
        super().__init__(message)
        self.older = message if older is None else older


def canonical_number(text: str) -> str:
    """The canonical text of a number as a client wrote it, or `NumberError` in DynamoDB's words."""
    if _small_integer.fullmatch(text):
        return text
    match = _grammar.fullmatch(text)
    if match is None:
        raise NumberError(_not_a_number(text))
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4] or "0"
    if not whole and not fraction:
        raise NumberError(_not_a_number(text), older=None if text else _not_numeric)
    if len(exponent) > _exponent_chars_max:
        exponent = _bounded_exponent(exponent, text)
    return _assemble(sign == "-", whole + fraction, int(exponent) - len(fraction))


@lru_cache(maxsize=4096)
def decimal_of(text: str) -> Decimal:
    """The exact value of a canonical number."""
    return Decimal(text)


def add_numbers(left: str, right: str) -> str:
    return _calculate(left, right, 1)


def subtract_numbers(left: str, right: str) -> str:
    return _calculate(left, right, -1)


def scientific_parts(text: str) -> tuple[bool, str, int]:
    """`(negative, significant digits, exponent of the first digit)` of a canonical number; zero has no digits."""
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = len(whole.lstrip("0")) - 1 if whole.strip("0") else -(len(fraction) - len(digits)) - 1
    return negative, digits.rstrip("0"), exponent if digits else 0


def _calculate(left: str, right: str, sign: int) -> str:
    """Exact sum or difference; what needs more than 38 digits is refused as an overflow, as DynamoDB does."""
    with localcontext(_arithmetic) as context:
        context.clear_flags()
        a, b = decimal_of(left), decimal_of(right)
        result = a + b if sign > 0 else a - b
        negative, digits, exponent = result.normalize(context).as_tuple()
        if context.flags[Inexact] or len(digits) > number_digits_max:
            raise ValidationError(_overflow)
    assert isinstance(exponent, int), "arithmetic on finite numbers stays finite"
    return _assemble(bool(negative), "".join(map(str, digits)), exponent)


def _assemble(negative: bool, all_digits: str, exponent: int) -> str:  # noqa: FBT001
    """Canonical text of `all_digits` times 10^exponent after the range checks."""
    digits = all_digits.lstrip("0")
    if not digits:
        if exponent > number_exponent_max:  # zero, too, has the magnitude that it is written with
            raise NumberError(_overflow)
        if exponent < number_exponent_min:
            raise NumberError(_underflow)
        return "0"
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    magnitude = exponent + len(stripped) - 1
    if magnitude > number_exponent_max:
        raise NumberError(_overflow)
    if magnitude < number_exponent_min:
        raise NumberError(_underflow)
    if len(stripped) > number_digits_max:
        raise NumberError(_too_precise)
    return ("-" if negative else "") + _plain(stripped, exponent)


def _plain(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    point = len(digits) + exponent
    return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"


def _bounded_exponent(exponent: str, text: str) -> str:
    """A long exponent without its leading zeros; raises for one out of all range, told by its size alone.

    It has 64 bits. In Java's way it has 32, and the largest of those wraps around.
    """
    negative, digits = exponent.startswith("-"), exponent.lstrip("+-").lstrip("0")
    if len(digits) < _exponent_chars_max:
        return f"-{digits or 0}" if negative else digits or "0"
    if len(digits) > len(str(2**63)) or int(digits) >= 2**63:
        raise NumberError(_not_a_number(text))
    if int(digits) >= 2**31:
        raise NumberError(_underflow if negative else _overflow, older=_not_a_number(text))
    wraps = int(digits) == 2**31 - 1
    raise NumberError(_underflow if negative else _overflow, older=_underflow if negative or wraps else _overflow)


def _not_a_number(text: str) -> str:
    return f"{_not_numeric}: {text}"
