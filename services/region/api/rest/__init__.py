"""Resource REST: tables, items, queries, replicas and replication as resources, with items in plain JSON.

It builds the commands that the DynamoDB endpoint builds and calls the same engine; errors are problem details.
"""
