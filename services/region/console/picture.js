// The regions and the links between them as a picture that fits the width that it has.

import { byId, svg } from "./elements.js";
import { duration, plural, stateOf } from "./words.js";

const laneGap = 14; // half of the distance between the two directions of a pair
const pen = document.createElement("canvas").getContext("2d"); // measures text
const pulse_ms = 700;
const pulsesMax = 3;
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export class Picture {
  constructor() {
    this.canvas = byId("map");
    this.regions = [];
    this.links = [];
    this.applied = new Map();
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
  }

  show(regions, links) {
    this.regions = regions;
    this.links = links;
    this.draw();
    for (const link of links) this.#pulse(link);
  }

  draw() {
    const width = Math.max(280, this.canvas.parentElement.clientWidth - horizontalPadding(this.canvas.parentElement));
    const frame = layout(width, this.regions.length);
    const places = new Map(this.regions.map((region, index) => [region.name, frame.place(index)]));
    this.lanes = new Map(this.links.map((link) => [link, lane(places.get(link.source), places.get(link.target), frame)]));
    pen.font = `600 13px ${getComputedStyle(this.canvas).fontFamily}`;
    this.canvas.setAttribute("viewBox", `0 0 ${width} ${frame.height}`);
    this.canvas.setAttribute("height", frame.height);
    this.canvas.setAttribute("aria-label", description(this.regions, this.links));
    this.canvas.replaceChildren(
      ...this.links.map((link) => arrow(link, this.lanes.get(link))),
      ...this.regions.map((region) => node(region, places.get(region.name), frame)),
      ...this.links.map((link) => label(link, this.lanes.get(link), frame)),
    );
  }

  /** A few dots travel along a link over which changes came since the last look. */
  #pulse(link) {
    const name = `${link.source} ${link.target}`;
    const before = this.applied.get(name) ?? link.applied;
    this.applied.set(name, link.applied);
    if (isCalm.matches || document.hidden) return;
    const { start, end } = this.lanes.get(link);
    for (let index = 0; index < Math.min(pulsesMax, link.applied - before); index += 1) {
      const dot = svg("circle", { class: "pulse", r: 4, cx: start.x, cy: start.y });
      this.canvas.append(dot);
      const way = { transform: ["none", `translate(${end.x - start.x}px, ${end.y - start.y}px)`] };
      dot.animate(way, { duration: pulse_ms, delay: index * 110, easing: "ease-in-out" }).finished.then(
        () => dot.remove(),
        () => dot.remove(),
      );
    }
  }
}

function horizontalPadding(node) {
  const style = getComputedStyle(node);
  return parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
}

function layout(width, regionCount) {
  const isNarrow = width < 520;
  const node = isNarrow ? { width: 120, height: 54 } : { width: 168, height: 66 };
  const height = regionCount === 1 ? node.height + 40 : isNarrow ? 300 : 372;
  const center = { x: width / 2, y: height / 2 };
  const reach = { x: (width - node.width) / 2 - 2, y: (height - node.height) / 2 - 2 };
  const place = (index) => {
    if (regionCount === 1) return center;
    if (regionCount === 2) return { x: center.x + (index === 0 ? -reach.x : reach.x), y: center.y };
    const angle = -Math.PI / 2 + (index * 2 * Math.PI) / regionCount;
    const stretch = regionCount === 3 ? { x: 1 / Math.sin(Math.PI / 3), y: index === 0 ? 1 : 2 } : { x: 1, y: 1 };
    return { x: center.x + reach.x * Math.cos(angle) * stretch.x, y: center.y + reach.y * Math.sin(angle) * stretch.y };
  };
  return { height, node, isNarrow, place };
}

/** The line of one direction: beside the middle of the pair, from one node's edge to the other's. */
function lane(from, to, frame) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  // Steep pairs of a narrow picture meet at one edge of a node: closer together they don't cross there.
  const gap = frame.isNarrow ? laneGap * (1 - along.y ** 2 / 2) : laneGap;
  const aside = { x: -along.y * gap, y: along.x * gap };
  const half = { x: frame.node.width / 2 + 4, y: frame.node.height / 2 + 4 };
  const start = edge(from, along, aside, half);
  const end = edge(to, { x: -along.x, y: -along.y }, aside, half);
  return { start, end, along };
}

function edge(center, along, aside, half) {
  const toSide = along.x === 0 ? Infinity : (half.x - Math.sign(along.x) * aside.x) / Math.abs(along.x);
  const toTop = along.y === 0 ? Infinity : (half.y - Math.sign(along.y) * aside.y) / Math.abs(along.y);
  const way = Math.min(toSide, toTop);
  return { x: center.x + aside.x + along.x * way, y: center.y + aside.y + along.y * way };
}

function arrow(link, { start, end, along }) {
  const { mood } = stateOf(link.state);
  const back = { x: end.x - along.x * 9, y: end.y - along.y * 9 };
  const wing = { x: -along.y * 5, y: along.x * 5 };
  const head = `${end.x},${end.y} ${back.x + wing.x},${back.y + wing.y} ${back.x - wing.x},${back.y - wing.y}`;
  return svg(
    "g",
    { class: `link ${mood}` },
    svg("line", { x1: start.x, y1: start.y, x2: back.x, y2: back.y }),
    svg("polygon", { points: head }),
  );
}

/** Beside the first third of its line, on the outer side of the pair, so that the two directions stay apart. */
function label(link, { start, end, along }, frame) {
  const { mood } = stateOf(link.state);
  const words = frame.isNarrow ? lagWords(link).replace(" behind", "") : lagWords(link);
  const width = pen.measureText(words).width + 18;
  const isShort = Math.hypot(end.x - start.x, end.y - start.y) < 1.8 * width;
  const share = isShort ? 0.5 : 0.34;
  const outwards = Math.max(0, width / 2 - 12);
  const at = {
    x: start.x + (end.x - start.x) * share - along.y * outwards,
    y: start.y + (end.y - start.y) * share,
  };
  return svg(
    "g",
    { class: `label ${mood}` },
    svg("title", {}, `${link.source} to ${link.target}: ${stateOf(link.state).words}, ${words}`),
    svg("rect", { x: at.x - width / 2, y: at.y - 11, width, height: 22, rx: 11 }),
    svg("text", { x: at.x, y: at.y + 4, "text-anchor": "middle" }, words),
  );
}

function lagWords(link) {
  const { words, mood } = stateOf(link.state);
  if (mood === "dim") return words;
  if (mood !== "good" && !link.behind_s) return words;
  if (link.behind_s >= 1) return `${duration(link.behind_s)} behind`;
  return link.p50_s === null ? "in step" : duration(link.p50_s);
}

function node(region, place, frame) {
  const { width, height } = frame.node;
  const [left, top] = [place.x - width / 2, place.y - height / 2];
  const [mood, words] = standing(region);
  return svg(
    "g",
    { class: `region ${mood}` },
    svg("rect", { x: left, y: top, width, height, rx: 12 }),
    svg("text", { class: "name", x: place.x, y: place.y - 5, "text-anchor": "middle" }, region.name),
    svg("text", { class: "words", x: place.x, y: place.y + 15, "text-anchor": "middle" }, `● ${words}`),
  );
}

function standing(region) {
  if (!region.isReachable) return ["bad", "unreachable"];
  return region.isReady ? ["good", plural(region.tableCount, "table")] : ["busy", "not ready"];
}

function description(regions, links) {
  const ready = regions.filter((region) => region.isReady).length;
  const told = links.map((link) => `${link.source} to ${link.target}: ${stateOf(link.state).words}, ${lagWords(link)}`);
  return [`${ready} of ${plural(regions.length, "region")} ready`, ...told].join("; ");
}
