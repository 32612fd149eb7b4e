// Writes an item in one region and measures when the others have it: from the write's reply until a read sees it.

import { demoTable, detailOf, makeDemoTable, regionsServing } from "./demo_table.js";
import { byId, element, say } from "./elements.js";
import { addressOf } from "./regions.js";
import { duration } from "./words.js";

const itemPath = `/v1/tables/${demoTable}/items/message`;
const request_ms = 2000;
const [quick_ms, steady_ms, slow_ms] = [2, 50, 500]; // between reads, the longer it takes
const scaleMin_s = 0.1;

export class Journey {
  constructor(topology) {
    this.topology = topology;
    this.names = topology.regions.map(({ name }) => name);
    this.writing = null; // aborted when the next message sets out
    byId("journey-regions").append(...this.names.map((name) => choice(name, name === topology.region)));
    byId("journey-make").addEventListener("click", () => this.#make());
    byId("journey-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write(new FormData(event.target).get("region"), byId("journey-text").value);
    });
  }

  /** Shows what can be done with the demo table as it is; null: there is none. */
  show(table) {
    const isReady = regionsServing(table).length === this.names.length;
    byId("journey-setup").hidden = isReady;
    byId("journey-form").hidden = !isReady;
  }

  async #make() {
    const progress = byId("journey-progress");
    const others = this.names.filter((name) => name !== this.topology.region);
    byId("journey-make").disabled = true;
    try {
      this.show(await makeDemoTable(others, (words) => say(progress, words)));
      say(progress, "");
    } catch (error) {
      say(progress, `It did not work: ${error.message}`);
    } finally {
      byId("journey-make").disabled = false;
    }
  }

  async #write(source, text) {
    this.writing?.abort();
    const { signal } = (this.writing = new AbortController());
    const race = new Race(this.names);
    const began = performance.now();
    try {
      const version = await this.#put(source, text, signal);
      const replied = performance.now();
      race.written(source, text, (replied - began) / 1000);
      const others = this.names.filter((name) => name !== source);
      await Promise.all(others.map((name) => this.#follow(race, { name, version, since: replied, signal })));
    } catch (error) {
      if (!signal.aborted) race.failed(source, error.message);
    }
  }

  async #put(source, text, signal) {
    const response = await fetch(addressOf(this.topology, source) + itemPath, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text, written_in: source, written_at: new Date().toISOString() }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(request_ms)]),
    }).catch(() => {
      throw new Error(`${source} gave no answer. See that it runs and write again`);
    });
    if (!response.ok) throw new Error(await detailOf(response));
    return versionOf(response);
  }

  /** Reads again and again until the region has this version or a later one, however long that takes. */
  async #follow(race, { name, version, since, signal }) {
    while (!signal.aborted) {
      const seen = await this.#read(name, signal);
      const waited_s = (performance.now() - since) / 1000;
      if (seen.version !== null && isAtLeast(seen.version, version)) {
        race.arrived(name, seen.item.text, waited_s);
        return;
      }
      race.waiting(name, waited_s);
      const pause_ms = waited_s < 1 ? quick_ms : waited_s < 10 ? steady_ms : slow_ms;
      await new Promise((resolve) => setTimeout(resolve, seen.isReachable ? pause_ms : slow_ms));
    }
  }

  async #read(name, signal) {
    try {
      const response = await fetch(addressOf(this.topology, name) + itemPath, {
        cache: "no-store",
        signal: AbortSignal.any([signal, AbortSignal.timeout(request_ms)]),
      });
      if (!response.ok) return { isReachable: true, version: null };
      return { isReachable: true, version: versionOf(response), item: await response.json() };
    } catch {
      return { isReachable: false, version: null };
    }
  }
}

/** A line for each region: where the message is, in words and as a bar; all bars have one scale. */
class Race {
  constructor(names) {
    this.lines = new Map(names.map((name) => [name, line(name)]));
    byId("journey-arrivals").replaceChildren(...[...this.lines.values()].map(({ node }) => node));
  }

  written(name, text, seconds) {
    this.#show(name, { mood: "good here", words: `written in ${duration(seconds)}`, text });
  }

  arrived(name, text, seconds) {
    this.#show(name, { mood: "good", words: `after ${duration(seconds)}`, text, seconds });
    say(byId("journey-told"), `${name}: after ${duration(seconds)}`);
  }

  /** In whole tenths, so that only what a person can read changes. */
  waiting(name, seconds) {
    const words = seconds < 0.3 ? "on its way" : `waiting ${duration(Math.floor(seconds * 10) / 10)}`;
    this.#show(name, { mood: "busy", words, text: "", seconds });
  }

  failed(name, reason) {
    this.#show(name, { mood: "bad here", words: "not written", text: reason });
  }

  #show(name, { mood, words, text, seconds = 0 }) {
    const shown = this.lines.get(name);
    shown.node.className = mood;
    shown.seconds = seconds;
    say(shown.time, words);
    say(shown.text, text);
    const scale_s = Math.max(scaleMin_s, ...[...this.lines.values()].map((each) => each.seconds));
    for (const each of this.lines.values()) each.bar.value = each.seconds / scale_s;
  }
}

function line(name) {
  const bar = element("progress", { max: 1, value: 0, "aria-hidden": "true" });
  const time = element("span", { class: "time" });
  const text = element("span", { class: "text" });
  const node = element("li", {}, element("span", { class: "name" }, name), time, bar, text);
  return { node, bar, time, text, seconds: 0 };
}

function choice(name, isChecked) {
  return element(
    "label",
    {},
    element("input", { type: "radio", name: "region", value: name, checked: isChecked }),
    element("span", {}, name),
  );
}

/** The entity tag's parts as numbers that compare as versions do. */
function versionOf(response) {
  const [timestamp, region] = response.headers.get("ETag").slice(1, -1).split("-");
  return [BigInt(timestamp), BigInt(region)];
}

function isAtLeast(version, wanted) {
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}
