// The table that the page writes its messages to: made here, with a replica in every region.

export const demoTable = "console-demo";

const address = `/v1/tables/${demoTable}`;
const body = JSON.stringify({ name: demoTable, partition_key: { name: "id", type: "string" } });
const poll_ms = 250;

/** The demo table or null, from the first page of tables unless it stands on a later one. */
export async function findDemoTable({ tables, next }) {
  const table = tables.find(({ name }) => name === demoTable);
  if (table !== undefined || next === null || demoTable <= next) return table ?? null;
  const response = await fetch(address, { cache: "no-store" });
  return response.ok ? response.json() : null;
}

/** Names of the regions where the demo table serves. */
export function regionsServing(table) {
  return table === null ? [] : table.replicas.filter(({ status }) => status === "ACTIVE").map(({ region }) => region);
}

/** The table, once it has its replicas, which are added one after the other; `tell` hears how it goes. */
export async function makeDemoTable(regionNames, tell) {
  tell("Making the table…");
  const created = await fetch("/v1/tables", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  });
  if (!created.ok && created.status !== 409) throw new Error(await detailOf(created));
  for (const name of regionNames) {
    tell(`Copying it to ${name}…`);
    await untilSettled();
    const added = await fetch(`${address}/replicas/${encodeURIComponent(name)}`, { method: "PUT" });
    if (!added.ok) throw new Error(await detailOf(added));
  }
  return untilSettled();
}

async function untilSettled() {
  for (;;) {
    const response = await fetch(address, { cache: "no-store" });
    if (!response.ok) throw new Error(await detailOf(response));
    const table = await response.json();
    const failed = table.replicas.find(({ status }) => status === "CREATION_FAILED");
    if (failed !== undefined) throw new Error(failed.description ?? `The copy in ${failed.region} failed`);
    if (table.status === "ACTIVE") return table;
    await new Promise((resolve) => setTimeout(resolve, poll_ms));
  }
}

export async function detailOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `HTTP status ${response.status}`;
}
