"""What only a reply can tell: iterators, ARNs of streams, places to go on from.

A request names such a thing, `learned("ShardIterator")`, and gets the last one that was seen when it is sent; so the
sequence of requests depends on its seed alone.
"""

from typing import Any

_prefix = "learned:"
_names = {
    "LatestStreamArn": "LatestStreamArn",
    "StreamArn": "StreamArn",
    "ShardId": "ShardId",
    "ShardIterator": "ShardIterator",
    "NextShardIterator": "ShardIterator",
    "SequenceNumber": "SequenceNumber",
    "StartingSequenceNumber": "SequenceNumber",
    "LastEvaluatedKey": "LastEvaluatedKey",
    "NextToken": "NextToken",
    "RevisionId": "RevisionId",
}
"""Members of replies that are remembered, and as what."""

_wanted = {_prefix + name for name in _names.values()}
_of_one_page = ("LastEvaluatedKey", "NextToken")
_levels_max = 6
_unknown = object()


def learned(name: str) -> str:
    """Stands in a request for the last `name` of a reply."""
    return _prefix + name


class Learned:
    """The last of each thing that replies have told."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def learn(self, reply: dict[str, Any]) -> None:
        """A place to go on from is that of the last reply or none."""
        for name in _of_one_page:
            self._values.pop(learned(name), None)
        self._look_at(reply, 0)

    def put_into(self, node: Any) -> Any:
        """The request as it is sent, without what nobody has told yet."""
        if isinstance(node, dict):
            filled = {name: self.put_into(value) for name, value in node.items()}
            return {name: value for name, value in filled.items() if value is not _unknown}
        if isinstance(node, list):
            return [value for value in map(self.put_into, node) if value is not _unknown]
        if isinstance(node, str) and node in _wanted:
            return self._values.get(node, _unknown)
        return node

    def _look_at(self, node: Any, levels: int) -> None:
        if levels > _levels_max:
            return
        if isinstance(node, list):
            for element in node:
                self._look_at(element, levels + 1)
        elif isinstance(node, dict):
            for name, value in node.items():
                if name in _names:
                    self._values[learned(_names[name])] = value
                self._look_at(value, levels + 1)
