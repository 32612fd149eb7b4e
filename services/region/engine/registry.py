"""The tables of this region as requests find them: by name for clients, by generation for replication."""

from collections.abc import Iterator, Sequence

from services.region.commands.names import NameInArn
from services.region.rules.arns import Arns
from services.region.rules.indexes import in_order_of_checks
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.partitions import Partition
from shared.changes.records import Lane
from shared.errors import ResourceNotFoundError
from shared.model.keys import KeySchema, partition_of
from shared.model.tables import Generation, RegionName, TableDefinition


class Table:
    """A table that has a replica here, with its partitions."""

    __slots__ = (
        "definition",
        "generation",
        "indexes",
        "partition_count",
        "partitions",
        "reason",
        "schema",
        "stage",
    )

    def __init__(self, local: LocalTable, partitions: Sequence[Partition]) -> None:
        self.definition = local.definition
        self.stage = local.stage
        self.reason = local.reason
        self.generation: Generation = local.definition.generation
        self.schema: KeySchema = local.definition.key_schema
        self.indexes = in_order_of_checks(local.definition.indexes)
        self.partition_count = local.definition.partition_count
        self.partitions = partitions

    def partition(self, slot: int) -> Partition:
        """The partition whose slot range holds `slot`."""
        return self.partitions[partition_of(slot, self.partition_count)]

    @property
    def lanes(self) -> Iterator[Lane]:
        return lanes_of(self.definition)

    @property
    def local(self) -> LocalTable:
        return LocalTable(self.definition, self.stage, self.reason)

    @property
    def is_settled(self) -> bool:
        return self.stage is not Stage.CREATING

    def feeds(self, target: RegionName) -> bool:
        """Whether changes made here are due to `target`: it has a replica, and so has, or had, this region."""
        return self.definition.is_global and target in self.definition.replicas


def lanes_of(definition: TableDefinition) -> Iterator[Lane]:
    return (Lane(definition.generation, number) for number in range(definition.partition_count))


class Registry:
    """In-memory; the catalog and the catalog lane are what survives.

    `revision` grows with every change. The first one has to be new in every life of a region, for example the time:
    who knows a revision of an earlier life must not take this one's for it. With `arns`, names that came in ARNs must
    be this endpoint's own.
    """

    def __init__(self, arns: Arns | None = None, *, revision: int = 1) -> None:
        self.revision = revision
        self._arns = arns
        self._by_name: dict[str, Table] = {}
        self._by_generation: dict[Generation, Table] = {}

    def serving(self, name: str) -> Table:
        """The table that answers requests under this name."""
        if name.__class__ is not str:
            self._check_own(name)
        table = self._by_name.get(name)
        if table is None or table.stage is not Stage.ACTIVE:
            raise ResourceNotFoundError
        return table

    def named(self, name: str) -> Table | None:
        """The table of this name, whatever its stage, unless it is being deleted."""
        if name.__class__ is not str:
            self._check_own(name)
        return self._by_name.get(name)

    def of(self, generation: Generation) -> Table | None:
        return self._by_generation.get(generation)

    def names(self) -> Sequence[str]:
        return sorted(self._by_name)

    def all(self) -> Sequence[Table]:
        return list(self._by_generation.values())

    def put(self, table: Table) -> None:
        self._by_generation[table.generation] = table
        name = table.definition.name
        if table.stage not in (Stage.DELETING, Stage.FAILED):
            self._by_name[name] = table
        elif self._by_name.get(name) is not None and self._by_name[name].generation == table.generation:
            del self._by_name[name]
        self.touch()

    def remove(self, generation: Generation) -> None:
        table = self._by_generation.pop(generation, None)
        if table is not None and self._by_name.get(table.definition.name) is table:
            del self._by_name[table.definition.name]
        self.touch()

    def touch(self) -> None:
        self.revision += 1

    def _check_own(self, name: str) -> None:
        if self._arns is not None and isinstance(name, NameInArn):
            self._arns.check_own(name)
