"""Settings of the replicator, checked before anything opens."""

from pathlib import Path

import pytest

from services.replicator.__main__ import main
from services.replicator.settings import ReplicatorSettings
from shared.errors import OperatorError
from shared.settings import load

regions = "east=1=http://127.0.0.1:8001,west=2=http://127.0.0.1:8002,south=3=http://127.0.0.1:8003"
flags = {
    "--region": "west",
    "--endpoint": "http://127.0.0.1:8002/",
    "--port": "8102",
    "--topology": regions,
    "--token-file": "token",
}


def settings(**changed: str) -> ReplicatorSettings:
    words = flags | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return load(ReplicatorSettings, [word for pair in words.items() for word in pair], program="meridian replicator")


def test_settings_have_their_types() -> None:
    loaded = settings(feed="kafka", kafka_bootstrap="east=127.0.0.1:9092,south=127.0.0.1:9094")
    assert (loaded.endpoint, loaded.port, loaded.host) == ("http://127.0.0.1:8002", 8102, "127.0.0.1")
    assert loaded.topology.names == ("east", "west", "south")
    assert loaded.kafka_bootstrap == (("east", "127.0.0.1:9092"), ("south", "127.0.0.1:9094"))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"region": "north"}, "the region north is not in the topology"),
        ({"feed": "kafka", "kafka_bootstrap": "east=127.0.0.1:9092"}, "the Kafka of south is not known"),
        ({"feed": "carrier-pigeon"}, "is none of embedded, kafka"),
        ({"kafka_bootstrap": "127.0.0.1:9092"}, "is not of the form region=host:port"),
        ({"endpoint": "127.0.0.1:8002"}, "is no endpoint"),
        ({"endpoint": "http://127.0.0.1:8002/v1"}, "is no endpoint"),
        ({"port": "0"}, "is no port number"),
    ],
)
def test_settings_that_can_not_work_are_refused_with_the_reason(changed: dict[str, str], complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        settings(**changed)


def test_a_start_without_a_token_says_what_to_do(tmp_path: Path) -> None:
    words = flags | {"--token-file": str(tmp_path / "nothing")}
    with pytest.raises(OperatorError, match="Make one with"):
        main([word for pair in words.items() for word in pair])
