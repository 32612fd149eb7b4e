"""The command lines of a lab's processes are such as their services take."""

from pathlib import Path

from services.lab.launch import region_command, replicator_command
from services.lab.layout import LabFolder
from services.lab.record import LabRequest, plan_lab
from services.region.settings import RegionSettings
from services.replicator.settings import ReplicatorSettings
from shared.settings import load
from shared.topology import Topology

flags_start = 4  # after the interpreter, -P, -m and the module


def test_a_region_understands_its_command_line(tmp_path: Path) -> None:
    record = plan_lab(LabRequest(feed="kafka"), None)
    folder = LabFolder(tmp_path)
    command = region_command(record.regions[1], record, folder, kafka_bootstrap="127.0.0.1:9092")
    settings = load(RegionSettings, command[flags_start:], program="meridian region")
    assert (settings.region, settings.port) == ("eu-west-1", 8002)
    assert settings.data == folder.region("eu-west-1")
    assert settings.topology == record.topology
    assert settings.token_file == folder.token
    assert (settings.feed, settings.kafka_bootstrap) == ("kafka", "127.0.0.1:9092")


def test_a_replicator_understands_its_command_line(tmp_path: Path) -> None:
    record = plan_lab(LabRequest(feed="kafka", regions=("a", "b")), None)
    seen = Topology.parse("a=1=http://127.0.0.1:8001,b=2=http://127.0.0.1:40002")
    command = replicator_command(
        record.of_role("replicator")[0],
        record,
        LabFolder(tmp_path),
        topology=seen,
        kafka_bootstraps={"b": "127.0.0.1:40003"},
    )
    settings = load(ReplicatorSettings, command[flags_start:], program="meridian replicator")
    assert (settings.region, settings.port) == ("a", 8101)
    assert settings.endpoint == "http://127.0.0.1:8001"
    assert settings.topology == seen
    assert dict(settings.kafka_bootstrap) == {"b": "127.0.0.1:40003"}
