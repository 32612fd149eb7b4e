// What each region says of itself. The page asks every region directly, so it sees what a client would see.

const patience_ms = 1500;

export async function readTopology() {
  return readJson("/console/topology");
}

/** The region's own address; the region that served this page is asked where the page came from. */
export function addressOf(topology, name) {
  if (name === topology.region) return "";
  return topology.regions.find((region) => region.name === name).endpoint;
}

/** One look at every region: {name, isReachable, isReady, tableCount, reports, followers}. */
export async function lookAtRegions(topology) {
  return Promise.all(topology.regions.map(({ name }) => lookAt(name, addressOf(topology, name))));
}

async function lookAt(name, address) {
  try {
    const [state, replication] = await Promise.all([
      readJson(`${address}/readyz`),
      readJson(`${address}/v1/replication`),
    ]);
    const reports = Array.isArray(replication.links) ? replication.links : [];
    const followers = replication.followers ?? [];
    return { name, isReachable: true, isReady: state.ready === true, tableCount: state.tables ?? 0, reports, followers };
  } catch {
    return { name, isReachable: false, isReady: false, tableCount: 0, reports: [], followers: [] };
  }
}

async function readJson(address) {
  const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(patience_ms) });
  return response.json();
}
