// The OpenAPI document as a page: every operation with what it takes, a command to paste, and what it answers.

import { byId, element } from "./elements.js";

const methods = ["get", "post", "put", "patch", "delete"];

async function start() {
  const response = await fetch("/openapi.json");
  const api = await response.json();
  document.title = api.info.title;
  byId("introduction").replaceChildren(...(api.info.description ?? "").split("\n\n").map(paragraph));
  const groups = Map.groupBy(operationsOf(api), ({ tag }) => tag);
  byId("operations").replaceChildren(...[...groups].map(([tag, operations]) => section(tag, operations)));
  byId("operations").removeAttribute("aria-busy");
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, byMethod]) =>
    methods
      .filter((method) => byMethod[method] !== undefined)
      .map((method) => ({ path, method, tag: byMethod[method].tags?.[0] ?? "other", ...byMethod[method] })),
  );
}

function section(tag, operations) {
  return element("section", { "aria-label": tag }, element("h2", {}, tag), ...operations.map(details));
}

function details(operation) {
  const { path, method, summary, description } = operation;
  const parts = [paragraph(description ?? "")];
  const parameters = operation.parameters ?? [];
  if (parameters.length > 0) parts.push(heading("Takes"), element("dl", {}, ...parameters.flatMap(term)));
  const members = Object.entries(schemaOf(operation)?.properties ?? {});
  if (members.length > 0) parts.push(heading("In the body"), element("dl", {}, ...members.flatMap(member(operation))));
  parts.push(heading("For example"), element("pre", { tabindex: 0 }, command(operation)));
  for (const [status, answer] of Object.entries(operation.responses)) parts.push(...answered(status, answer));
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("span", { class: "path" }, ...breakable(path)),
      element("span", { class: "words" }, summary ?? ""),
    ),
    element("div", { class: "operation" }, ...parts),
  );
}

/** May break after a slash rather than within a name. */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]);
}

function paragraph(text) {
  return element("p", {}, ...prose(text));
}

/** Text in which `…` stands for code. */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}

function heading(words) {
  return element("h3", {}, words);
}

function term({ name, in: place, description }) {
  return [element("dt", {}, name), element("dd", {}, ...prose([place, description].filter(Boolean).join(": ")))];
}

function member(operation) {
  const required = new Set(schemaOf(operation).required ?? []);
  return ([name, { description }]) => {
    const words = [required.has(name) ? "required" : "", description].filter(Boolean).join(": ");
    return [element("dt", {}, name), element("dd", {}, ...prose(words))];
  };
}

function schemaOf(operation) {
  return operation.requestBody?.content["application/json"]?.schema;
}

function command(operation) {
  const example = operation.requestBody?.content["application/json"]?.example;
  const address = location.origin + exampleUrl(operation);
  const method = operation.method === "get" || operation.method === "post" ? "" : ` -X ${operation.method.toUpperCase()}`;
  if (example === undefined) return `curl${operation.method === "post" ? " -X POST" : method} '${address}'`;
  return `curl${method} '${address}' --json '${JSON.stringify(example, null, 2).replaceAll("'", "'\\''")}'`;
}

function exampleUrl({ path, parameters = [] }) {
  return path.replaceAll(/\{(\w+)\}/g, (whole, name) => {
    const parameter = parameters.find((each) => each.name === name && each.in === "path");
    const example = parameter?.example ?? parameter?.schema?.examples?.[0];
    return example === undefined ? whole : encodeURIComponent(example);
  });
}

function answered(status, { description, content = {} }) {
  const [example] = Object.values(content).map((each) => each.example);
  const parts = [heading(status === "default" ? "Otherwise" : `Answers ${status}`), paragraph(description)];
  if (example !== undefined) parts.push(element("pre", { tabindex: 0 }, JSON.stringify(example, null, 2)));
  return parts;
}

start().catch((error) => {
  byId("introduction").textContent = `The documentation could not be read: ${error.message}`;
});
