"""The lab that `docker compose` runs from this folder's compose file, as commands see it.

It is found anew at every command: the services and networks from what compose says of the file, so that compose's own
variables and `.env` hold; the containers from the engine; the token from a container that has it. A service is called
after its role and region, `region-us-east-1`; the network `between` joins the regions.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import orjson

from services.lab.record import Credentials, LabRecord, ProcessRecord
from shared.errors import OperatorError
from shared.topology import Topology

between = "between"
roles = ("kafka", "region", "replicator")
token_path = "/secrets/token"
ready_patience_s = 60.0
ready_poll_s = 0.2


class Container(NamedTuple):
    name: str
    service: str
    is_running: bool
    is_healthy: bool
    networks: frozenset[str]
    ports: Sequence[int]  # published ones


@dataclass(frozen=True, slots=True)
class ComposeLab:
    """Raises `OperatorError` where docker can't be asked, or there is no such lab."""

    services: Mapping[str, Any]
    network: str  # the engine's name of `between`

    @classmethod
    def find(cls) -> "ComposeLab":
        document = orjson.loads(_docker("compose", "config", "--format", "json"))
        network = document.get("networks", {}).get(between)
        if network is None or not any(name.startswith("region-") for name in document["services"]):
            raise OperatorError(
                "the compose file here is not Meridian's",
                why=f"it has no services called region-NAME, or no network called {between}",
                next_step="Go to the folder of Meridian's compose.yaml",
            )
        return cls(document["services"], network["name"])

    def record(self) -> LabRecord:
        """What commands need to reach this lab from the host; replicators that don't run are left out."""
        topology = self._topology()
        replicators = [
            ProcessRecord("replicator", region, f"http://127.0.0.1:{container.ports[0]}")
            for region in topology.names
            for container in self._containers(f"replicator-{region}")
            if container.is_running and container.ports
        ]
        return LabRecord(
            feed="kafka",
            base_port=0,  # compose.yaml gives each port
            numbers={region.name: region.number for region in topology},
            processes=(*(ProcessRecord("region", each.name, each.endpoint) for each in topology), *replicators),
            credentials=Credentials("any", "any"),
            token=self._token(topology.names),
        )

    def has_supervisor(self) -> bool:
        """The engine is: whatever can be done to this lab can be done at any time."""
        return True

    def cuts(self) -> list[dict[str, Any]]:
        """The links of every region of which a container is not on the network between regions."""
        names = self._topology().names
        off = {name for name in names if any(map(self._is_off, self._containers_of(name)))}
        links = (pair for pair in permutations(names, 2) if off & set(pair))
        return [{"source": source, "target": target, "heals_in_s": None} for source, target in links]

    def cut(self, source: str, target: str | None, *, one_way: bool, for_s: float | None) -> list[dict[str, Any]]:
        """Takes a region off the network between regions; with `for_s`, waits so long and heals."""
        if target is not None or one_way:
            raise OperatorError(
                "one link of a compose lab can't be cut",
                why="a region reaches all others through one network",
                next_step=f"Cut the region off from all of them: meridian lab cut {source} --compose",
            )
        containers = self._containers_of(source)
        for container in containers:
            if not self._is_off(container):
                _docker("network", "disconnect", self.network, container.name)
        cuts = self.cuts()
        if for_s is not None:
            try:
                time.sleep(for_s)
            finally:
                self._join(containers)
        return cuts

    def heal(self) -> list[dict[str, Any]]:
        """Puts back on the network whoever belongs there; the links that were cut."""
        cuts = self.cuts()
        self._join([container for name in self._topology().names for container in self._containers_of(name)])
        return cuts

    def kill(self, process: str) -> dict[str, Any]:
        running = [each.name for each in self._containers(self._service(process)) if each.is_running]
        if running:
            _docker("kill", *running)
        return {"process": process, "was_running": bool(running)}

    def start(self, process: str) -> dict[str, Any]:
        """Starts every container of a service that does not run, and waits until its health check is content."""
        service = self._service(process)
        ended = [each.name for each in self._containers(service) if not each.is_running]
        if ended:
            _docker("start", *ended)
        deadline = time.monotonic() + ready_patience_s
        while not all(each.is_healthy for each in self._containers(service)):
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"{service} is not ready",
                    why=f"its health check still fails after {ready_patience_s:g} s",
                    next_step=f"Read its log: docker compose logs {service}",
                )
            time.sleep(ready_poll_s)
        return {"process": process, "was_running": not ended}

    def _topology(self) -> Topology:
        service = next(each for name, each in self.services.items() if name.startswith("region-"))
        return Topology.parse(service["environment"]["MERIDIAN_TOPOLOGY"])

    def _token(self, regions: Sequence[str]) -> str:
        for container in self._containers(*(f"region-{region}" for region in regions)):
            if container.is_running:
                return _docker("exec", container.name, "cat", token_path).strip()
        raise OperatorError(
            "no compose lab runs here",
            why="no region's container is up",
            next_step="Start it: docker compose up --wait",
        )

    def _containers_of(self, region: str) -> Sequence[Container]:
        return self._containers(*(self._service(f"{role}:{region}") for role in roles))

    def _containers(self, *services: str) -> Sequence[Container]:
        lines = _docker("compose", "ps", "--all", "--format", "json", *services).splitlines()
        return [_container(orjson.loads(line)) for line in lines]

    def _is_off(self, container: Container) -> bool:
        return self.network not in container.networks

    def _join(self, containers: Sequence[Container]) -> None:
        """The service's name goes with the container: the engine would give it back its own only."""
        for container in self._containers(*{container.service for container in containers}):
            if self._is_off(container):
                _docker("network", "connect", "--alias", container.service, self.network, container.name)

    def _service(self, process: str) -> str:
        role, _, region = process.rpartition(":")
        service = f"{role or 'region'}-{region}"
        if service not in self.services or role not in ("", *roles):
            known = (name.replace("-", ":", 1) for name in self.services if name.split("-")[0] in roles)
            raise OperatorError(
                f"this lab has no process {process}",
                why=f"its processes are {', '.join(known)}",
                next_step="Name a region, or a process as in replicator:us-east-1",
            )
        return service


def _container(document: Mapping[str, Any]) -> Container:
    return Container(
        name=document["Name"],
        service=document["Service"],
        is_running=document["State"] == "running",
        is_healthy=document["Health"] == "healthy",
        networks=frozenset(document["Networks"].split(",")),
        ports=[each["PublishedPort"] for each in document["Publishers"] or () if each["PublishedPort"]],
    )


def _docker(*words: str) -> str:
    command = ["docker", *words]
    next_step = "Check that an engine answers (docker info), and that compose.yaml is in this folder"
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OperatorError("docker can't be asked", why="it is not installed", next_step=next_step) from error
    if done.returncode != 0:
        why = " / ".join(done.stderr.strip().splitlines()[-2:]) or f"it ended with {done.returncode}"
        raise OperatorError(f"{' '.join(command[:3])} fails", why=why, next_step=next_step)
    return done.stdout
