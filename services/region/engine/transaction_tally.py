"""What became of a region's transactions since the process began, for metrics."""

from collections import Counter

from shared.histograms import Histogram

committed, read, cancelled = "committed", "read", "cancelled"
_members = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


class TransactionTally:
    def __init__(self) -> None:
        self.outcomes = Counter({committed: 0, read: 0, cancelled: 0})
        self.round_members = Histogram(_members)
        self.unwritten = 0  # committed, and a partition of theirs could not be written; it is tried again
