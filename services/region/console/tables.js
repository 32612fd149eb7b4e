// The tables of the region that served the page, with their replicas.

import { byId, element } from "./elements.js";
import { count } from "./words.js";

const moods = { ACTIVE: "good", CREATING: "busy", DELETING: "busy", CREATION_FAILED: "bad" };

/** A page of tables, or null when the region does not answer. */
export async function readTables() {
  try {
    const response = await fetch("/v1/tables", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

export function showTables({ tables, next }) {
  byId("table-rows").replaceChildren(...tables.map(row));
  const note = byId("tables-note");
  note.hidden = tables.length > 0 && next === null;
  note.textContent = next === null ? "There are no tables yet." : `Tables after ${next} are not shown.`;
}

function row(table) {
  const keys = [table.partition_key, table.sort_key].filter((key) => key !== null);
  return element(
    "tr",
    {},
    element("td", { class: "name" }, table.name),
    element("td", { class: "wide" }, keys.map((key) => `${key.name} (${key.type})`).join(", ")),
    element("td", { class: "number" }, count(table.item_count)),
    element("td", { class: "replicas" }, ...table.replicas.map(replica)),
  );
}

function replica({ region, status, percent, description }) {
  const mood = moods[status] ?? "bad";
  const words = status === "ACTIVE" ? region : `${region} ${status.toLowerCase().replaceAll("_", " ")}`;
  const progress = status === "CREATING" ? ` ${percent} %` : "";
  return element("span", { class: `state ${mood}`, title: description }, words + progress);
}
