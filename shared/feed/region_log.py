"""The embedded feed: a long poll on the source region's own tail of recent changes, over HTTP.

One request carries the changes of all lanes. It never waits without a limit: a cut that swallows packets shows as an
answer that is overdue. The connection is then given up, and the source is asked a small question with a short
limit until it answers again, so that healing is noticed at once.
"""

from base64 import b64decode
from collections.abc import Awaitable, Mapping

import orjson

from shared.changes.batches import decode_batch
from shared.changes.heartbeats import decode_heartbeat
from shared.changes.records import Lane
from shared.connection import Answer, Endpoint, NoAnswerError
from shared.errors import CorruptRecordError
from shared.feed.port import FeedBatch, FeedUnavailableError, Position
from shared.limits import heartbeat_interval_s
from shared.model.tables import Generation

question_limit_s = 1.0  # for an answer that needs no work and no waiting
overdue_s = 1.0  # how much longer than asked for a long poll may take
heads_limit_s = 15.0  # a source with thousands of lanes looks each of them up
wait_s_max = 2 * heartbeat_interval_s  # something arrives every second from a source that is well


class RegionLogFeed:
    """`Feed` of one source region, for the share of its lanes that belongs to one worker of `target`."""

    def __init__(self, endpoint: str, *, source: str, token: str, target: str, rank: int = 0, workers: int = 1) -> None:
        self._target = target
        self._share = [rank, workers]
        self._cursor: str | None = None
        self._lanes: frozenset[Lane] = frozenset()
        self._added: frozenset[Lane] = frozenset()  # followed from the middle of the tail on
        self._connected = False
        self._resumed = False  # connected, but no answer to a long poll since
        headers = {"Authorization": f"Bearer {token}", "X-Meridian-Region": target}
        self._source = Endpoint(endpoint, name=source, headers=headers)

    async def follow(self, lanes: Mapping[Lane, Position]) -> None:
        """The source decides which lanes it sends; what it sent of a lane before that was followed is not kept here."""
        if self._cursor is not None:
            self._added |= lanes.keys() - self._lanes
        self._lanes = frozenset(lanes)

    async def poll(self, *, wait_s: float) -> FeedBatch:
        if self._added:
            added, self._added = self._added & self._lanes, frozenset()
            return FeedBatch(interrupted_lanes=added)
        if not self._connected:
            await self._reconnect()
        wait_s = min(wait_s, wait_s_max)
        limit_s = heads_limit_s if self._resumed or self._cursor is None else wait_s + overdue_s
        asked = {"target": self._target, "cursor": self._cursor, "wait_s": wait_s, "share": self._share}
        body = await self._answer_to(
            self._source.post(
                "/internal/v1/feed/tail",
                orjson.dumps(asked),
                headers={"Content-Type": "application/json"},
                silence_s=limit_s,
            )
        )
        self._resumed = False
        try:
            return self._take(body)
        except (CorruptRecordError, KeyError, ValueError) as error:
            raise self._lost(f"{self._source.name} sends what can't be read: {error}") from error

    async def close(self) -> None:
        await self._source.close()

    def _take(self, body: bytes) -> FeedBatch:
        head, deliveries = decode_batch(body)
        batch = FeedBatch(
            deliveries=[delivery for delivery in deliveries if delivery.lane in self._lanes],
            heartbeats=[decode_heartbeat(b64decode(record)) for record in head["heartbeats"]],
            interrupted=head["interrupted"],
            head_times={
                Lane(Generation(bytes.fromhex(generation)), partition): time_us
                for generation, partition, time_us in head["head_times"]
            },
        )
        self._cursor = head["cursor"]
        return batch

    async def _reconnect(self) -> None:
        """Raises unless the source answers a question that costs it nothing."""
        await self._answer_to(self._source.get("/internal/v1/time", silence_s=question_limit_s))
        self._connected = self._resumed = True

    async def _answer_to(self, question: Awaitable[Answer]) -> bytes:
        try:
            answer = await question
        except NoAnswerError as error:
            raise self._lost(str(error)) from error
        if answer.status != 200:
            raise self._lost(f"{self._source.name} answers {answer.status} {_reason(answer)}")
        return answer.body

    def _lost(self, what: str) -> FeedUnavailableError:
        """The place in the tail is kept: the source will say whether it still holds it."""
        self._connected = False
        return FeedUnavailableError(what)


def _reason(answer: Answer) -> str:
    try:
        return str(orjson.loads(answer.body)["reason"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
