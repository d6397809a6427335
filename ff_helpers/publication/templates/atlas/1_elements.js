// What the page is made of: its data, elements, numbers. Text from a record enters the
// page only as a text node, so no name can become markup.

const PAGE = JSON.parse(document.getElementById("records").textContent);
const WORDS = PAGE.words;
const Z = 1.959963984540054; // the two-sided 95% quantile of the normal distribution
const FIRST = 100; // rows drawn at once; the rest when the reader comes near them
const LONG = 120; // characters of a name that a table shows
const FEW = 20; // fewer graded traces than this are too few
const byId = (id) => document.getElementById(id);
const small = window.matchMedia("(max-width: 74.99rem)"); // no room for details next to the table

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Replace the children. */
function put(node, ...children) {
  node.replaceChildren();
  return fill(node, {}, children);
}

function cut(text, limit) {
  if (text.length <= limit) return text;
  // By code points, so no surrogate pair is split.
  const points = Array.from(text.slice(0, 2 * limit + 2));
  return points.length <= limit ? text : `${points.slice(0, limit - 1).join("")}…`;
}
/** A foreign name: isolated, so its writing direction ends with it. */
const named = (text, limit = LONG) => el("bdi", { dir: "auto" }, cut(text, limit));
/** A model's name: its parts may wrap onto their own lines. */
const modelName = (text, limit = LONG) =>
  el(
    "bdi",
    { dir: "auto" },
    cut(text, limit)
      .split(/(?<=\/)|(?=@)/)
      .map((part, i) => [i ? el("wbr") : null, part]),
  );

/** One decimal, halves to even, as Python writes it. */
function fixed(value) {
  const halves = 20 * value;
  if (!Number.isInteger(halves) || halves % 2 === 0) return value.toFixed(1);
  const below = Math.floor(10 * value);
  return ((below % 2 === 0 ? below : below + 1) / 10).toFixed(1);
}
const percent = (share) => (share === null ? "–" : fixed(100 * share));
const interval = (rate) => `[${percent(rate.ci_low)}, ${percent(rate.ci_high)}]`;
const rateText = (rate) => `${percent(rate.overall)}% ${interval(rate)}`;
const counted = (n, one, many = `${one}s`) => `${n.toLocaleString("en-GB")} ${n === 1 ? one : many}`;
const band = (n) => (n < FEW ? "insufficient_sample" : n < 50 ? "low" : n < 100 ? "medium" : "high");

/** Points with a sign; more decimals where one would read as zero. */
function points(share) {
  let text = fixed(Math.abs(100 * share));
  for (let digits = 2; Number(text) === 0 && share !== 0 && digits <= 6; digits += 1) {
    text = Math.abs(100 * share).toFixed(digits);
  }
  return (share < 0 ? "−" : share > 0 ? "+" : "") + text;
}

/** The 95% Wilson score interval of k of n. */
function wilson(k, n) {
  if (n === 0) return [0, 1];
  const share = k / n;
  const middle = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n * n))) / (1 + Z ** 2 / n);
  return [k === 0 ? 0 : middle - half, k === n ? 1 : middle + half];
}

/** The difference of two independent proportions with its 95% interval (Newcombe 1998, method 10). */
function difference(k1, n1, k2, n2) {
  if (n1 === 0 || n2 === 0) return [NaN, -1, 1];
  const [p, q] = [k1 / n1, k2 / n2];
  const [[pLow, pHigh], [qLow, qHigh]] = [wilson(k1, n1), wilson(k2, n2)];
  const low = p - q - Math.hypot(p - pLow, qHigh - q);
  const high = p - q + Math.hypot(pHigh - p, q - qLow);
  return [p - q, Math.max(-1, low), Math.min(1, high)];
}
