"""No text is anything but a statement or a refusal, and none takes long."""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.commands.statements import Delete, Insert, RequestedStatement, Select, Update
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.actions import bound_condition, delete_of, put_of, update_of
from services.region.partiql.lexer import tokens_of
from services.region.partiql.parser import parse
from services.region.partiql.planner import plan_select
from services.region.partiql.statements import parse_statement
from shared.errors import ValidationError
from shared.limits import statement_chars_max
from shared.model.keys import KeyAttribute, KeySchema

_schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "N"))
_values = Substitutions(None, {f":{n}": {"S": "x"} for n in range(1, 10)})
_words = """
    SELECT * FROM t WHERE p c a b = <> < <= > >= BETWEEN AND OR NOT IN IS MISSING NULL TRUE ORDER BY ASC DESC INSERT
    INTO VALUE UPDATE SET REMOVE DELETE RETURNING ALL OLD NEW MODIFIED EXISTS ( ) [ ] { } << >> , . ; : ? 'x' 'it''s'
    "q" 1 -1 1.5e3 + - begins_with contains size attribute_type list_append set_add LIMIT GROUP AS -- /* */ count
"""
_tokens = st.sampled_from(_words.split())
_texts = st.one_of(
    st.text(max_size=200),
    st.lists(_tokens, max_size=60).map(" ".join),
    st.lists(_tokens, max_size=40).map(lambda tokens: " ".join(["SELECT * FROM t WHERE p = 'x' AND", *tokens])),
    st.lists(_tokens, max_size=40).map(lambda tokens: " ".join(["UPDATE t SET a =", *tokens, "WHERE p='x' AND c=1"])),
    st.lists(_tokens, max_size=40).map(lambda tokens: " ".join(["INSERT INTO t VALUE {'p': 'x', 'a':", *tokens, "}"])),
)
_patience_s = 0.5
_steps_per_character = 20


@contextmanager
def _at_once() -> Iterator[None]:
    """Bounds the work itself: what the tests before have left behind is not collected meanwhile."""
    gc.disable()
    began = time.process_time()
    try:
        yield
        assert time.process_time() - began < _patience_s
    finally:
        gc.enable()


@given(_texts)
@settings(max_examples=1500)
def test_any_text_is_planned_or_refused_at_once(text: str) -> None:
    with _at_once():
        _plan(text)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("(", ")"),
        ("[", "]"),
        ("{'a':", "}"),
        ("NOT ", ""),
        ("- ", ""),
        ("a[", "]"),
        ("size(", ")"),
        ("(a = ", ") = true"),
        ("(a = b) = (a = ", ")"),
        ("(a = true = true = true = ", ") = a"),
        ("(p = 'x' OR a = 1) AND (c > 1 AND ", ")"),
        ("<<", ">>"),
        ("'", "'"),
    ],
)
def test_deep_statements_are_answered_at_once(opening: str, closing: str) -> None:
    for depth in (30, 60, 70, 4000):
        with _at_once():
            _plan(f"SELECT * FROM t WHERE a = {opening * depth}1{closing * depth}"[:statement_chars_max])


@pytest.mark.parametrize("link", [" AND ", " OR ", " = ", "+", " AND NOT ", ".", "*", ",", " IN ", " IS NULL AND "])
def test_long_statements_are_answered_at_once(link: str) -> None:
    for beginning, part in (("p='x' AND ", "a=1"), ("(p='x' AND c=1) OR ", "(p='x' OR c=1)"), ("", "a")):
        condition = beginning + link.join([part] * (8000 // (len(link) + len(part))))
        with _at_once():
            _plan(f"SELECT * FROM t WHERE {condition}")


@pytest.mark.parametrize(
    ("opening", "part", "closing"),
    [
        ("SELECT * FROM t WHERE ", "a=1 AND ", "a=1"),
        ("SELECT * FROM t WHERE ", "(((((a=1))))) OR ", "a=1"),
        ("SELECT * FROM t WHERE a IN (", "1,", "1)"),
        ("SELECT * FROM t WHERE a IN (", "(a,1),", "1)"),
        ("SELECT * FROM t WHERE a=1 ORDER BY ", "a,", "a"),
        ("SELECT * FROM t WHERE ", "a=", "a"),
        ("SELECT * FROM t WHERE ", "a.", "a"),
        ("SELECT * FROM t", ",t", ""),
        ("INSERT INTO t VALUE {'p':'x','a':[", "[[[[1]]]],", "1]}"),
        ("INSERT INTO t VALUE {'p':'x',", "'a':{},", "'b':1}"),
        ("UPDATE t ", "REMOVE a[1]", " WHERE p='x'"),
        ("SELECT * FROM t ", "/*", ""),
        ("SELECT * FROM t ", "'", ""),
    ],
)
def test_parsing_takes_a_few_steps_for_each_character(opening: str, part: str, closing: str) -> None:
    """The event loop waits for a parse, so its worst text may not cost more than its length says."""
    text = opening + part * ((statement_chars_max - len(opening) - len(closing)) // len(part)) + closing
    assert _steps(text) < _steps_per_character * len(text)


@given(st.lists(st.one_of(_tokens, st.sampled_from(["\n", "\r\n", "\r"])), max_size=30))
def test_a_token_stands_where_its_place_says(words: list[str]) -> None:
    text = " ".join(words)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        tokens = tokens_of(text)
    except ValidationError:
        return
    for token in tokens[:-1]:
        line, column, length = token.place
        written = lines[line - 1][column - 1 : column - 1 + length].lower()
        assert written.strip("'\"").replace("''", "'") in (token.text.lower(), token.text.partition("_")[0])


def _steps(text: str) -> int:
    """How many functions are called to parse a text."""
    steps = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        with suppress(ValidationError):
            parse(text)
    finally:
        sys.setprofile(None)
    return steps


def _plan(text: str) -> None:
    try:
        statement = parse_statement(text).statement
        requested = RequestedStatement(statement, "t", _values)
        match statement:
            case Select():
                plan = plan_select(statement, _schema, _values)
                judged = [statement.where] if plan.reads is None else [read.filter for read in plan.reads]
                for term in judged:
                    if term is not None:
                        bound_condition(term, _values).holds({"a": {"N": "1"}})
            case Insert():
                put_of(statement, requested)
            case Update():
                update_of(statement, requested, _schema)
            case Delete():
                delete_of(statement, requested, _schema)
    except ValidationError:
        return
