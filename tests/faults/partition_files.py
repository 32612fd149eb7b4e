"""What a region has put down in a table's partition files, read beside the running region: conflicts and overwrites."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from services.region.storage.connections import open_reader
from services.region.vault.storage_key import storage_key
from shared.model.values import decode_item

# Only what was written here: an overwrite by an applied change is what the conflict log has to account for.
_overwritten_here = "SELECT old_image FROM changes WHERE is_own AND old_image IS NOT NULL"
_losers = "SELECT loser_image FROM conflicts WHERE loser_image IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Values of the attribute `value` of items that are no longer current, and why they are not."""

    overwritten: set[str] = field(default_factory=set)  # by a local write, which had seen them
    losers: set[str] = field(default_factory=set)  # of conflicts


def accounts_of(region: Path, generation: str) -> Accounts:
    """`region` is the region's data directory; a table that is not there has no accounts."""
    accounts = Accounts()
    for path in sorted((region / "tables" / generation).glob("*.db")):
        with closing(open_reader(path, storage_key(region))) as connection:
            accounts.overwritten.update(_values(connection, _overwritten_here))
            accounts.losers.update(_values(connection, _losers))
    return accounts


def _values(connection: apsw.Connection, statement: str) -> Iterator[str]:
    for (image,) in connection.execute(statement):
        yield str(decode_item(image)["value"]["S"])
