"""The topology: what can be written down, and what is refused with what to do."""

import pytest

from shared.errors import OperatorError
from shared.topology import Region, Topology, endpoint_of

text = "us-east-1=1=http://127.0.0.1:8001,eu-west-1=255=https://example.org"


def test_a_topology_is_read_as_it_is_written() -> None:
    topology = Topology.parse(text)
    assert str(topology) == text
    assert Topology.parse(str(topology)) == topology
    assert topology.names == ("us-east-1", "eu-west-1")
    assert [region.number for region in topology] == [1, 255]
    assert len(topology) == 2


def test_regions_are_found_by_name_and_number() -> None:
    topology = Topology.parse(text)
    east = Region("us-east-1", 1, "http://127.0.0.1:8001")
    assert topology.named("us-east-1") == topology.numbered(1) == east
    assert [region.name for region in topology.others("us-east-1")] == ["eu-west-1"]
    assert "us-east-1" in topology
    assert "nowhere" not in topology
    with pytest.raises(KeyError):
        topology.named("nowhere")


def test_spaces_and_a_last_slash_do_not_matter() -> None:
    assert Topology.parse(" us-east-1=1=http://127.0.0.1:8001/ ,").regions == (
        Region("us-east-1", 1, "http://127.0.0.1:8001"),
    )


def test_no_regions_are_a_topology() -> None:
    assert not Topology.parse("").regions


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [("127.0.0.1", "http://127.0.0.1:8001"), ("localhost", "http://localhost:8001"), ("::1", "http://[::1]:8001")],
)
def test_every_address_has_an_endpoint_that_a_topology_takes(host: str, endpoint: str) -> None:
    assert endpoint_of(host, 8001) == endpoint
    assert Topology((Region("a", 1, endpoint),)).named("a").endpoint == endpoint


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("us-east-1", "name=number=endpoint"),
        ("us-east-1=http://127.0.0.1:8001", "name=number=endpoint"),
        ("=1=http://127.0.0.1:8001", "lower-case letters"),
        ("US=1=http://127.0.0.1:8001", "lower-case letters"),
        ("-a=1=http://127.0.0.1:8001", "lower-case letters"),
        ("a=one=http://127.0.0.1:8001", "is no number"),
        ("a=\u0661=http://127.0.0.1:8001", "is no number"),
        ("a=0=http://127.0.0.1:8001", "between 1 and 255"),
        ("a=256=http://127.0.0.1:8001", "between 1 and 255"),
        ("a=1=127.0.0.1:8001", "http://host:port"),
        ("a=1=ftp://127.0.0.1", "http://host:port"),
        ("a=1=http://127.0.0.1:99999", "http://host:port"),
        ("a=1=http://127.0.0.1:8001/path", "http://host:port"),
        ("a=1=http://user@127.0.0.1", "http://host:port"),
        ("a=1=http://h,a=2=http://i", "occurs twice"),
        ("a=1=http://h,b=1=http://i", "occurs twice"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(entry: str, why: str) -> None:
    with pytest.raises(OperatorError) as refusal:
        Topology.parse(entry)
    assert why in refusal.value.why
    assert refusal.value.next_step.startswith("Write it like")
