"""Tables of a lab that are a test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from services.lab.tables import ensure_replicated_table
from tests.faults import lags
from tests.faults.lab import Lab, regions


@asynccontextmanager
async def replicated_table(lab: Lab, *, patience_s: float) -> AsyncIterator[str]:
    """One with a replica in every region and links that the lab's status shows."""
    name = f"t-{uuid4().hex}"
    async with AsyncExitStack() as stack:
        clients = [lab.client(region) for region in regions]
        for client in clients:
            stack.push_async_callback(client.close)
        await ensure_replicated_table(clients, name)
        assert await lags.vanish(lab, name, count=6, patience_s=patience_s) == ""
        yield name
