"""Regions over HTTP: each peer has its own connections and its own limits for connecting and for reading.

A cut may swallow packets without a reset, so no call waits without a limit, and what one dead peer holds up is its
own connections only.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson

from services.replicator.io.port import (
    ApplyMode,
    ApplyReply,
    CopyStage,
    LaneOutcome,
    LanePage,
    LinkReport,
    Membership,
    OwnedLane,
    OwnedLanes,
    RegionUnavailableError,
    SnapshotPage,
)
from shared.changes.batches import Delivery, content_type, decode_batch, encode_batch
from shared.changes.records import Lane
from shared.connection import Answer, Endpoint, NoAnswerError
from shared.errors import CorruptRecordError, RequestRefusedError
from shared.feed.port import Position
from shared.model.tables import Generation, RegionName
from shared.topology import Region

answer_limit_s = 5.0
apply_limit_s = 15.0  # a region with a slow disk is still to be believed

T = TypeVar("T")


class _Http:
    """One region's internal API: refusals become errors, everything else bytes."""

    def __init__(
        self, endpoint: str, *, region: RegionName, token: str, caller: RegionName, answer_limit_s: float
    ) -> None:
        headers = {"Authorization": f"Bearer {token}", "X-Meridian-Region": caller}
        self._endpoint = Endpoint(endpoint, name=region, headers=headers)
        self._limit_s = answer_limit_s

    async def get(self, path: str, **parameters: str | int) -> bytes:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return await self._answer_to(self._endpoint.get(f"/internal/v1/{path}{query}", silence_s=self._limit_s))

    async def post(self, path: str, document: Mapping[str, Any]) -> bytes:
        return await self._post(path, orjson.dumps(document), content_type="application/json")

    async def post_batch(self, path: str, body: bytes) -> bytes:
        return await self._post(path, body, content_type=content_type)

    async def close(self) -> None:
        await self._endpoint.close()

    async def _post(self, path: str, body: bytes, *, content_type: str) -> bytes:
        return await self._answer_to(
            self._endpoint.post(
                f"/internal/v1/{path}", body, headers={"Content-Type": content_type}, silence_s=self._limit_s
            )
        )

    async def _answer_to(self, question: Awaitable[Answer]) -> bytes:
        try:
            answer = await question
        except NoAnswerError as error:
            raise RegionUnavailableError(str(error)) from error
        if answer.status >= 300:
            raise _refusal(self._endpoint.name, answer)
        return answer.body


class HttpSourceRegion:
    """`SourceRegion` of one other region."""

    def __init__(self, endpoint: str, *, source: RegionName, token: str, target: RegionName) -> None:
        self._target = target
        self._http = _Http(endpoint, region=source, token=token, caller=target, answer_limit_s=answer_limit_s)

    async def changes_after(self, lane: Lane, sequence: int) -> LanePage:
        return _understood(_lane_page, await self._http.get("feed/lane", after=sequence, **self._named(lane)))

    async def snapshot(self, lane: Lane, cursor: str | None) -> SnapshotPage:
        parameters = self._named(lane) if cursor is None else {"cursor": cursor, **self._named(lane)}
        return _understood(_snapshot_page, await self._http.get("snapshot", **parameters))

    async def snapshot_end(self, lane: Lane) -> Mapping[RegionName, Position]:
        page = await self.snapshot(lane, "end")
        return page.positions

    async def acknowledge(self, positions: Mapping[Lane, Position], horizons: Mapping[Lane, int]) -> Sequence[Lane]:
        lanes = [(*_lane_name(lane), position.sequence, position.commit_us) for lane, position in positions.items()]
        document = {"target": self._target, "lanes": lanes, "horizons": _by_lane(horizons)}
        return _understood(_horizons_wanted, await self._http.post("acks", document))

    async def close(self) -> None:
        await self._http.close()

    def _named(self, lane: Lane) -> dict[str, str | int]:
        return {"target": self._target, **_named(lane)}


class HttpOwnRegion:
    """`OwnRegion` over the region's internal API."""

    def __init__(self, endpoint: str, *, token: str, region: RegionName) -> None:
        self._http = _Http(endpoint, region=region, token=token, caller=region, answer_limit_s=apply_limit_s)

    async def register(self, worker: str, reports: Sequence[LinkReport], horizons: Mapping[Lane, int]) -> Membership:
        links = [report.to_document() for report in reports]
        document = {"worker": worker, "links": links, "horizons": _by_lane(horizons)}
        return _understood(_membership, await self._http.post("workers", document))

    async def lanes(self) -> OwnedLanes:
        return _understood(_owned_lanes, await self._http.get("lanes"))

    async def apply(self, source: RegionName, deliveries: Sequence[Delivery], *, mode: ApplyMode) -> ApplyReply:
        body = encode_batch({"source": source, "mode": mode}, deliveries)
        return _understood(_apply_reply, await self._http.post_batch("apply", body))

    async def needs_resync(self, lane: Lane, source: RegionName, *, reason: str) -> None:
        await self._http.post("lanes/needs_resync", {**_named(lane), "source": source, "reason": reason})

    async def report_progress(self, lane: Lane, *, percent: int) -> None:
        await self._http.post("copies/progress", {**_named(lane), "percent": percent})

    async def forget(
        self, lane: Lane, keys: Sequence[tuple[bytes, bytes]], *, after: str | None, through: str | None, collected: int
    ) -> None:
        named = [(partition.hex(), sort.hex()) for partition, sort in keys]
        span = {"after": after, "through": through, "collected": collected, "keys": named}
        await self._http.post("copies/forget", {**_named(lane), **span})

    async def finish_copy(
        self, lane: Lane, donor: RegionName, *, positions: Mapping[RegionName, Position], whole: bool
    ) -> None:
        document = {name: list(position) for name, position in positions.items()}
        copied = {"donor": donor, "positions": document, "whole": whole}
        await self._http.post("copies/finish", {**_named(lane), **copied})

    async def fail_copy(self, lane: Lane, *, reason: str) -> None:
        await self._http.post("copies/fail", {**_named(lane), "reason": reason})

    async def caught_up(self, generation: Generation) -> None:
        await self._http.post("copies/caught_up", {"generation": generation.hex()})

    async def close(self) -> None:
        await self._http.close()


def _refusal(region: str, answer: Answer) -> RegionUnavailableError | RequestRefusedError:
    """429 and 5xx may pass; everything else is an answer."""
    try:
        problem = orjson.loads(answer.body)
        reason, detail = str(problem["reason"]), str(problem.get("detail", ""))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        reason, detail = f"http_{answer.status}", "an answer without a reason"
    if answer.status == 429 or answer.status >= 500:
        return RegionUnavailableError(f"{region} can't serve this now: {reason}: {detail}")
    return RequestRefusedError(reason, detail)


def _understood(read: Callable[[bytes], T], body: bytes) -> T:
    """An answer that can't be read counts as none: the region may be of another release, or in trouble."""
    try:
        return read(body)
    except (CorruptRecordError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RegionUnavailableError(f"a region's answer can't be read: {error!r}") from error


def _membership(body: bytes) -> Membership:
    answer = orjson.loads(body)
    peers = [Region(peer["name"], peer["number"], peer["endpoint"]) for peer in answer["peers"]]
    return Membership(answer["rank"], answer["workers"], answer["lanes_revision"], peers, _wanted(answer))


def _horizons_wanted(body: bytes) -> Sequence[Lane]:
    return _wanted(orjson.loads(body))


def _wanted(answer: Mapping[str, Any]) -> Sequence[Lane]:
    named = answer["horizons_wanted"]
    return [Lane(Generation(bytes.fromhex(generation)), partition) for generation, partition in named]


def _owned_lanes(body: bytes) -> OwnedLanes:
    answer = orjson.loads(body)
    return OwnedLanes(answer["revision"], [_owned_lane(entry) for entry in answer["lanes"]])


def _apply_reply(body: bytes) -> ApplyReply:
    answer = orjson.loads(body)
    outcomes = [_outcome(entry) for entry in answer["lanes"] if "refused" not in entry]
    refused = [_lane(entry) for entry in answer["lanes"] if "refused" in entry]
    return ApplyReply(outcomes, refused, answer["applied_us"])


def _lane_page(body: bytes) -> LanePage:
    head, deliveries = decode_batch(body)
    return LanePage(head["head"], deliveries, head["commit_us"])


def _snapshot_page(body: bytes) -> SnapshotPage:
    head, deliveries = decode_batch(body)
    return SnapshotPage(
        _positions(head["positions"]),
        deliveries,
        head["cursor"],
        head["rows_total"],
        whole=head["whole"],
        collected=head["collected"],
    )


def _named(lane: Lane) -> dict[str, str | int]:
    return {"generation": lane.generation.hex(), "partition": lane.partition}


def _by_lane(numbers: Mapping[Lane, int]) -> Sequence[tuple[str, int, int]]:
    return [(*_lane_name(lane), number) for lane, number in numbers.items()]


def _lane_name(lane: Lane) -> tuple[str, int]:
    return (lane.generation.hex(), lane.partition)


def _lane(entry: Mapping[str, Any]) -> Lane:
    return Lane(Generation(bytes.fromhex(entry["generation"])), entry["partition"])


def _positions(entries: Mapping[str, Sequence[int]]) -> Mapping[RegionName, Position]:
    return {RegionName(name): Position(*entry) for name, entry in entries.items()}


def _owned_lane(entry: Mapping[str, Any]) -> OwnedLane:
    return OwnedLane(
        lane=_lane(entry),
        table=entry["table"],
        stage=CopyStage(entry["state"]),
        sources=_positions(entry["sources"]),
        donors=entry["donors"],
        active=entry["active"],
        lost=entry["lost"],
    )


def _outcome(entry: Mapping[str, Any]) -> LaneOutcome:
    return LaneOutcome(
        lane=_lane(entry),
        position=Position(*entry["position"]),
        gap=entry["gap"],
        applied=entry["applied"],
        superseded=entry["superseded"],
        duplicate=entry["duplicate"],
        conflicts=entry["conflicts"],
        dead_letters=entry["dead_letters"],
    )
