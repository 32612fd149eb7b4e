"""Topologies: what is written is what is read, and what can't be is refused with how to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OperatorError
from shared.topology import Region, Topology

text = "us-east-1=1=http://127.0.0.1:8001,eu-west-1=7=https://eu.example:443"
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


def test_regions_are_found_by_name_and_by_number() -> None:
    topology = Topology.parse(text)
    assert topology.named("eu-west-1") == topology.numbered(7) == Region("eu-west-1", 7, "https://eu.example:443")
    assert topology.names == ("us-east-1", "eu-west-1")
    assert [region.name for region in topology.others("us-east-1")] == ["eu-west-1"]
    assert "us-east-1" in topology
    assert "us-east-2" not in topology


@given(st.dictionaries(names, st.integers(1, 65_535), max_size=255))
def test_topology_survives_its_text(ports: dict[str, int]) -> None:
    regions = (Region(name, index, f"http://h:{port}") for index, (name, port) in enumerate(ports.items(), start=1))
    topology = Topology(tuple(regions))
    assert Topology.parse(str(topology)) == topology


def test_a_trailing_slash_and_blanks_do_not_matter() -> None:
    assert Topology.parse(" a=1=http://h:1/ , b=2=http://h:2,") == Topology.parse("a=1=http://h:1,b=2=http://h:2")


@pytest.mark.parametrize(
    "wrong",
    [
        "us-east-1",
        "us-east-1=1",
        "us-east-1=0=http://h:1",
        "us-east-1=256=http://h:1",
        "us-east-1=-1=http://h:1",
        "us-east-1=\u0661=http://h:1",
        "us-east-1=one=http://h:1",
        "=1=http://h:1",
        "US=1=http://h:1",
        "a_b=1=http://h:1",
        "-a=1=http://h:1",
        "a=1=",
        "a=1=h:1",
        "a=1=ftp://h:1",
        "a=1=http://h:1/path",
        "a=1=http://user@h:1",
        "a=1=http://h:99999",
        "a=1=http://h:1,a=2=http://h:2",
        "a=1=http://h:1,b=1=http://h:2",
    ],
)
def test_what_is_no_topology_is_refused(wrong: str) -> None:
    with pytest.raises(OperatorError) as refused:
        Topology.parse(wrong)
    assert "name=number=endpoint" in str(refused.value) or "http://127.0.0.1:8001" in refused.value.next_step
