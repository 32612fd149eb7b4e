// Looks at every region once a second and shows what it sees.

import { findDemoTable } from "./demo_table.js";
import { byId, say } from "./elements.js";
import { Journey } from "./journey.js";
import { linksBetween, showLinks } from "./links.js";
import { Picture } from "./picture.js";
import { lookAtRegions, readTopology } from "./regions.js";
import { readTables, showTables } from "./tables.js";
import { duration, plural, stateOf } from "./words.js";

const interval_ms = 1000;

async function start() {
  const topology = await readTopology();
  const picture = new Picture();
  const journey = new Journey(topology);
  say(byId("here"), topology.region);
  say(byId("tables-title"), `Tables in ${topology.region}`);
  document.title = `Meridian · ${topology.region}`;
  byId("links").hidden = topology.regions.length === 1;
  for (;;) {
    const [regions, page] = await Promise.all([lookAtRegions(topology), readTables()]);
    const links = linksBetween(regions);
    picture.show(regions, links);
    showLinks(links);
    showSummary(regions, links);
    showNotice(topology, regions);
    if (page !== null) {
      showTables(page);
      journey.show(await findDemoTable(page));
    }
    await new Promise((resolve) => setTimeout(resolve, interval_ms));
  }
}

function showSummary(regions, links) {
  const [mood, words] = summary(regions, links);
  const pill = byId("summary");
  pill.className = `pill ${mood}`;
  say(pill, words);
}

function summary(regions, links) {
  const missing = regions.filter((region) => !region.isReady);
  if (missing.length > 0) return ["bad", `${missing.map(({ name }) => name).join(", ")} not ready`];
  const troubled = links.filter((link) => stateOf(link.state).mood === "bad");
  if (troubled.length > 0) return ["bad", `${plural(troubled.length, "link")} in trouble`];
  const behind_s = Math.max(0, ...links.map((link) => link.behind_s ?? 0));
  const backlog = links.reduce((sum, link) => sum + link.backlog, 0);
  if (behind_s >= 1) return ["busy", `${backlog > 0 ? `${plural(backlog, "change")}, ` : ""}${duration(behind_s)} behind`];
  const moving = links.filter((link) => stateOf(link.state).mood === "busy");
  if (moving.length > 0) return ["busy", `${plural(moving.length, "link")} catching up`];
  return ["good", regions.length === 1 ? "ready" : `${plural(regions.length, "region")} in step`];
}

/** Other regions let pages of the topology's addresses read, and no others: a page opened elsewhere is told so. */
function showNotice(topology, regions) {
  const { endpoint } = topology.regions.find(({ name }) => name === topology.region);
  const notice = byId("notice");
  const isElsewhere = new URL(endpoint).origin !== location.origin;
  notice.hidden = !(isElsewhere && regions.some((region) => !region.isReachable));
  if (!notice.hidden) say(notice, `Other regions answer only to pages of their own: open ${endpoint}/console`);
}

start().catch((error) => say(byId("summary"), `The console could not start: ${error.message}`));
