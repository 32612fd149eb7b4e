"""lab.json: complete, private, and keeping what clients and versions rely on."""

import json
import stat
from pathlib import Path

import pytest

from services.lab.layout import LabFolder
from services.lab.processes import ProcessIdentity
from services.lab.record import (
    LabRecord,
    LabRequest,
    ProcessRecord,
    document_of,
    existing_record,
    plan_lab,
    read_record,
    write_record,
)
from shared.errors import OperatorError


@pytest.fixture
def folder(tmp_path: Path) -> LabFolder:
    return LabFolder(tmp_path)


def planned(request: LabRequest | None = None, previous: LabRecord | None = None) -> LabRecord:
    return plan_lab(request or LabRequest(), previous)


def test_a_first_lab_has_the_documented_defaults() -> None:
    record = planned()
    assert record.feed == "embedded"
    assert [(each.region, each.address) for each in record.regions] == [
        ("us-east-1", "http://127.0.0.1:8001"),
        ("eu-west-1", "http://127.0.0.1:8002"),
        ("ap-northeast-1", "http://127.0.0.1:8003"),
    ]
    assert [each.address for each in record.of_role("replicator")] == [
        "http://127.0.0.1:8101",
        "http://127.0.0.1:8102",
        "http://127.0.0.1:8103",
    ]
    assert [region.number for region in record.topology] == [1, 2, 3]


def test_the_next_lab_in_a_folder_is_like_the_last_one_unless_told_otherwise() -> None:
    first = planned(LabRequest(feed="kafka", base_port=9000, regions=("b", "a")))
    assert planned(previous=first) == first
    second = planned(LabRequest(base_port=9500), first)
    assert second.topology.names == ("b", "a")
    assert second.feed == "kafka"
    assert second.credentials == first.credentials
    assert second.token == first.token


def test_a_region_keeps_its_number_whatever_else_changes() -> None:
    """A number is part of every version that its region wrote."""
    first = planned(LabRequest(regions=("a", "b", "c")))
    second = planned(LabRequest(regions=("c", "d")), first)
    assert [(region.name, region.number) for region in second.topology] == [("c", 3), ("d", 4)]
    third = planned(LabRequest(regions=("b", "a")), second)
    assert [(region.name, region.number) for region in third.topology] == [("b", 2), ("a", 1)]


def test_two_labs_share_no_secret() -> None:
    first, second = planned(), planned()
    assert first.token != second.token
    assert first.credentials.access_key_id != second.credentials.access_key_id
    assert first.credentials.secret_access_key != second.credentials.secret_access_key


def test_a_record_survives_its_file(folder: LabFolder) -> None:
    record = planned().with_identity("region:eu-west-1", ProcessIdentity(4711, "boot-1"))
    broker = ProcessRecord("kafka", "us-east-1", "127.0.0.1:9092", ProcessIdentity(4712, "boot-2"))
    record = LabRecord(
        feed="kafka",
        base_port=record.base_port,
        numbers=record.numbers,
        processes=(*record.processes, broker),
        credentials=record.credentials,
        token=record.token,
        supervisor=ProcessIdentity(1, "boot-0"),
    )
    write_record(folder, record)
    found = existing_record(folder)
    assert sorted(found.processes, key=str) == sorted(record.processes, key=str)
    assert (found.token, found.credentials, found.supervisor) == (record.token, record.credentials, record.supervisor)
    assert found.numbers == record.numbers


def test_the_file_is_for_its_owner_only_and_has_the_promised_fields(folder: LabFolder) -> None:
    write_record(folder, planned())
    assert stat.S_IMODE(folder.record.stat().st_mode) == 0o600
    document = json.loads(folder.record.read_bytes())
    assert {"name", "endpoint", "pid"} <= document["regions"][0].keys()
    assert document["credentials"].keys() == {"access_key_id", "secret_access_key"}
    assert document["token"]
    assert document == json.loads(json.dumps(document_of(planned(previous=read_record(folder)))))


def test_where_there_never_was_a_lab_there_is_no_record(folder: LabFolder) -> None:
    assert read_record(folder) is None
    with pytest.raises(OperatorError, match="there is no lab"):
        existing_record(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 99}', b"\xff"])
def test_something_else_in_its_place_is_named(folder: LabFolder, content: bytes) -> None:
    folder.record.write_bytes(content)
    with pytest.raises(OperatorError, match="can't be read"):
        read_record(folder)


@pytest.mark.parametrize(
    "request_",
    [
        LabRequest(base_port=65_500),
        LabRequest(regions=tuple(f"r{index}" for index in range(100))),
        LabRequest(regions=tuple(f"r{index}" for index in range(300))),
    ],
)
def test_a_lab_that_can_not_be_is_refused_before_anything_starts(request_: LabRequest) -> None:
    with pytest.raises(OperatorError, match="don't fit"):
        planned(request_)
