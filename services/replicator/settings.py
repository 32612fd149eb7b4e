"""Settings of the replicator."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import OperatorError
from shared.feed.kafka.access import KafkaAccessSettings
from shared.settings import one_of, port_number, setting
from shared.topology import Topology


def broker_addresses(text: str) -> Sequence[tuple[str, str]]:
    """`region=host:port,…` as pairs."""
    pairs = [entry.strip().partition("=") for entry in text.split(",") if entry.strip()]
    if not all(name and address for name, _, address in pairs):
        raise ValueError(f"{text!r} is not of the form region=host:port,region=host:port")
    return tuple((name, address) for name, _, address in pairs)


def http_endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"{text!r} is no endpoint like http://127.0.0.1:8001")
    return text.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatorSettings(KafkaAccessSettings):
    """Follows every other region's changes and applies them to its own region."""

    region: str = setting("name of the region that this replicator serves")
    endpoint: str = setting("where that region is reached, like http://127.0.0.1:8001", parse=http_endpoint)
    topology: Topology = setting(
        "all regions as name=number=endpoint,…, as this replicator is to reach them", parse=Topology.parse
    )
    token_file: Path = setting("file with the token of the internal routes", parse=Path)
    host: str = setting("address on which status and metrics are served", default="127.0.0.1")
    port: int = setting("port on which status and metrics are served", parse=port_number)
    worker: str | None = setting(
        "name among the region's replicators, kept over restarts; without it, host and port", default=None
    )
    feed: str = setting("what carries changes", parse=one_of("embedded", "kafka"), default="embedded")
    kafka_bootstrap: Sequence[tuple[str, str]] = setting(
        "Kafka of every other region as region=host:port,…", parse=broker_addresses, default=()
    )

    def check(self) -> None:
        if self.region not in self.topology:
            raise OperatorError(
                f"the region {self.region} is not in the topology",
                why=f"that names {', '.join(self.topology.names) or 'no region'}",
                next_step="Add it, or correct --region",
            )
        brokers = dict(self.kafka_bootstrap)
        missing = [peer.name for peer in self.topology.others(self.region) if peer.name not in brokers]
        if self.feed == "kafka" and missing:
            raise OperatorError(
                f"the Kafka of {', '.join(missing)} is not known",
                why="with --feed kafka every other region's changes come from its Kafka",
                next_step="Give --kafka-bootstrap region=host:port,… for every other region",
            )
        self.check_kafka_access()
