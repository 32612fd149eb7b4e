"""The catalog: what this region knows of its own tables, in one small file through SQLAlchemy.

A row per table that has, or has had, a replica here: its definition as last reconciled, the stage of the local
replica, and for replicas that were removed the origin sequences that their partitions had reached, so that a later
replica of the same table goes on from there. A row per stream that a table has, or had within the last day; a table
that is gone stays as long as it has one. A row for what a replica here has for itself (tags, protection against
deletion, policies). The definitions that regions share are items of the catalog lane.
One process and one connection use the file; every write is one durable transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from services.region.rules.replica_facts import ReplicaFacts, decode_facts, encode_facts
from services.region.rules.streams import KeptStream
from services.region.storage.connections import check_format
from shared.errors import OperatorError, ServiceUnavailableError
from shared.model.tables import Generation, TableDefinition, decode_definition, encode_definition

format_number = 1


class Stage(StrEnum):
    """Where the local replica of a table stands."""

    CREATING = "CREATING"  # its items are being copied from another region
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"  # it can't be made; `reason` says why
    DELETING = "DELETING"  # it takes no requests; other regions still fetch its last changes
    GONE = "GONE"  # nobody finds it any more; its files stay until its streams have been kept for a day


@dataclass(frozen=True, slots=True)
class LocalTable:
    definition: TableDefinition
    stage: Stage
    reason: str | None = None


_metadata = MetaData()
_identity = Table(
    "identity",
    _metadata,
    Column("one", Integer, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("region", String, nullable=False),
    Column("number", Integer, nullable=False),
)
_tables = Table(
    "tables",
    _metadata,
    Column("generation", LargeBinary(16), primary_key=True),
    Column("definition", LargeBinary, nullable=False),
    Column("stage", String, nullable=False),
    Column("reason", String),
)
_retired_lanes = Table(
    "retired_lanes",
    _metadata,
    Column("generation", LargeBinary(16), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("origin_sequence", Integer, nullable=False),
)
_streams = Table(
    "streams",
    _metadata,
    Column("generation", LargeBinary(16), primary_key=True),
    Column("enabled_us", Integer, primary_key=True),
    Column("name", String, nullable=False),  # of the table
    Column("view_type", String, nullable=False),
    Column("started", LargeBinary, nullable=False),  # sequences by partition, as JSON
    Column("disabled_us", Integer),
    Column("ended", LargeBinary),
)
_replica_facts = Table(
    "replica_facts",
    _metadata,
    Column("generation", LargeBinary(16), primary_key=True),
    Column("facts", LargeBinary, nullable=False),
)


class Catalog:
    """Thread-safe: callers on the event loop run its writes on another thread."""

    def __init__(self, path: Path, *, region: str, number: int) -> None:
        self._lock = Lock()
        self._engine = create_engine(
            f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self._engine, "connect", _make_durable)
        try:
            self._claim(path, region, number)
        except OperatorError:
            self.close()
            raise
        except DatabaseError as error:
            self.close()
            raise OperatorError(
                f"{path} can't be opened",
                why=str(error.orig),
                next_step="Check that the disk has room and that the file is this region's and whole",
            ) from error

    def tables(self) -> Sequence[LocalTable]:
        with self._transaction() as connection:
            rows = connection.execute(select(_tables.c.definition, _tables.c.stage, _tables.c.reason)).all()
        return [LocalTable(decode_definition(row.definition), Stage(row.stage), row.reason) for row in rows]

    def streams(self) -> Sequence[KeptStream]:
        with self._transaction() as connection:
            rows = connection.execute(select(_streams)).all()
        return [
            KeptStream(
                generation=Generation(row.generation),
                table=row.name,
                view_type=row.view_type,
                enabled_us=row.enabled_us,
                started=tuple(orjson.loads(row.started)),
                disabled_us=row.disabled_us,
                ended=None if row.ended is None else tuple(orjson.loads(row.ended)),
            )
            for row in rows
        ]

    def write_table(self, table: LocalTable, streams: Sequence[KeptStream] = ()) -> None:
        """Stores a table as it is now, and those of its streams that began or ended with that.

        What a replica has had for itself goes when it is gone.
        """
        values = {
            "definition": encode_definition(table.definition),
            "stage": table.stage.value,
            "reason": table.reason,
        }
        generation = table.definition.generation
        with self._writing() as connection:
            statement = insert(_tables).values(generation=generation, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["generation"], set_=values))
            for stream in streams:
                _write_stream(connection, stream)
            if table.stage is Stage.GONE:
                connection.execute(delete(_replica_facts).where(_replica_facts.c.generation == generation))

    def replica_facts(self) -> Mapping[Generation, ReplicaFacts]:
        with self._transaction() as connection:
            rows = connection.execute(select(_replica_facts.c.generation, _replica_facts.c.facts)).all()
        return {Generation(row.generation): decode_facts(row.facts) for row in rows}

    def write_replica_facts(self, generation: Generation, facts: ReplicaFacts) -> None:
        values = {"facts": encode_facts(facts)}
        with self._writing() as connection:
            statement = insert(_replica_facts).values(generation=generation, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["generation"], set_=values))

    def remove_table(self, generation: Generation) -> None:
        with self._writing() as connection:
            connection.execute(delete(_tables).where(_tables.c.generation == generation))
            connection.execute(delete(_replica_facts).where(_replica_facts.c.generation == generation))
            connection.execute(delete(_streams).where(_streams.c.generation == generation))

    def remove_streams(self, disabled_before_us: int) -> None:
        with self._writing() as connection:
            connection.execute(delete(_streams).where(_streams.c.disabled_us < disabled_before_us))

    def retire_lanes(self, generation: Generation, origin_sequences: Sequence[int]) -> None:
        """Remembers how far each partition of a removed replica had counted, never less than before."""
        with self._writing() as connection:
            for partition, sequence in enumerate(origin_sequences):
                statement = insert(_retired_lanes).values(
                    generation=generation, partition=partition, origin_sequence=sequence
                )
                highest = func.max(_retired_lanes.c.origin_sequence, statement.excluded.origin_sequence)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["generation", "partition"], set_={"origin_sequence": highest}
                    )
                )

    def retired_lanes(self, generation: Generation) -> dict[int, int]:
        """Partition number to the origin sequence that an earlier replica had reached."""
        statement = select(_retired_lanes.c.partition, _retired_lanes.c.origin_sequence)
        with self._transaction() as connection:
            rows = connection.execute(statement.where(_retired_lanes.c.generation == generation)).all()
        return {row.partition: row.origin_sequence for row in rows}

    def retired_generations(self) -> Sequence[Generation]:
        """The tables of which a replica was removed here, at one time or another."""
        statement = select(_retired_lanes.c.generation).distinct()
        with self._transaction() as connection:
            return [Generation(row.generation) for row in connection.execute(statement)]

    def close(self) -> None:
        with self._lock:  # another thread may be in the middle of a write
            self._engine.dispose()

    def _claim(self, path: Path, region: str, number: int) -> None:
        """A catalog is made, or made to its end, as long as it does not say whose it is; that comes last."""
        with self._transaction() as connection:
            is_begun = inspect(connection).has_table(_identity.name)
            row = connection.execute(select(_identity)).first() if is_begun else None
            if row is None:
                _metadata.create_all(connection)
                identity = {"one": 1, "format": format_number, "region": region, "number": number}
                connection.execute(insert(_identity).values(**identity))
                return
            check_format(path, found=row.format, known=format_number)
            if (row.region, row.number) != (region, number):
                raise OperatorError(
                    f"The data directory {path.parent} can't be used",
                    why=f"it belongs to region {row.region} (number {row.number}), not to {region} (number {number})",
                    next_step="Start with that region's name and number, or choose another --data directory",
                )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._transaction() as connection:
                yield connection
        except OperationalError as error:
            raise ServiceUnavailableError(f"The storage of this region can't take writes now: {error.orig}") from error


def _write_stream(connection: Connection, stream: KeptStream) -> None:
    values = {
        "name": stream.table,
        "view_type": stream.view_type,
        "started": orjson.dumps(stream.started),
        "disabled_us": stream.disabled_us,
        "ended": None if stream.ended is None else orjson.dumps(stream.ended),
    }
    statement = insert(_streams).values(generation=stream.generation, enabled_us=stream.enabled_us, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["generation", "enabled_us"], set_=values))


def _make_durable(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")  # type: ignore[attr-defined]
    connection.execute("PRAGMA synchronous = EXTRA")  # type: ignore[attr-defined]
