"""Tables and replicas over REST, and that they are the tables of the DynamoDB endpoint."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.rest.conftest import MakeTable


def _dynamodb(http: httpx.Client, operation: str, parameters: dict[str, Any]) -> Any:
    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": "20000101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=any, SignedHeaders=host, Signature=0",
    }
    return http.post("/", json=parameters, headers=headers).json()


def test_a_table_is_made_described_and_deleted(http: httpx.Client) -> None:
    body = {"name": "orders.v1", "partition_key": {"name": "a", "type": "string"}}
    made = http.post("/v1/tables", json=body)
    assert made.status_code == 201
    path = made.headers["Location"]
    described = http.get(path)
    assert described.json() == made.json()
    assert described.json() | body == described.json()
    assert described.json()["replicas"] == [
        {"region": "us-east-1", "status": "ACTIVE", "percent": 100, "description": None}
    ]
    assert http.post("/v1/tables", json=body).status_code == 409
    deleted = http.delete(path)
    assert (deleted.status_code, deleted.json()["status"]) == (202, "DELETING")
    assert http.get(path).status_code == 404
    assert http.delete(path).status_code == 404


def test_tables_are_listed_in_pages(http: httpx.Client, make_table: MakeTable) -> None:
    for _ in range(3):
        make_table()
    whole = http.get("/v1/tables").json()
    names, after = [], ""
    while True:
        page = http.get("/v1/tables", params={"limit": 2, "after": after}).json()
        names += [table["name"] for table in page["tables"]]
        if (after := page["next"]) is None:
            break
    assert names == sorted(table["name"] for table in whole["tables"])


def test_both_wires_show_the_same_items(http: httpx.Client, make_table: MakeTable) -> None:
    table = make_table("string", "number")
    name = table.rpartition("/")[2]
    item = {"id": {"S": "a"}, "at": {"N": "1"}, "blob": {"B": "AAE="}, "set": {"NS": ["1.5"]}, "no": {"NULL": True}}
    _dynamodb(http, "PutItem", {"TableName": name, "Item": item})
    plain = {"id": "a", "at": 1, "blob": {"$binary": "AAE="}, "set": {"$number_set": [1.5]}, "no": None}
    assert http.get(f"{table}/items/a/1").json() == plain
    http.put(f"{table}/items/a/2", json=plain | {"at": 2})
    found = _dynamodb(http, "GetItem", {"TableName": name, "Key": {"id": {"S": "a"}, "at": {"N": "2"}}})
    assert found["Item"] == item | {"at": {"N": "2"}}


def test_a_replica_is_added_once_and_shown_everywhere(http: httpx.Client, table: str) -> None:
    replica = f"{table}/replicas/eu-west-1"
    missing = http.get(replica)
    assert (missing.status_code, missing.json()["reason"]) == (404, "no_replica")
    added = http.put(replica)
    assert (added.status_code, added.json()["status"]) == (202, "CREATING")
    assert http.put(replica).status_code == 200
    assert http.get(replica).json()["status"] == "CREATING"
    assert [each["region"] for each in http.get(table).json()["replicas"]] == ["us-east-1", "eu-west-1"]


def test_the_own_replica_is_there_and_stays(http: httpx.Client, table: str) -> None:
    own = f"{table}/replicas/us-east-1"
    assert http.get(own).json()["status"] == "ACTIVE"
    assert http.put(own).status_code == 200
    assert http.delete(own).status_code == 400


def test_what_replica_cannot_be_is_refused(http: httpx.Client, table: str) -> None:
    assert http.put(f"{table}/replicas/mars-1").status_code == 400
    assert http.delete(f"{table}/replicas/eu-west-1").status_code == 404
    assert http.put("/v1/tables/nothing/replicas/eu-west-1").status_code == 404


def test_a_table_that_is_changing_takes_no_second_change(http: httpx.Client, table: str) -> None:
    http.put(f"{table}/replicas/eu-west-1")
    assert http.delete(f"{table}/replicas/eu-west-1").status_code == 409


def test_replication_is_open_and_empty_without_a_replicator(http: httpx.Client) -> None:
    document = http.get("/v1/replication").json()
    assert (document["region"], document["links"], document["counts"]["backlog"]) == ("us-east-1", [], 0)


def test_operations_are_counted_under_their_names(http: httpx.Client, table: str) -> None:
    before = _requests(http)
    http.put(f"{table}/items/a", json={})
    http.put(f"{table}/items/a", json={}, headers={"If-None-Match": "*"})
    http.get(f"{table}/items/a")
    http.put(f"{table}/items/a", content=b"{", headers={"Content-Type": "application/json"})
    http.post(f"{table}/scan", json={})
    grown = {labels: count - before.get(labels, 0) for labels, count in _requests(http).items()}
    assert {labels: count for labels, count in grown.items() if count} == {
        ("PutItem", "ok"): 1,
        ("PutItem", "ConditionalCheckFailedException"): 1,
        ("PutItem", "SerializationException"): 1,
        ("GetItem", "ok"): 1,
        ("Scan", "ok"): 1,
    }


def _requests(http: httpx.Client) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(http.get("/metrics").text)
    samples = (sample for family in families for sample in family.samples)
    return {
        (sample.labels["operation"], sample.labels["outcome"]): sample.value
        for sample in samples
        if sample.name == "meridian_requests_total"
    }
