"""The composition of a lab: which programs it has, and through which relays its replicators see other regions.

A region and its own clients and replicator speak directly; whatever a replicator asks of another region, and of
that region's broker, takes the relay of that link.
"""

from dataclasses import replace

from services.lab.fleet import Fleet
from services.lab.kafka_broker import KafkaBroker, ProxiedListener
from services.lab.launch import port_of, region_command, replicator_command
from services.lab.layout import LabFolder
from services.lab.links import Link, Links
from services.lab.ports import free_ports, loopback
from services.lab.processes import ChildProcess
from services.lab.record import LabRecord, ProcessRecord
from shared.topology import Region, Topology


async def wire(record: LabRecord, folder: LabFolder, *, fleet: Fleet, links: Links) -> LabRecord:
    """Opens the relays and adds every program to the fleet; returns the record with the brokers, if there are any."""
    if record.feed == "kafka":
        record, kafka_relays = await _add_brokers(record, folder, fleet=fleet, links=links)
    else:
        kafka_relays = {}
    brokers = {broker.region: broker.address for broker in record.of_role("kafka")}
    for process in record.regions:
        command = region_command(process, record, folder, kafka_bootstrap=brokers.get(process.region))
        _add_service(process, command, folder, fleet)
    for process in record.of_role("replicator"):
        command = replicator_command(
            process,
            record,
            folder,
            topology=await _topology_seen_by(process.region, record, links),
            kafka_bootstraps={
                link.source: address for link, address in kafka_relays.items() if link.target == process.region
            },
        )
        _add_service(process, command, folder, fleet)
    return record


def _add_service(process: ProcessRecord, command: list[str], folder: LabFolder, fleet: Fleet) -> None:
    fleet.add(process.name, ChildProcess(command, log=folder.log(process.name)), endpoint=process.address)


async def _topology_seen_by(target: str, record: LabRecord, links: Links) -> Topology:
    seen = []
    for process, region in zip(record.regions, record.topology, strict=True):
        if region.name == target:
            seen.append(region)
        else:
            port = await links.open(Link(region.name, target), port=port_of(process))
            seen.append(Region(region.name, region.number, f"http://{loopback}:{port}"))
    return Topology(tuple(seen))


async def _add_brokers(
    record: LabRecord, folder: LabFolder, *, fleet: Fleet, links: Links
) -> tuple[LabRecord, dict[Link, str]]:
    """One broker a region, with a listener for each target; also the addresses that the targets are to use."""
    processes: list[ProcessRecord] = []
    addresses: dict[Link, str] = {}
    for source in record.topology.names:
        outgoing = [link for link in links if link.source == source]
        ports = free_ports(len(outgoing))
        relays = [await links.open(link, port=port) for link, port in zip(outgoing, ports, strict=True)]
        addresses |= {link: f"{loopback}:{relay}" for link, relay in zip(outgoing, relays, strict=True)}
        broker = KafkaBroker(
            folder.broker(source),
            proxied=[ProxiedListener(*pair) for pair in zip(ports, relays, strict=True)],
            log=folder.log(f"kafka:{source}"),
        )
        process = ProcessRecord("kafka", source, broker.bootstrap)
        fleet.add(process.name, broker)
        processes.append(process)
    return replace(record, processes=(*record.processes, *processes)), addresses
