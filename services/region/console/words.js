// How numbers and states are told to people.

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds === 0) return "0 s";
  const milliseconds = seconds * 1000;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function count(number) {
  return number.toLocaleString("en");
}

export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// The worst state of a link's tables is the link's; later here is worse.
const states = {
  FOLLOWING: { words: "following", mood: "good" },
  COPYING: { words: "copying", mood: "busy" },
  CATCHING_UP: { words: "catching up", mood: "busy" },
  NEEDS_RESYNC: { words: "needs resync", mood: "bad" },
  STUCK: { words: "stuck", mood: "bad" },
  UNREACHABLE: { words: "no contact", mood: "bad" },
  NO_REPLICATOR: { words: "no replicator", mood: "bad" },
  UNKNOWN: { words: "unknown", mood: "dim" },
};
const order = Object.keys(states);

export function stateOf(name) {
  return states[name] ?? { words: String(name).toLowerCase(), mood: "bad" };
}

export function isInContact(name) {
  return !["UNREACHABLE", "NO_REPLICATOR", "UNKNOWN"].includes(name);
}

export function worstState(names) {
  return names.reduce((worst, name) => (rank(name) > rank(worst) ? name : worst), "FOLLOWING");
}

function rank(name) {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}
