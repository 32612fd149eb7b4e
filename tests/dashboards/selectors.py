"""Which series an expression of PromQL selects, well enough for our own rules and panels."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_selector = re.compile(r"\b((?:meridian|process|link|link_table|region)[a-z0-9_:]*|up|ALERTS)\b(?:\{([^}]*)\})?")
_matcher = re.compile(r'\s*(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"\s*')
_words = {"region"}  # labels that look like a metric's name


class Selected(NamedTuple):
    metric: str
    labels: frozenset[str]


def selected(expr: str) -> Iterator[Selected]:
    """Every metric that is named, with the labels that are matched; grouping clauses name labels, not metrics."""
    bare = re.sub(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", "", expr)
    for metric, matchers in _selector.findall(bare):
        if metric not in _words:
            yield Selected(metric, frozenset(_matcher.findall(matchers)))
