"""Strategies for canonical attribute values, items and keys."""

from base64 import b64encode

from hypothesis import strategies as st

from shared.limits import number_exponent_max, number_exponent_min
from shared.model.numbers import canonical_number
from shared.model.values import AttributeValue, Item, ordered_members

digits = st.from_regex("[1-9][0-9]{0,37}", fullmatch=True)
texts = st.text(max_size=8)
binaries = st.binary(max_size=8).map(lambda content: b64encode(content).decode())


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Canonical numbers of every size, with zero, short ones and close neighbours drawn often."""
    if draw(st.booleans()):
        return str(draw(st.integers(-120, 120)))
    exponent = draw(st.one_of(st.integers(-3, 3), st.integers(number_exponent_min, number_exponent_max)))
    significant = draw(digits)
    return canonical_number(f"{draw(st.sampled_from(['', '-']))}{significant[0]}.{significant[1:]}E{exponent}")


scalars: st.SearchStrategy[AttributeValue] = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers().map(lambda number: {"N": number}),
    binaries.map(lambda content: {"B": content}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
    st.lists(texts, min_size=1, max_size=4, unique=True).map(lambda members: {"SS": ordered_members("SS", members)}),
    st.lists(numbers(), min_size=1, max_size=4, unique=True).map(
        lambda members: {"NS": ordered_members("NS", members)}
    ),
    st.lists(binaries, min_size=1, max_size=4, unique=True).map(lambda members: {"BS": ordered_members("BS", members)}),
)
values: st.SearchStrategy[AttributeValue] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda elements: {"L": elements}),
        st.dictionaries(texts, inner, max_size=4).map(lambda members: {"M": members}),
    ),
    max_leaves=10,
)
items: st.SearchStrategy[Item] = st.dictionaries(texts, values, max_size=6)
