"""One run: several connections send their requests side by side, and every answer is judged."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.compat.connection import authorization
from tests.fuzz.answers import Answer, answer_s_max, fault_of
from tests.fuzz.learned import Learned
from tests.fuzz.requests_of_model import Request, Requests
from tests.fuzz.service_model import operations_by_target
from tests.fuzz.tables import main_definition, main_table, main_time_to_live

connections = range(3)
_failures_max = 3  # of one connection
_shown_chars_max = 4_000
_headers = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20000101T000000Z",
    "Authorization": authorization,
}
_service = "DynamoDB_20120810."


class Failure(NamedTuple):
    seed: int
    connection: int
    number: int
    request: Request
    fault: str
    answer: Answer | None

    def __str__(self) -> str:
        place = f"seed {self.seed}, connection {self.connection}, request {self.number}"
        told = "none" if self.answer is None else self.answer.body[:_shown_chars_max].decode(errors="replace")
        return (
            f"{place}, {self.request.target}: {self.fault}\n"
            f"  body: {json.dumps(self.request.body)[:_shown_chars_max]}\n"
            f"  answer: {told}\n"
            f"  again: python -m tests.fuzz --seed {self.seed}"
        )


class Report(NamedTuple):
    failures: list[Failure]
    answers: Counter[tuple[str, int]]  # by target and status
    slowest_s: float

    def __str__(self) -> str:
        return (
            f"{self.answers.total()} requests of {len(self.asked)} operations,"
            f" {self.accepted.total()} of {len(self.accepted)} operations accepted,"
            f" none took longer than {self.slowest_s * 1000:.0f} ms, {len(self.failures)} failures"
        )

    @property
    def asked(self) -> Counter[str]:
        """How many requests had an answer, by target."""
        return _summed((target, count) for (target, _), count in self.answers.items())

    @property
    def accepted(self) -> Counter[str]:
        """How many requests were answered with 200, by target."""
        return _summed((target, count) for (target, status), count in self.answers.items() if status == 200)


def prepare(url: str) -> None:
    """Makes the main table, whose definition nobody takes back as a whole."""
    client = Client(url)
    for operation, body in (("CreateTable", main_definition()), ("UpdateTimeToLive", main_time_to_live())):
        made = client.ask(_service + operation, body)
        assert made.status == 200, made.body
    client.close()


def run(url: str, *, seed: int, seconds: float) -> Report:
    """Sends for that long, or until a connection has met too many failures."""
    until_s = time.monotonic() + seconds
    stop = Event()
    with ThreadPoolExecutor(len(connections)) as threads:
        runs = [threads.submit(_send_all, url, seed, connection, until_s, stop) for connection in connections]
        reports = [each.result() for each in runs]
    return Report(
        [*chain.from_iterable(report.failures for report in reports)],
        sum((report.answers for report in reports), Counter()),
        max(report.slowest_s for report in reports),
    )


def still_serves(url: str) -> bool:
    """Whether the main table takes an item and gives it back."""
    client = Client(url)
    key = {"pk": {"S": "after"}, "sk": {"S": "all"}}
    item = {**key, "l": {"L": [{"N": "1"}]}}
    put = client.ask(_service + "PutItem", {"TableName": main_table, "Item": item})
    got = client.ask(_service + "GetItem", {"TableName": main_table, "Key": key, "ConsistentRead": True})
    client.close()
    return put.status == 200 and got.status == 200 and json.loads(got.body) == {"Item": item}


def logged_traces(log: Path) -> str:
    """The last of what a region's log tells of errors, or its end where it tells of none."""
    text = log.read_text(errors="replace")
    lines = [line.replace("\\n", "\n") for line in text.splitlines() if "Traceback" in line]
    return "\n".join(lines[-_failures_max:]) or text[-_shown_chars_max:]


def requests_of(seed: int, connection: int) -> Requests:
    return Requests(f"{seed}/{connection}")


class Client:
    """One connection, opened anew when the other side has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=2 * answer_s_max)

    def ask(self, target: str, body: Any) -> Answer:
        began_s = time.monotonic()
        self._connection.request("POST", "/", json.dumps(body), {**_headers, "X-Amz-Target": target})
        reply = self._connection.getresponse()
        content = reply.read()
        return Answer(reply.status, content, time.monotonic() - began_s)

    def close(self) -> None:
        self._connection.close()


def _send_all(url: str, seed: int, connection: int, until_s: float, stop: Event) -> Report:
    """The requests of one connection, one after the other."""
    operations = operations_by_target()
    client, learned = Client(url), Learned()
    failures: list[Failure] = []
    answers: Counter[tuple[str, int]] = Counter()
    slowest_s = 0.0
    for number, drawn in enumerate(requests_of(seed, connection)):
        if time.monotonic() > until_s or stop.is_set():
            break
        request = Request(drawn.target, learned.put_into(drawn.body))
        answer: Answer | None = None
        try:
            answer = client.ask(*request)
            fault = fault_of(answer, operations[request.target])
        except (OSError, HTTPException) as error:
            fault = f"no answer: {error!r}"
            client.close()
        if answer is not None:
            answers[request.target, answer.status] += 1
            slowest_s = max(slowest_s, answer.seconds)
        if fault is not None:
            failures.append(Failure(seed, connection, number, request, fault, answer))
            if len(failures) == _failures_max:
                stop.set()
        elif answer is not None and answer.status == 200 and answer.body:
            learned.learn(json.loads(answer.body))
    client.close()
    return Report(failures, answers, slowest_s)


def _summed(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for target, count in counts:
        sums[target] += count
    return sums
