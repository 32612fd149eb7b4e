"""The key that encrypts partition files: made once per data directory, kept beside the data, for its owner's eyes."""

import os
import secrets
from pathlib import Path

from shared.durability import sync_folder
from shared.errors import OperatorError

storage_key_bytes = 32


def storage_key(folder: Path) -> bytes:
    """The data directory's key; a new directory gets a new one."""
    path = folder / "storage.key"
    if path.exists():
        key = path.read_bytes()
        if len(key) != storage_key_bytes:
            raise OperatorError(
                f"{path} can't be used",
                why=f"it holds {len(key)} bytes, a storage key has {storage_key_bytes}",
                next_step="Put back the storage.key that belongs to this data directory",
            )
        return key
    if (folder / "tables").exists():
        raise OperatorError(
            f"{path} is missing",
            why="the partition files of this directory are encrypted with it",
            next_step="Put back the storage.key that belongs to this data directory",
        )
    key = secrets.token_bytes(storage_key_bytes)
    made = path.with_suffix(".new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    with made.open("wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    made.rename(path)
    sync_folder(folder)
    return key
