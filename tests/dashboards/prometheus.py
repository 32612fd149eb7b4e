"""A real Prometheus on loopback that scrapes a lab by the project's own configuration, and its HTTP API."""

import math
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.lab.ports import free_ports
from services.lab.record import LabRecord

root = Path(__file__).parents[2]
configuration = root / "deploy" / "prometheus" / "prometheus.yml"
rules = root / "deploy" / "prometheus" / "rules"
poll_s = 0.1


class Prometheus:
    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=f"{address}/api/v1", timeout=10)

    def targets(self) -> Mapping[str, str]:
        """Health of every scraped target by its address."""
        return {each["labels"]["instance"]: each["health"] for each in self._get("/targets")["activeTargets"]}

    def rules(self) -> Sequence[Mapping[str, Any]]:
        return [rule for group in self._get("/rules")["groups"] for rule in group["rules"]]

    def numbers_now(self, expr: str) -> Sequence[float]:
        """The value of every series, those that are no number left out."""
        found = self._get("/query", query=expr)
        if found["resultType"] == "scalar":
            return _numbers([found["result"]])
        return _numbers([series["value"] for series in found["result"]])

    def numbers_of_late(self, expr: str, *, seconds: int) -> Sequence[float]:
        """The same, of every second of the last so many."""
        now = time.time()
        found = self._get("/query_range", query=expr, start=now - seconds, end=now, step=1)
        return _numbers([value for series in found["result"] for value in series["values"]])

    def label_names(self, selector: str) -> frozenset[str]:
        """The labels of the series that a selector finds."""
        series = self._get("/series", **{"match[]": selector})
        return frozenset(name for labels in series for name in labels)

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = self._http.get(path, params=parameters)
        document = answer.json()
        assert document["status"] == "success", f"{parameters}: {document.get('error')}"
        return document["data"]


@contextmanager
def scraping(record: LabRecord, folder: Path) -> Iterator[Prometheus]:
    """Scrapes and evaluates four times a second, so that a test need not wait for it."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    file = folder / "prometheus.yml"
    file.write_text(_for_lab(configuration.read_text(), record, own=f"127.0.0.1:{port}"))
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    prometheus = Prometheus(address)
    try:
        _await_ready(address, process, folder / "prometheus.log")
        yield prometheus
    finally:
        prometheus.close()
        process.terminate()
        process.wait(10)


def _for_lab(text: str, record: LabRecord, *, own: str) -> str:
    """The configuration with the lab's addresses for the containers' names, everything else as it is."""
    for process in record.regions:
        text = text.replace(f"region-{process.region}:8000", process.address.removeprefix("http://"))
    replicators = [
        f'      - targets: ["{process.address.removeprefix("http://")}"]\n'
        f"        labels: {{__meta_dns_name: replicator-{process.region}}}\n"
        for process in record.of_role("replicator")
    ]
    text, replaced = re.subn(
        r"    dns_sd_configs:\n(?:      .*\n)+", "    static_configs:\n" + "".join(replicators), text
    )
    assert replaced == 1
    text = text.replace("localhost:9090", own).replace("rules/*.yaml", f"{rules}/*.yaml")
    return re.sub(r"(scrape_interval|evaluation_interval): \w+", r"\1: 250ms", text)


def _await_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if httpx.get(f"{address}/-/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(poll_s)


def _numbers(values: Sequence[Sequence[Any]]) -> Sequence[float]:
    numbers = (float(number) for _, number in values)
    return [number for number in numbers if not math.isnan(number)]
