"""Rules broken on purpose."""
from contextlib import contextmanager
from collections.abc import Iterator
breakages: dict[str, object] = {}
@contextmanager
def broken(name: str | None) -> Iterator[None]:
    yield
