"""SELECT: one item, the collections that its condition names, or everything; a page at a time."""

from collections.abc import Sequence
from dataclasses import replace

from services.region.commands.items import GetItem, no_index_units
from services.region.commands.queries import Page, Query, Scan
from services.region.commands.statements import ExecuteStatement, Select, StatementDone
from services.region.engine.items import Items
from services.region.engine.queries import Queries
from services.region.engine.registry import Registry, Table
from services.region.expressions.key_conditions import KeyCondition
from services.region.partiql.actions import bound_condition, check_condition
from services.region.partiql.columns import selector
from services.region.partiql.planner import Collection, Read, SelectPlan, plan_select
from services.region.partiql.sources import check_projected, index_key, lacking, reads_whole_items
from services.region.rules.index_capacity import added_units
from services.region.rules.index_views import not_projected
from services.region.rules.keys import check_lengths
from services.region.rules.statement_tokens import PagePlace, decode_token, encode_token
from shared.errors import ValidationError
from shared.limits import page_bytes_max, statement_items_max
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeySchema, key_bytes
from shared.model.values import Item


class Selects:
    def __init__(self, registry: Registry, items: Items, queries: Queries, *, token_key: bytes) -> None:
        """`token_key` tells tokens that were made here from others."""
        self._registry = registry
        self._items = items
        self._queries = queries
        self._token_key = token_key

    async def run(self, select: Select, command: ExecuteStatement) -> StatementDone:
        requested = command.requested
        check_condition(select.where, requested.values)
        table = self._registry.serving(requested.table)
        index = None if select.source.index is None else index_of(table, select.source.index)
        if index is not None and index.is_global and requested.consistent:
            raise ValidationError("Strongly consistent read is not supported on Global Secondary Indexes")
        key = table.schema if index is None else index_key(index)
        if index is not None:
            if select.refusal:
                raise ValidationError(select.refusal)
            check_projected(select, index)
        plan = plan_select(select, key, requested.values)
        place = PagePlace()
        if command.next_token is not None:
            place = decode_token(command.next_token, digest=command.digest, key=self._token_key)
        whole = index is not None and reads_whole_items(select, index)
        if plan.reads is None:
            done, rest = await self._everything(select, command, place, index=index, all_attributes=whole)
        elif index is None and len(plan.reads) == 1 and plan.reads[0].filter is None and _is_one(plan.reads[0], key):
            done, rest = self._one(plan.reads[0].collection, command), None
        else:
            _check_lengths(plan.reads)
            if index is not None and not whole and (missing := lacking(plan.reads, index)):
                raise not_projected(index, missing)
            query = _query(plan, command, index, all_attributes=whole)
            ones = index is None and all(_is_one(each, key) for each in plan.reads)
            done, rest = await self._collections(plan.reads, command, query, place, ones=ones)
        chosen = selector(select.columns)
        token = None if rest is None else encode_token(rest, digest=command.digest, key=self._token_key)
        return replace(done, images=[chosen(image) for image in done.images], next_token=token)

    def _one(self, collection: Collection, command: ExecuteStatement) -> StatementDone:
        requested = command.requested
        key = {comparison.name: comparison.values[0] for comparison in collection}
        get = GetItem(
            requested.table,
            key,
            consistent=requested.consistent,
            return_consumed_capacity=command.return_consumed_capacity,
        )
        found = self._items.get(get)
        return StatementDone([] if found.image is None else [found.image], found.capacity_units)

    async def _everything(
        self,
        select: Select,
        command: ExecuteStatement,
        place: PagePlace,
        *,
        index: SecondaryIndex | None,
        all_attributes: bool,
    ) -> tuple[StatementDone, PagePlace | None]:
        requested = command.requested
        scan = Scan(
            requested.table,
            None if select.where is None else bound_condition(select.where, requested.values),
            limit=command.limit,
            start_key=place.start_key,
            consistent=requested.consistent,
            return_consumed_capacity=command.return_consumed_capacity,
            index=None if index is None else index.name,
            all_attributes=all_attributes,
        )
        page = await self._queries.scan(scan)
        return _done(page), None if page.last_key is None else PagePlace(0, page.last_key)

    async def _collections(
        self, reads: tuple[Read, ...], command: ExecuteStatement, query: Query, place: PagePlace, *, ones: bool
    ) -> tuple[StatementDone, PagePlace | None]:
        """A page ends like that of a Query; where there are several collections, also after ten items."""
        limit = query.limit
        if len(reads) > 1:
            limit = min(limit or statement_items_max, statement_items_max)
        total = _Total()
        number, start_key = place
        if not reads:  # IN with an empty list
            return total.done(None), None
        if number >= len(reads):  # the table was made anew with another key
            raise ValidationError("NextToken does not match request")
        while True:
            left = None if limit is None else limit - total.looked_at
            collection, term = reads[number]
            condition = KeyCondition(lambda at=collection: at)  # type: ignore[misc]
            judged = None if term is None else bound_condition(term, command.requested.values)
            page = await self._queries.query(
                replace(query, key_condition=condition, filter=judged, limit=left, start_key=start_key)
            )
            total.add(page)
            if page.last_key is not None and not ones:
                last_key = page.last_key if len(reads) == 1 else None
                return total.done(last_key), PagePlace(number, page.last_key)
            number, start_key = number + 1, None
            if number >= len(reads):
                return total.done(None), None
            if (limit is not None and total.looked_at >= limit) or total.image_bytes > page_bytes_max:
                return total.done(None), PagePlace(number)


class _Total:
    """What the pages of several collections come to."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.image_bytes = 0
        self._images: list[bytes] = []
        self._units = 0.0
        self._index_units = no_index_units

    def add(self, page: Page) -> None:
        self.looked_at += page.scanned_count
        self.image_bytes += sum(map(len, page.images))
        self._images += page.images
        self._units += page.capacity_units
        self._index_units = added_units(self._index_units, page.index_units)

    def done(self, last_key: Item | None) -> StatementDone:
        return StatementDone(self._images, self._units, self._index_units, last_key=last_key)


def index_of(table: Table, name: str) -> SecondaryIndex:
    for index in table.indexes:
        if index.name == name:
            return index
    raise ValidationError("The table does not have the specified index")


def _is_one(read: Read, key: KeySchema) -> bool:
    """Whether it comes to one item at most."""
    return key.sort is None or (len(read.collection) > 1 and read.collection[1].operator == "=")


def _check_lengths(reads: Sequence[Read]) -> None:
    """No key is longer than one can be, if a single partition is read; of several nothing is said."""
    partitions = {key_bytes(read.collection[0].values[0]) for read in reads}
    if len(partitions) == 1:
        [partition] = partitions
        for read in reads:
            sorts = [key_bytes(value) for comparison in read.collection[1:] for value in comparison.values]
            check_lengths(partition, max(sorts, key=len, default=b""))


def _query(plan: SelectPlan, command: ExecuteStatement, index: SecondaryIndex | None, *, all_attributes: bool) -> Query:
    requested = command.requested
    return Query(
        requested.table,
        KeyCondition(tuple),
        filters_freely=True,
        forward=plan.forward,
        limit=command.limit,
        consistent=requested.consistent,
        return_consumed_capacity=command.return_consumed_capacity,
        index=None if index is None else index.name,
        all_attributes=all_attributes,
    )


def _done(page: Page) -> StatementDone:
    return StatementDone(page.images, page.capacity_units, page.index_units, last_key=page.last_key)
