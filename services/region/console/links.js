// Links as ordered pairs of regions, made of what the targets' replicators report, table by table.

import { byId, element } from "./elements.js";
import { count, duration, isInContact, stateOf, worstState } from "./words.js";

/** One link for every ordered pair, also where nobody reports of it. */
export function linksBetween(regions) {
  return regions.flatMap((source) =>
    regions.filter((target) => target !== source).map((target) => linkOf(source, target)),
  );
}

export function showLinks(links) {
  byId("link-rows").replaceChildren(...links.flatMap(rows));
}

function linkOf(source, target) {
  const reports = target.reports.filter((report) => report.source === source.name);
  const ofTables = reports.filter((report) => report.table !== "");
  const state = linkState(target, reports);
  return {
    source: source.name,
    target: target.name,
    state,
    behind_s: largest(reports, "frontier_lag_s"),
    p50_s: largest(ofTables, "change_lag_p50_s"),
    p99_s: largest(ofTables, "change_lag_p99_s"),
    backlog: isInContact(state) ? total(reports, "backlog") : backlogAtSource(source, target, reports),
    applied: total(ofTables, "applied"),
    conflicts: total(reports, "conflicts"),
    error: reports.find((report) => report.error)?.error ?? null,
  };
}

function linkState(target, reports) {
  if (!target.isReachable) return "UNKNOWN";
  return reports.length === 0 ? "NO_REPLICATOR" : worstState(reports.map((report) => report.state));
}

/** Out of contact with its source a target can't know what it has yet to get; the source does, unless it is silent too. */
function backlogAtSource(source, target, reports) {
  if (!source.isReachable) return reports.length === 0 ? null : total(reports, "backlog");
  return total(source.followers.filter((follower) => follower.target === target.name), "unapplied");
}

/** A link's row, and below it what its replicator says is wrong. */
function rows(link) {
  const { words, mood } = stateOf(link.state);
  const row = element(
    "tr",
    {},
    element("td", {}, regionName(`${link.source} →`), " ", regionName(link.target)),
    element("td", {}, element("span", { class: `state ${mood}` }, words)),
    element("td", { class: "number" }, duration(link.behind_s)),
    element("td", { class: "number wide" }, duration(link.p50_s)),
    element("td", { class: "number wide" }, duration(link.p99_s)),
    element("td", { class: "number backlog" }, link.backlog === null ? "–" : count(link.backlog)),
    element("td", { class: "number wide" }, count(link.conflicts)),
  );
  if (link.error === null) return [row];
  return [row, element("tr", { class: "error" }, element("td", { colspan: row.children.length }, String(link.error)))];
}

function regionName(words) {
  return element("span", { class: "region-name" }, words);
}

function largest(reports, name) {
  const known = reports.map((report) => report[name]).filter((value) => typeof value === "number");
  return known.length === 0 ? null : Math.max(...known);
}

function total(reports, name) {
  return reports.reduce((sum, report) => sum + (Number(report[name]) || 0), 0);
}
