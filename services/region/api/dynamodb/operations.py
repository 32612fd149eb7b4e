"""The operations of the DynamoDB wire: for each its parser, what the engine does, and how the answer is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from services.region.api.dynamodb import (
    parse_batches,
    parse_items,
    parse_queries,
    parse_statements,
    parse_streams,
    parse_tables,
    parse_time_to_live,
    parse_transactions,
    replies,
    stream_replies,
)
from services.region.api.dynamodb.endpoint import Operation
from services.region.api.dynamodb.table_operations import TableExtras, table_operations
from services.region.engine.batches import Batches
from services.region.engine.items import Items
from services.region.engine.queries import Queries
from services.region.engine.statement_transactions import StatementTransactions
from services.region.engine.statements import Statements
from services.region.engine.streams import Streams
from services.region.engine.tables import Tables
from services.region.engine.time_to_live import TimesToLive
from services.region.engine.transactions import Transactions
from services.region.rules.arns import Arns

_streams_prefix = "DynamoDBStreams_20120810."


@dataclass(frozen=True, slots=True)
class Engine:
    """What clients can ask of a region."""

    items: Items
    queries: Queries
    batches: Batches
    tables: Tables
    extras: TableExtras
    streams: Streams
    times_to_live: TimesToLive
    transactions: Transactions
    statements: Statements
    statement_transactions: StatementTransactions


def operations(engine: Engine, *, arns: Arns, address: str) -> Mapping[str, Operation]:
    """`address` is that of this endpoint, host and port."""
    items, queries, batches, tables = engine.items, engine.queries, engine.batches, engine.tables
    changed = partial(replies.table_description, arns=arns)
    described = partial(replies.table, arns=arns)
    return {
        "PutItem": Operation(
            parse_items.parse_put_item, items.put, replies.item_written, kept=replies.kept_for_item_written
        ),
        "GetItem": Operation(parse_items.parse_get_item, items.get, replies.item_found, waits=False),
        "UpdateItem": Operation(
            parse_items.parse_update_item, items.update, replies.item_written, kept=replies.kept_for_item_written
        ),
        "DeleteItem": Operation(
            parse_items.parse_delete_item, items.delete, replies.item_written, kept=replies.kept_for_item_written
        ),
        "Query": Operation(parse_queries.parse_query, queries.query, replies.page),
        "Scan": Operation(parse_queries.parse_scan, queries.scan, replies.page),
        "BatchGetItem": Operation(parse_batches.parse_batch_get_item, batches.get, replies.items_found, waits=False),
        "BatchWriteItem": Operation(parse_batches.parse_batch_write_item, batches.write, replies.items_written),
        "TransactWriteItems": Operation(
            parse_transactions.parse_transact_write_items, engine.transactions.write, replies.transaction_written
        ),
        "TransactGetItems": Operation(
            parse_transactions.parse_transact_get_items, engine.transactions.read, replies.transaction_read
        ),
        "ExecuteStatement": Operation(
            parse_statements.parse_execute_statement, engine.statements.execute, replies.statement_done
        ),
        "BatchExecuteStatement": Operation(
            parse_statements.parse_batch_execute_statement, engine.statements.execute_batch, replies.batch_done
        ),
        "ExecuteTransaction": Operation(
            parse_statements.parse_execute_transaction,
            engine.statement_transactions.execute,
            replies.transaction_done,
        ),
        "CreateTable": Operation(parse_tables.parse_create_table, tables.create, changed),
        "DescribeTable": Operation(parse_tables.parse_describe_table, tables.describe, described, waits=False),
        "ListTables": Operation(parse_tables.parse_list_tables, tables.list, replies.table_names, waits=False),
        "DeleteTable": Operation(parse_tables.parse_delete_table, tables.delete, changed),
        "UpdateTable": Operation(parse_tables.parse_update_table, tables.update, changed),
        "UpdateTimeToLive": Operation(
            parse_time_to_live.parse_update_time_to_live, engine.times_to_live.update, replies.time_to_live_updated
        ),
        "DescribeTimeToLive": Operation(
            parse_time_to_live.parse_describe_time_to_live,
            engine.times_to_live.describe,
            replies.time_to_live,
            waits=False,
        ),
        **table_operations(tables, engine.extras, address=address),
        **_stream_operations(engine.streams, arns),
    }


def _stream_operations(streams: Streams, arns: Arns) -> Mapping[str, Operation]:
    named = partial(stream_replies.stream_names, arns=arns)
    described = partial(stream_replies.stream_description, arns=arns)
    placed = partial(stream_replies.shard_iterator, arns=arns)
    read = partial(stream_replies.stream_records, arns=arns)
    return {
        _streams_prefix + "ListStreams": Operation(parse_streams.parse_list_streams, streams.list, named, waits=False),
        _streams_prefix + "DescribeStream": Operation(
            parse_streams.parse_describe_stream, streams.describe, described, waits=False
        ),
        _streams_prefix + "GetShardIterator": Operation(
            parse_streams.parse_get_shard_iterator, streams.iterator, placed, waits=False
        ),
        _streams_prefix + "GetRecords": Operation(parse_streams.parse_get_records, streams.records, read),
    }
