"""What a region says to Prometheus, gathered at each scrape: requests, storage, transactions and replication.

Nothing here opens a file: tables show whose partitions were used since the start.
"""
