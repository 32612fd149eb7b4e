"""Folders that survive a power loss: a new name is there for good only once its folder is synced."""

import os
from pathlib import Path


def make_folder(path: Path) -> None:
    """Makes a folder and what is missing above it; each is durable when this returns."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
