// Writes an item in one region and measures when the others have it: from the write's reply until a read sees it.

import { demoTable, detailOf, makeDemoTable, regionsServing } from "./demo_table.js";
import { byId, element, say } from "./elements.js";
import { addressOf } from "./regions.js";
import { duration } from "./words.js";

const itemPath = `/v1/tables/${demoTable}/items/message`;
const request_ms = 2000;

export class Journey {
  constructor(topology) {
    this.topology = topology;
    this.names = topology.regions.map(({ name }) => name);
    this.writing = null; // aborted when the next message sets out
    this.isMaking = false;
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
    byId("journey-setup").hidden = isReady && !this.isMaking;
    byId("journey-form").hidden = !isReady || this.isMaking;
  }

  async #make() {
    const progress = byId("journey-progress");
    const others = this.names.filter((name) => name !== this.topology.region);
    this.isMaking = true;
    byId("journey-make").disabled = true;
    try {
      await makeDemoTable(others, (words) => say(progress, words));
      say(progress, "");
    } catch (error) {
      say(progress, `It did not work: ${error.message}`);
    } finally {
      this.isMaking = false;
      byId("journey-make").disabled = false;
    }
  }

  async #write(source, text) {
    this.writing?.abort();
    const { signal } = (this.writing = new AbortController());
    const rows = new Map(this.names.map((name) => [name, new Arrival(name)]));
    byId("journey-arrivals").replaceChildren(...[...rows.values()].map(({ node }) => node));
    const began = performance.now();
    try {
      const version = await this.#put(source, text, signal);
      const replied = performance.now();
      rows.get(source).written(text, (replied - began) / 1000);
      const others = this.names.filter((name) => name !== source);
      await Promise.all(others.map((name) => this.#follow(rows.get(name), { name, version, since: replied, signal })));
    } catch (error) {
      if (!signal.aborted) rows.get(source).failed(error.message);
    }
  }

  async #put(source, text, signal) {
    const response = await fetch(addressOf(this.topology, source) + itemPath, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text, written_in: source, written_at: new Date().toISOString() }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(request_ms)]),
    });
    if (!response.ok) throw new Error(await detailOf(response));
    return versionOf(response);
  }

  /** Reads again and again until the region has this version or a later one, however long that takes. */
  async #follow(row, { name, version, since, signal }) {
    while (!signal.aborted) {
      const seen = await this.#read(name, signal);
      const waited_s = (performance.now() - since) / 1000;
      if (seen !== null && isAtLeast(seen.version, version)) {
        row.arrived(seen.item.text, waited_s);
        return;
      }
      row.waiting(waited_s);
      await new Promise((resolve) => setTimeout(resolve, waited_s < 1 ? 2 : waited_s < 10 ? 50 : 500));
    }
  }

  async #read(name, signal) {
    try {
      const response = await fetch(addressOf(this.topology, name) + itemPath, {
        cache: "no-store",
        signal: AbortSignal.any([signal, AbortSignal.timeout(request_ms)]),
      });
      return response.ok ? { version: versionOf(response), item: await response.json() } : null;
    } catch {
      return null; // unreachable now; the next read may get through
    }
  }
}

/** One region's line: where the message is, as a bar and in words. */
class Arrival {
  constructor(region) {
    this.region = region;
    this.bar = element("progress", { max: 1, value: 0, "aria-hidden": "true" });
    this.time = element("span", { class: "time" }, "");
    this.text = element("span", { class: "text" }, "");
    this.node = element("li", {}, element("span", { class: "name" }, region), this.time, this.bar, this.text);
  }

  written(text, seconds) {
    this.#show("good", `written in ${duration(seconds)}`, { text, share: 1 });
  }

  arrived(text, seconds) {
    this.#show("good", `after ${duration(seconds)}`, { text, share: 1 });
    say(byId("journey-told"), `${this.region}: after ${duration(seconds)}`);
  }

  /** In whole tenths, so that only what a person can read changes. */
  waiting(seconds) {
    const shown = seconds < 0.3 ? "on its way" : `waiting ${duration(Math.floor(seconds * 10) / 10)}`;
    this.#show("busy", shown, { text: "", share: 1 - 1 / (1 + seconds * 4) });
  }

  failed(words) {
    this.#show("bad", "not written", { text: words, share: 0 });
  }

  #show(mood, words, { text, share }) {
    this.node.className = mood;
    this.bar.value = share;
    say(this.time, words);
    say(this.text, text);
  }
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
