"""What clients send is what the benchmark says that it measures."""

from itertools import pairwise

import orjson

from shared.model.sizes import item_size_bytes
from tests.bench.items import (
    collection_count,
    collection_item,
    collection_items,
    item_bytes,
    item_count,
    order,
    visiting_order,
)
from tests.bench.requests import (
    get_requests,
    put_requests,
    query_requests,
    scan_requests,
    transaction_items,
    transaction_requests,
    update_requests,
)

_port = 8001


def test_every_item_has_300_bytes() -> None:
    for number in (0, 7, 499, 996, item_count - 1):
        assert item_size_bytes(order(number, revision=1)) == item_size_bytes(order(number, revision=99)) == item_bytes
        assert item_size_bytes(collection_item(number)) == item_bytes


def test_the_visiting_order_visits_every_item_once_and_scattered() -> None:
    visited = visiting_order()
    assert sorted(visited) == list(range(item_count))
    assert all(abs(one - next_one) > 1 for one, next_one in pairwise(visited))


def test_revisions_tell_writes_of_an_item_apart() -> None:
    assert order(5, revision=1) != order(5, revision=2)


def test_messages_are_whole_and_ask_for_what_they_should() -> None:
    for operation, messages in {
        b"GetItem": get_requests(_port),
        b"PutItem": put_requests(_port, revision=1),
        b"UpdateItem": update_requests(_port),
        b"Query": query_requests(_port),
        b"Scan": scan_requests(_port),
    }.items():
        for message in (messages[0], messages[-1]):
            head, _, body = message.partition(b"\r\n\r\n")
            headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            assert headers[b"X-Amz-Target"].endswith(b"." + operation)
            assert int(headers[b"Content-Length"]) == len(body)
            assert orjson.loads(body)["TableName"].startswith("bench-")


def test_transactions_put_every_item_once_four_at_a_time() -> None:
    bodies = [orjson.loads(message.partition(b"\r\n\r\n")[2]) for message in transaction_requests(_port, revision=1)]
    puts = [[action["Put"]["Item"] for action in body["TransactItems"]] for body in bodies]
    assert {len(each) for each in puts} == {transaction_items}
    assert len({item["id"]["S"] for each in puts for item in each}) == item_count


def test_queries_ask_for_every_collection_in_turn() -> None:
    asked = {message.partition(b"\r\n\r\n")[2] for message in query_requests(_port)}
    assert len(asked) == collection_count
    assert len({collection_item(number)["position"]["N"] for number in range(item_count)}) == collection_items
