"""The one place that builds a region from its settings and a clock: opens everything in order, closes in reverse."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, ProcessCollector

from services.region.api.application import application
from services.region.api.dynamodb.endpoint import Endpoint
from services.region.api.dynamodb.operations import Engine, operations
from services.region.api.dynamodb.table_operations import TableExtras
from services.region.api.internal.routes import ReplicationEngine
from services.region.api.metrics.replication import ReplicationMetrics
from services.region.api.metrics.requests import RequestMetrics
from services.region.api.metrics.storage import GroupMetrics, StorageMetrics
from services.region.api.metrics.transactions import TransactionMetrics
from services.region.engine.batches import Batches
from services.region.engine.copies import Copies
from services.region.engine.digests import Digests
from services.region.engine.feed import Feed
from services.region.engine.feed_ring import FeedRing
from services.region.engine.followers import Followers
from services.region.engine.horizons import Horizons
from services.region.engine.indexes import Indexes, settle_interval_s
from services.region.engine.insights import Insights
from services.region.engine.items import Items
from services.region.engine.kinesis import KinesisDestinations
from services.region.engine.lanes import Lanes
from services.region.engine.links import Links
from services.region.engine.policies import Policies
from services.region.engine.queries import Queries
from services.region.engine.registry import Registry
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.engine.replicas import Replicas
from services.region.engine.replication import Replication
from services.region.engine.retention import Retention
from services.region.engine.selects import Selects
from services.region.engine.shared_definitions import SharedDefinitions
from services.region.engine.slices import Slices
from services.region.engine.snapshots import Snapshots
from services.region.engine.statement_transactions import StatementTransactions
from services.region.engine.statements import Statements
from services.region.engine.stream_register import StreamRegister
from services.region.engine.streams import Streams
from services.region.engine.tables import Tables
from services.region.engine.tags import Tags
from services.region.engine.time_to_live import Expiry, TimesToLive
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transactions import Transactions
from services.region.jobs.housekeeping import housekeeping
from services.region.jobs.periodic import Job, PeriodicJobs
from services.region.jobs.publish import Publish, publish_retry_s, topic_removal_interval_s
from services.region.rules.arns import Arns
from services.region.settings import RegionSettings
from services.region.storage.catalog import Catalog
from services.region.storage.connections import check_sqlite
from services.region.storage.partitions import CommittedHook, Partition, Partitions
from services.region.storage.transaction_log import TransactionLog
from services.region.storage.writer import Group
from services.region.vault.storage_key import storage_key
from shared.changes.records import catalog_lane
from shared.clock import Clock
from shared.durability import make_folder
from shared.feed.kafka.publisher import KafkaPublisher
from shared.feed.kafka.topics import TopicSettings
from shared.settings import read_secret
from shared.topology import Region, Topology, endpoint_of

writer_threads = 4


@dataclass(slots=True)
class Readiness:
    """Whether the region takes requests; `/readyz` tells."""

    is_ready: bool = False


@dataclass(frozen=True, slots=True)
class RegionService:
    """A region that is open: what answers `POST /`, and the ASGI application for everything else."""

    endpoint: Endpoint
    app: Callable[..., Any]
    readiness: Readiness


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything else of a region stands on."""

    settings: RegionSettings
    clock: Clock
    topology: Topology
    number: int
    key: bytes
    arns: Arns
    catalog: Catalog
    partitions: Partitions
    registry: Registry
    lanes: Lanes
    streams: StreamRegister
    replicas: Replicas


@asynccontextmanager
async def open_region(settings: RegionSettings, clock: Clock) -> AsyncIterator[RegionService]:
    check_sqlite()
    metrics = CollectorRegistry()
    groups = GroupMetrics()

    def committed(partition: Partition, group: Group) -> None:
        groups.observe(group)
        if group.changes and lanes.is_shared(partition.lane):
            take_up(partition, group.changes)

    ground = _open_ground(settings, clock, committed)
    region, topology, registry, lanes = settings.region, ground.topology, ground.registry, ground.lanes
    feed = Feed(registry, lanes, ring=FeedRing(), topology=topology, region=region, clock=clock)
    publisher, publish = None, None
    take_up, beat = feed.committed, feed.beat
    if settings.feed == "kafka":
        publisher = KafkaPublisher(
            settings.kafka_bootstrap, region=region, topics=_topics(settings), access=settings.kafka_access()
        )
        publish = Publish(registry, lanes, catalog=ground.catalog, feed=feed, publisher=publisher, metrics=metrics)
        take_up, beat = publish.committed, publish.beat
    transaction_log = TransactionLog(
        settings.data / "transactions.db",
        key=ground.key,
        loop=ground.partitions.loop,
        threads=ground.partitions.threads,
    )
    rounds = Rounds(transaction_log, region=ground.number, clock=clock)
    transactions = Transactions(registry, rounds, transaction_log=transaction_log, clock=clock)
    indexes = Indexes(registry)
    engine = _engine(ground, indexes, transactions)
    followers = Followers(registry, definitions=lanes.definitions, topology=topology, region=region, clock=clock)
    replication = _replication_engine(ground, feed, followers)
    retention = Retention(registry, replication.horizons, topology=topology, region=region, clock=clock)
    expiry = Expiry(registry, clock=clock)
    request_metrics = RequestMetrics()
    for collector in (
        request_metrics,
        StorageMetrics(registry, groups=groups, retention=retention, expiry=expiry, data=settings.data),
        ReplicationMetrics(
            registry,
            definitions=lanes.definitions,
            feed=feed.tally,
            followers=followers,
            links=replication.links,
            counts=replication.replication.counts,
            sources={peer.number: peer.name for peer in topology.others(region)},
            retention_s=math.inf if publisher is None else publisher.retention_s,
            publishes=publisher is not None,
        ),
        TransactionMetrics(rounds.tally),
    ):
        metrics.register(collector)
    ProcessCollector(registry=metrics)
    readiness = Readiness()
    address = urlsplit(topology.named(region).endpoint).netloc
    service = RegionService(
        Endpoint(operations(engine, arns=ground.arns, address=address), metrics=request_metrics, clock=clock),
        application(
            engine,
            replication,
            region=region,
            topology=topology,
            token=None if settings.token_file is None else read_secret(settings.token_file),
            metrics=metrics,
            request_metrics=request_metrics,
            clock=clock,
            is_ready=lambda: readiness.is_ready,
        ),
        readiness,
    )
    await ground.replicas.load()
    await transactions.recover()
    jobs = housekeeping(
        beat=beat,
        replicas=ground.replicas,
        retention=retention,
        followers=followers,
        partitions=ground.partitions,
        rounds=rounds,
        transactions=transactions,
        expiry=expiry,
    )
    jobs.append(Job("settle-indexes", settle_interval_s, indexes.settle))
    if publish is not None:
        jobs.append(Job("publish", publish_retry_s, publish.run))
        jobs.append(Job("remove-topics", topic_removal_interval_s, publish.remove_topics))
    running = asyncio.create_task(PeriodicJobs(jobs, metrics=metrics).run(), name="jobs")
    readiness.is_ready = True
    try:
        yield service
    finally:
        readiness.is_ready = False
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if publisher is not None:
            await publisher.close()
        await transaction_log.close()
        await ground.partitions.close()
        ground.catalog.close()


def _open_ground(settings: RegionSettings, clock: Clock, committed: CommittedHook) -> _Ground:
    region = settings.region
    topology = settings.topology if settings.topology.regions else _alone(settings)
    number = topology.named(region).number
    make_folder(settings.data.absolute())
    key = storage_key(settings.data)
    catalog = Catalog(settings.data / "catalog.db", region=region, number=number)
    partitions = Partitions(
        settings.data / "tables",
        key=key,
        region=number,
        clock=clock,
        writer_threads=writer_threads,
        committed=committed,
    )
    definitions = partitions.of(catalog_lane)
    arns = Arns(region, settings.account)
    registry = Registry(arns, revision=clock.wall_us())
    streams = StreamRegister(clock)
    replicas = Replicas(
        registry,
        catalog=catalog,
        partitions=partitions,
        shared=SharedDefinitions(definitions),
        topology=topology,
        region=region,
        streams=streams,
    )
    lanes = Lanes(registry, definitions=definitions)
    return _Ground(
        settings, clock, topology, number, key, arns, catalog, partitions, registry, lanes, streams, replicas
    )


def _engine(ground: _Ground, indexes: Indexes, transactions: Transactions) -> Engine:
    """What clients' operations are carried out by."""
    registry, arns, streams, clock = ground.registry, ground.arns, ground.streams, ground.clock
    items = Items(registry)
    queries = Queries(registry, indexes)
    facts = FactsOfReplicas(registry, ground.catalog)
    tables = Tables(
        registry,
        ground.replicas,
        facts=facts,
        topology=ground.topology,
        arns=arns,
        clock=clock,
        delay_s=ground.settings.table_delay_s,
    )
    selects, slices = Selects(registry, items, queries, token_key=ground.key), Slices()
    return Engine(
        items=items,
        queries=queries,
        batches=Batches(registry, items),
        tables=tables,
        extras=TableExtras(
            tags=Tags(registry, facts, streams=streams, arns=arns),
            policies=Policies(facts, streams=streams, arns=arns, clock=clock),
            insights=Insights(registry, facts, clock),
            kinesis=KinesisDestinations(facts),
        ),
        transactions=transactions,
        statements=Statements(registry, items, selects, slices, clock=clock),
        statement_transactions=StatementTransactions(registry, transactions, slices, clock=clock),
        streams=Streams(
            *(registry, streams, ground.partitions),
            region=ground.settings.region,
            iterator_key=ground.key,
            clock=clock,
        ),
        times_to_live=TimesToLive(registry, tables, region=ground.number, clock=clock),
    )


def _replication_engine(ground: _Ground, feed: Feed, followers: Followers) -> ReplicationEngine:
    """What replicators' requests are carried out by."""
    registry, lanes, replicas = ground.registry, ground.lanes, ground.replicas
    topology, region, clock = ground.topology, ground.settings.region, ground.clock
    return ReplicationEngine(
        registry=registry,
        replicas=replicas,
        feed=feed,
        snapshots=Snapshots(lanes, topology=topology, region=region),
        replication=Replication(registry, lanes, replicas, topology=topology, region=region),
        copies=Copies(registry, lanes, replicas, topology=topology, region=region),
        digests=Digests(registry),
        links=Links(clock),
        followers=followers,
        horizons=Horizons(registry, replicas, region=region, clock=clock),
    )


def _alone(settings: RegionSettings) -> Topology:
    return Topology((Region(settings.region, 1, endpoint_of(settings.host, settings.port)),))


def _topics(settings: RegionSettings) -> TopicSettings:
    return TopicSettings(
        replication_factor=settings.kafka_replication_factor,
        min_insync_replicas=settings.kafka_min_insync_replicas,
        retention_hours=settings.kafka_retention_hours,
        compression=settings.kafka_compression,
    )
