"""Transactions: what became of them, and how they shared commits."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.region.api.metrics.families import histogram
from services.region.engine.transaction_tally import TransactionTally


class TransactionMetrics(Collector):
    def __init__(self, tally: TransactionTally) -> None:
        self._tally = tally

    def collect(self) -> Iterable[Metric]:
        transactions = CounterMetricFamily(
            "meridian_transactions", "Transactions, by what became of them.", labels=("outcome",)
        )
        for outcome, count in self._tally.outcomes.items():
            transactions.add_metric((outcome,), count)
        yield transactions
        yield histogram(
            "meridian_transaction_round_members",
            "Transactions that were committed together.",
            self._tally.round_members,
        )
        yield GaugeMetricFamily(
            "meridian_transactions_unwritten",
            "Committed transactions of which something could not be written yet.",
            value=self._tally.unwritten,
        )
