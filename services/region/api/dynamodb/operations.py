"""The operations of the DynamoDB wire: for each its parser, what the engine does, and how the answer is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from services.region.api.dynamodb import parse_batches, parse_items, parse_queries, parse_tables, replies
from services.region.api.dynamodb.endpoint import Operation
from services.region.engine.batches import Batches
from services.region.engine.items import Items
from services.region.engine.queries import Queries
from services.region.engine.tables import Tables


@dataclass(frozen=True, slots=True)
class Engine:
    """What clients can ask of a region."""

    items: Items
    queries: Queries
    batches: Batches
    tables: Tables


def operations(engine: Engine, *, arns: replies.Arns) -> Mapping[str, Operation]:
    items, queries, batches, tables = engine.items, engine.queries, engine.batches, engine.tables
    changed = partial(replies.table_description, arns=arns)
    described = partial(replies.table, arns=arns)
    return {
        "PutItem": Operation(parse_items.parse_put_item, items.put, replies.item_written),
        "GetItem": Operation(parse_items.parse_get_item, items.get, replies.item_found, waits=False),
        "UpdateItem": Operation(parse_items.parse_update_item, items.update, replies.item_written),
        "DeleteItem": Operation(parse_items.parse_delete_item, items.delete, replies.item_written),
        "Query": Operation(parse_queries.parse_query, queries.query, replies.page),
        "Scan": Operation(parse_queries.parse_scan, queries.scan, replies.page),
        "BatchGetItem": Operation(parse_batches.parse_batch_get_item, batches.get, replies.items_found, waits=False),
        "BatchWriteItem": Operation(parse_batches.parse_batch_write_item, batches.write, replies.items_written),
        "CreateTable": Operation(parse_tables.parse_create_table, tables.create, changed),
        "DescribeTable": Operation(parse_tables.parse_describe_table, tables.describe, described, waits=False),
        "ListTables": Operation(parse_tables.parse_list_tables, tables.list, replies.table_names, waits=False),
        "DeleteTable": Operation(parse_tables.parse_delete_table, tables.delete, changed),
        "UpdateTable": Operation(parse_tables.parse_update_table, tables.update, changed),
    }
