// Links as ordered pairs of regions, made of what the targets' replicators report, table by table.

import { byId, element } from "./elements.js";
import { count, duration, stateOf, worstState } from "./words.js";

/** One link for every ordered pair, also where nobody reports of it. */
export function linksBetween(regions) {
  return regions.flatMap((source) =>
    regions.filter((target) => target !== source).map((target) => linkOf(source.name, target)),
  );
}

export function showLinks(links) {
  byId("link-rows").replaceChildren(...links.map(row));
}

function linkOf(source, target) {
  const reports = target.reports.filter((report) => report.source === source);
  const ofTables = reports.filter((report) => report.table !== "");
  return {
    source,
    target: target.name,
    state: linkState(target, reports),
    behind_s: largest(reports, "frontier_lag_s"),
    p50_s: largest(ofTables, "change_lag_p50_s"),
    p99_s: largest(ofTables, "change_lag_p99_s"),
    backlog: total(reports, "backlog"),
    applied: total(ofTables, "applied"),
    conflicts: total(reports, "conflicts"),
    error: reports.find((report) => report.error)?.error ?? null,
  };
}

function linkState(target, reports) {
  if (!target.isReachable) return "UNKNOWN";
  return reports.length === 0 ? "NO_REPLICATOR" : worstState(reports.map((report) => report.state));
}

function row(link) {
  const { words, mood } = stateOf(link.state);
  const state = element("td", {}, element("span", { class: `state ${mood}` }, words));
  if (link.error !== null) state.append(element("span", { class: "error" }, String(link.error)));
  return element(
    "tr",
    {},
    element("td", {}, link.source),
    element("td", {}, link.target),
    state,
    element("td", { class: "number" }, duration(link.behind_s)),
    element("td", { class: "number" }, duration(link.p50_s)),
    element("td", { class: "number" }, duration(link.p99_s)),
    element("td", { class: "number" }, count(link.backlog)),
    element("td", { class: "number wide" }, count(link.conflicts)),
  );
}

function largest(reports, name) {
  const known = reports.map((report) => report[name]).filter((value) => typeof value === "number");
  return known.length === 0 ? null : Math.max(...known);
}

function total(reports, name) {
  return reports.reduce((sum, report) => sum + (Number(report[name]) || 0), 0);
}
