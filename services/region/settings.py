"""The region service's settings, field by field, from flags and MERIDIAN_ variables."""

import re
from dataclasses import dataclass
from pathlib import Path

from shared.errors import OperatorError
from shared.feed.kafka.access import KafkaAccessSettings
from shared.settings import count, one_of, port_number, seconds, setting, switch
from shared.topology import Topology, region_name

_loopback = ("127.0.0.1", "localhost", "::1")


def _account(text: str) -> str:
    if re.fullmatch(r"[0-9]{12}", text) is None:
        raise ValueError("an account id is twelve digits")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSettings(KafkaAccessSettings):
    """One region: DynamoDB tables over HTTP, kept in a data directory, replicated to the other regions."""

    region: str = setting("name of this region, as in the topology", parse=region_name, default="us-east-1")
    data: Path = setting("directory that holds this region's data", parse=Path, default=Path(".meridian-region"))
    port: int = setting("port to listen on", parse=port_number, default=8000)
    host: str = setting("address to listen on", default="127.0.0.1")
    account: str = setting("account id in the ARNs of tables: twelve digits", parse=_account, default="000000000000")
    allow_remote: bool = switch("listen on an address of other machines although nothing is authenticated yet")
    topology: Topology = setting(
        "all regions, as name=number=endpoint,…; without it this region is alone",
        parse=Topology.parse,
        default=Topology(),
    )
    token_file: Path | None = setting(
        "file with the bearer token of internal and operator routes; without it they are closed",
        parse=Path,
        default=None,
    )
    feed: str = setting("what carries changes", parse=one_of("embedded", "kafka"), default="embedded")
    kafka_bootstrap: str = setting("host:port of this region's Kafka, with --feed kafka", default="")
    kafka_replication_factor: int = setting("on how many brokers a topic is kept", parse=count, default=1)
    kafka_min_insync_replicas: int = setting(
        "how many of these must have a change before it counts as published", parse=count, default=1
    )
    kafka_retention_hours: int = setting("how long a topic keeps changes", parse=count, default=7 * 24)
    kafka_compression: str = setting("of what is sent to Kafka", parse=one_of("none", "gzip"), default="none")
    table_delay_s: float = setting(
        "how long tables stay CREATING, UPDATING and DELETING, for tests", parse=seconds, default=0.0
    )

    def check(self) -> None:
        if self.topology.regions and self.region not in self.topology:
            raise OperatorError(
                f"region {self.region} can't start",
                why=f"it is not in the topology, which has {', '.join(self.topology.names)}",
                next_step="Give --region one of these names, or add it to --topology",
            )
        if self.host not in _loopback and not self.allow_remote:
            raise OperatorError(
                f"region {self.region} does not listen on {self.host}",
                why="requests are not authenticated yet, so anybody who reaches that address could read and write",
                next_step="Listen on 127.0.0.1, or give --allow-remote if the network is private",
            )
        if self.feed == "kafka" and not self.kafka_bootstrap:
            raise OperatorError(
                f"region {self.region} can't publish",
                why="--feed kafka needs the address of a broker",
                next_step="Give --kafka-bootstrap host:port",
            )
        if self.kafka_min_insync_replicas > self.kafka_replication_factor:
            raise OperatorError(
                f"region {self.region} could never publish",
                why=f"--kafka-min-insync-replicas {self.kafka_min_insync_replicas} asks for more brokers than "
                f"--kafka-replication-factor {self.kafka_replication_factor} puts a topic on",
                next_step="Raise the replication factor, or ask for fewer in-sync replicas",
            )
        self.check_kafka_access()
