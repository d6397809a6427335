// What the reader chose, and the address that stores it.

const SORTS = {
  name: ["name", "from A to Z", "from Z to A"],
  rate: ["the estimate", "highest first", "lowest first"],
  low: ["the lower bound of the 95% interval", "highest first", "lowest first"],
  n: ["the number of graded traces", "most first", "fewest first"],
};
const EMPTY = {
  q: "",
  class: "",
  confidence: "",
  status: "",
  family: "",
  origin: "",
  sort: "low",
  order: "",
  model: "",
  a: "",
  b: "",
};
const FILTERS = ["q", "class", "confidence", "status", "family", "origin"];
const state = { ...EMPTY };

function readFragment() {
  Object.assign(state, EMPTY);
  for (const part of window.location.hash.slice(1).split("&")) {
    const [name, ...rest] = part.split("=");
    if (!Object.hasOwn(EMPTY, name)) continue;
    try {
      state[name] = decodeURIComponent(rest.join("="));
    } catch {
      // Half an escape sequence: the rest of the link still counts.
    }
  }
  if (!Object.hasOwn(SORTS, state.sort)) state.sort = EMPTY.sort;
  if (state.order !== "reverse") state.order = "";
  for (const name of ["class", "confidence", "status", "family", "origin"]) {
    const allowed = Array.from(byId(name).options, (option) => option.value);
    if (!allowed.includes(state[name])) state[name] = "";
  }
  for (const name of ["model", "a", "b"]) state[name] = find(state[name]) ? find(state[name]).key : "";
}

let writing = 0;
function writeFragment() {
  window.clearTimeout(writing);
  writing = window.setTimeout(() => {
    const readable = (text) =>
      encodeURIComponent(text).replace(/%2F/g, "/").replace(/%40/g, "@").replace(/%3A/g, ":");
    const parts = Object.keys(EMPTY).filter((name) => state[name] !== EMPTY[name]);
    const fragment = parts.map((name) => `${name}=${readable(state[name])}`).join("&");
    try {
      window.history.replaceState(
        null,
        "",
        fragment ? `#${fragment}` : window.location.pathname + window.location.search,
      );
    } catch {
      // A frame without its own address: the page works, its links do not.
    }
  }, 100);
}
