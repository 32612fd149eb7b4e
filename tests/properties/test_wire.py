"""What holds of every request: it becomes a command or is refused as a client's error, in bounded time."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb import parse_batches, parse_items, parse_queries, parse_tables, replies, unsupported
from services.region.api.dynamodb.attribute_values import read_attributes
from services.region.api.dynamodb.serialization import request_of
from services.region.commands.items import GetItem, ItemFound
from shared.errors import SerializationError, ServiceError, ValidationError
from shared.model.sizes import item_size_bytes
from shared.model.values import Item, same_item

_operations: list[tuple[shapes.Structure, Callable[[dict[str, Any]], Any]]] = [
    (parse_items._put_item, parse_items.parse_put_item),
    (parse_items._get_item, parse_items.parse_get_item),
    (parse_items._update_item, parse_items.parse_update_item),
    (parse_items._delete_item, parse_items.parse_delete_item),
    (parse_queries._query, parse_queries.parse_query),
    (parse_queries._scan, parse_queries.parse_scan),
    (parse_batches._batch_get_item, parse_batches.parse_batch_get_item),
    (parse_batches._batch_write_item, parse_batches.parse_batch_write_item),
    (parse_tables._create_table, parse_tables.parse_create_table),
    (parse_tables._table_only, parse_tables.parse_describe_table),
    (parse_tables._table_only, parse_tables.parse_delete_table),
    (parse_tables._list_tables, parse_tables.parse_list_tables),
    (parse_tables._update_table, parse_tables.parse_update_table),
]

_refused = frozenset(unsupported._members)  # not drawn where depth is wanted

_words = st.sampled_from(
    ["", "a", "pk", "#n", ":v", "table", "orders", "arn:aws:dynamodb:r:1:table/orders", "true", "no", "S"]
)
_expressions = st.sampled_from(["pk = :v", "#n = :v", "SET a = :v", "REMOVE #n", "a, b", "a.b[0]", "size(a) > :v", "("])
_number_texts = st.sampled_from(
    ["0", "-0", "007", "1.50", "1e3", "1E-130", "1e126", "9" * 39, "1e999999999999", ".5", "5.", ".", "+1", "٣", ""]
)
_base64_texts = st.sampled_from(["", "AAE=", "AAE", "AAF=", "A===", "====", "é===", "AA=A", "AAAA"])
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(max_size=4), _words
)
_documents = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_words, st.text(max_size=3)), inner, max_size=3)
    ),
    max_leaves=8,
)
_texts = st.one_of(_words, _expressions, _number_texts, st.text(max_size=5))
_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, _texts),
        st.builds(lambda text: {"N": text}, _number_texts),
        st.builds(lambda text: {"B": text}, _base64_texts),
        st.builds(lambda kind, content: {kind: content}, st.sampled_from(["BOOL", "NULL"]), _scalars),
        st.builds(lambda texts: {"SS": texts}, st.lists(_texts, max_size=3)),
        st.builds(lambda texts: {"NS": texts}, st.lists(_number_texts, max_size=3)),
        st.builds(lambda texts: {"BS": texts}, st.lists(_base64_texts, max_size=3)),
        st.dictionaries(st.sampled_from(["S", "N", "SS", "L", "M", "X"]), _documents, max_size=2),
    ),
    lambda inner: st.one_of(
        st.builds(lambda elements: {"L": elements}, st.lists(inner, max_size=3)),
        st.builds(lambda members: {"M": members}, st.dictionaries(_texts, inner, max_size=3)),
    ),
    max_leaves=6,
)
_attributes = st.dictionaries(st.one_of(_words, st.text(max_size=3)), _values, max_size=3)
_plain_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, st.text(max_size=20)),
        st.builds(lambda number: {"N": str(number)}, st.integers(-(10**30), 10**30)),
        st.builds(lambda number: {"N": f"{number:.7f}"}, st.floats(-1e9, 1e9)),
        st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda texts: {"SS": texts}, st.lists(st.text(max_size=5), min_size=1, unique=True)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda elements: {"L": elements}, st.lists(inner, max_size=4)),
        st.builds(lambda members: {"M": members}, st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    ),
    max_leaves=10,
)
_items = st.dictionaries(st.one_of(st.just("pk"), st.text(min_size=1, max_size=5)), _plain_values, max_size=5)


@st.composite
def _member(draw: st.DrawFn, shape: shapes.Shape, *, is_careful: bool) -> Any:
    """What the shape says; without care, anything at all now and then, and constraints violated."""
    if not is_careful and draw(st.integers(0, 9)) == 0:
        return draw(_documents)
    match shape:
        case shapes.Text():
            return draw(st.sampled_from(shape.enum) if shape.enum and is_careful else _texts)
        case shapes.TableName():
            return "orders" if is_careful else draw(_words)
        case shapes.Flag():
            return draw(st.booleans())
        case shapes.Whole():
            return draw(st.integers(1 if is_careful else -2, 5))
        case shapes.ListOf():
            element = _member(shape.element, is_careful=is_careful)
            return draw(st.lists(element, min_size=1 if is_careful else 0, max_size=2 if is_careful else 3))
        case shapes.MapOf():
            element = _member(shape.element, is_careful=is_careful)
            keys = st.sampled_from(["orders", "items"]) if shape.table_names and is_careful else _words
            return draw(st.dictionaries(keys, element, min_size=int(is_careful), max_size=2))
        case shapes.AttributeMap():
            return draw(_items if is_careful else _attributes)
        case shapes.AttributeValue():
            return draw(_plain_values if is_careful else _values)
        case shapes.Unread():
            return draw(_documents)
        case shapes.Structure():
            return draw(_structure(shape, is_careful=is_careful))


@st.composite
def _structure(draw: st.DrawFn, shape: shapes.Structure, *, is_careful: bool) -> dict[str, Any]:
    required = shape.required | ({"TableName"} & shape.members.keys())
    names = draw(st.sets(st.sampled_from(sorted(shape.members)), max_size=3)) | required
    if is_careful:
        names -= _refused - required
    return {name: draw(_member(shape.members[name], is_careful=is_careful)) for name in sorted(names)}


@settings(max_examples=100, deadline=timedelta(seconds=1))
@given(data=st.data())
@pytest.mark.parametrize(("shape", "parse"), _operations, ids=[parse.__name__ for _, parse in _operations])
def test_every_request_becomes_a_command_or_a_client_error(
    shape: shapes.Structure, parse: Callable[[dict[str, Any]], Any], data: st.DataObject
) -> None:
    """A gap in a check would be an exception of another kind here, and a 500 on the wire."""
    member = _member(shape, is_careful=data.draw(st.integers(0, 2)) == 0)
    document = orjson.loads(orjson.dumps(data.draw(member)))
    error = _refusal(lambda: parse(request_of(document)))
    if error is not None:
        assert error.status == 400
        assert error.message
        orjson.loads(replies.error(error))


@given(_documents)
def test_any_document_is_refused_as_a_request_or_has_members(document: Any) -> None:
    error = _refusal(lambda: request_of(document))
    assert isinstance(error, SerializationError) is not isinstance(document, dict)


@given(_attributes)
def test_reading_again_finds_nothing_new(attributes: dict[str, Any]) -> None:
    """What is canonical stays as it is: commands are read from it more than once."""
    try:
        item, _, problem, _ = read_attributes(attributes)
    except ServiceError:
        return
    if problem is None:
        before = deepcopy(item)
        again = read_attributes(item)
        assert again.problem is None
        assert again.item == before


@given(_items)
def test_a_plain_item_keeps_its_meaning(item: Item) -> None:
    before = deepcopy(item)
    attributes = read_attributes(item)
    if attributes.problem is None:
        assert same_item(attributes.item, before)


@given(_items)
def test_the_size_bound_is_never_below_the_size(item: Item) -> None:
    """An item that is too large would else pass for one that is not."""
    attributes = read_attributes(item)
    if attributes.problem is None:
        assert attributes.size_max_bytes >= item_size_bytes(attributes.item)


@given(_items)
def test_a_spliced_item_is_the_item(item: Item) -> None:
    reply = replies.item_found(ItemFound(orjson.dumps(item), None, 0.5), GetItem("orders", {}))
    assert orjson.loads(reply) == {"Item": item}


def test_hostile_nesting_is_refused_in_bounded_time() -> None:
    """As deep as the JSON decoder lets anything through."""
    for opening, closing in (('{"L":[', "]}"), ('{"M":{"a":', "}}")):
        value = opening * 500 + '{"S":"x"}' + closing * 500
        body = orjson.loads(f'{{"TableName":"orders","Item":{{"pk":{value}}}}}')
        with pytest.raises(ValidationError, match="nested levels beyond supported limit"):
            parse_items.parse_put_item(body)


def _refusal(attempt: Callable[[], object]) -> ServiceError | None:
    try:
        attempt()
    except ServiceError as error:
        return error
    return None
