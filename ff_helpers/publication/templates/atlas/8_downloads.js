// The data as files, made in the page.

const RATE = [
  "overall",
  "ci_low",
  "ci_high",
  "k",
  "n",
  "denominator",
  "tier",
  "scenarios",
  "by_scenario_low",
  "by_scenario_high",
];
const STABILITY = ["share", "ci_low", "ci_high", "k", "n", "scenarios", "basis"];
const FACTS = [
  "family",
  "provider",
  "parameters_b",
  "active_b",
  "weights",
  "licence",
  "licence_kind",
  "report",
  "source",
  "checked",
  "note",
  "basis",
];
const TRUST = ["tier", "between", "low", "high", "vetoed", "signals", "reason"];

/** One flat row of the CSV: nested fields under dotted names, lists as JSON, nothing where null. */
function flat(row) {
  const cells = { model: row.label, status: row.status };
  const spread = (name, value, fields) =>
    fields.forEach((field) => {
      cells[`${name}.${field}`] = value ? value[field] : null;
    });
  for (const [name, value] of Object.entries(row.signal)) {
    if (name === "asr" || name === "would_have_reported") spread(name, value, RATE);
    else if (name === "by_intent")
      WORDS.intents.forEach((intent) => spread(`${name}.${intent}`, value && value[intent], RATE));
    else if (name === "refusal_stability") spread(name, value, STABILITY);
    else if (name === "multi_turn") spread(name, value, ["share", "n"]);
    else cells[name] = value;
  }
  spread("facts", row.facts, FACTS);
  spread("trust", row.trust, TRUST);
  return cells;
}

function csv() {
  const rows = ROWS.map(flat);
  const text = (value) =>
    value === null || value === undefined
      ? ""
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  const quoted = (value) => `"${text(value).replaceAll('"', '""')}"`;
  const columns = Object.keys(rows[0] || { model: "" });
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))]
    .map((cells) => `${cells.map(quoted).join(",")}\r\n`)
    .join("");
}

const jsonl = () => ROWS.map((row) => `${JSON.stringify(row.signal)}\n`).join("");

function offer(text, type, suffix) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = el("a", { href: address, download: `atlas_${PAGE.profile}_${PAGE.as_of}.${suffix}` });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 10000);
}
