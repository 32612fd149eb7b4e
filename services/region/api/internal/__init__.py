"""Internal routes: what replicators ask of their own region and of the regions that they follow.

Every route needs the shared token. Bodies that carry changes are `shared.changes.batches`; the rest is JSON.
A refusal is problem details with a stable `reason` that the replicator decides on.
"""
