// The rows: what a record says in few words, and the marks of a rate.

const labelOf = (signal) => signal.canonical_id || signal.aliases[0];

const ROWS = PAGE.rows.map((row) => {
  const { signal, facts } = row;
  const known = facts ? [facts.provider, facts.family, facts.licence] : [];
  const words = [
    labelOf(signal),
    row.family,
    ...signal.aliases,
    ...known,
    ...signal.graders.map((g) => g.grader),
  ];
  return { ...row, label: labelOf(signal), search: words.join("\n").toLowerCase() };
});
const BY_KEY = new Map();
const times = new Map();
for (const row of ROWS) times.set(row.label, (times.get(row.label) || 0) + 1);
for (const row of ROWS) {
  // One model can have a row of each origin: then the origin tells its links apart.
  row.twice = times.get(row.label) > 1;
  row.key = row.twice ? `${row.label}|${row.signal.origin}` : row.label;
  for (let number = 2; BY_KEY.has(row.key); number += 1)
    row.key = `${row.label}|${row.signal.origin}|${number}`;
  BY_KEY.set(row.key, row);
}
const find = (key) => BY_KEY.get(key) || ROWS.find((row) => row.label === key) || null;

const rateOf = (row, intent) =>
  intent ? row.signal.by_intent && row.signal.by_intent[intent] : row.signal.asr;
const sizeOf = (row, intent) => (rateOf(row, intent) ? rateOf(row, intent).n : 0);

function whyNone(row, intent) {
  if (!intent) return row.signal.asr_reason;
  if (!row.signal.by_intent) return `no class counts: ${row.signal.by_intent_reason}`;
  return "no graded trace of this class";
}

/** What graders that carry no rate say about a row without one. */
const wouldHave = (row, intent) => (intent ? null : row.signal.would_have_reported);
const whoWould = (row) => (row.status === "rejected" ? "a rejected grader" : "a heuristic or a constant");

function trustWords(trust) {
  if (!trust) return ["not assessed", "no trust was computed"];
  if (trust.tier && trust.vetoed) return [trust.tier, "capped by the veto"];
  const open = trust.signals.filter((s) => s.value === null).map((s) => s.name.replaceAll("_", " "));
  // The card says which signals these are.
  const rest = open.length ? `${open.length} of ${trust.signals.length} open` : "";
  return trust.tier ? [trust.tier, rest] : [`${trust.between[0]} to ${trust.between[1]}`, rest];
}

function factWords(facts) {
  if (!facts) return "licence, size and provider not known";
  const billions = facts.parameters_b === null ? "" : `${facts.parameters_b}B`;
  const known = [facts.provider, billions, facts.licence].filter((word) => word && word !== "unknown");
  return known.join(" · ") || "licence, size and provider not known";
}

const isUsable = (row) => row.status !== "rejected";

const at = (share) => `${(100 * share).toFixed(2)}%`;
const gridlines = (...shares) =>
  shares.map((x) => svg("line", { class: "grid", x1: at(x), x2: at(x), y1: 0, y2: "100%" }));

/** A rate on the scale from 0 to 100%: the interval is the mark, the rate a thin line on it. */
function bar(rate, status, { few = rate.n < FEW, would = false } = {}) {
  const classes = ["bar", `s-${status}`, few ? "few" : "", would ? "would" : ""].filter(Boolean).join(" ");
  const width = Math.max(0.004, rate.ci_high - rate.ci_low);
  return svg(
    "svg",
    { class: classes, "aria-hidden": "true" },
    gridlines(0, 0.25, 0.5, 0.75, 1),
    svg("rect", { class: "interval", x: at(rate.ci_low), y: 5, width: at(width), height: 14, rx: 2 }),
    rate.overall === null
      ? null
      : svg("line", { class: "point", x1: at(rate.overall), x2: at(rate.overall), y1: 1, y2: 23 }),
  );
}

const sign = (status) =>
  el("span", { class: `sign s-${status}`, "aria-hidden": "true" }, WORDS.status[status][0]);

const graderWords = (status) => (status === "labels" ? "" : "grader ") + WORDS.status[status][1];
