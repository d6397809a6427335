// The table: its head, which rows match, in which order, and how a row is drawn.

const table = byId("table");
const body = table.tBodies[0];
let matching = [];
let drawn = 0;
const lines = new Map(); // of the rows that are drawn
const lineOf = (row) => lines.get(row.key) || null;

const COLUMNS = [
  { sort: "name", class: "model", words: "Model" },
  { class: "rate", words: "Attack success" },
  { sort: "rate", class: "estimate n", words: "ASR, %" },
  { sort: "low", class: "ci n", words: "95% interval", narrow: "Lower bound" },
  { sort: "n", class: "count n", words: "k / n" },
  { class: "grader", words: "Grader" },
  { class: "trust", words: "Trust" },
];

function drawHead() {
  const cells = COLUMNS.map((column) => {
    const cell = el("th", { scope: "col", role: "columnheader", class: column.class });
    if (!column.sort) {
      const scale =
        column.class === "rate" &&
        el(
          "span",
          { class: "scale", "aria-hidden": "true" },
          el("i", {}, "0"),
          el("i", {}, "50"),
          el("i", {}, "100%"),
        );
      return fill(cell, {}, [el("span", {}, column.words), scale || null]);
    }
    cell.dataset.sort = column.sort;
    const words = column.narrow
      ? [el("span", { class: "broad" }, column.words), el("span", { class: "narrow" }, column.narrow)]
      : [column.words];
    const help = `Sort by ${SORTS[column.sort][0]}`;
    const button = el(
      "button",
      { type: "button", class: "sort", title: help },
      words,
      el("span", { class: "unseen" }, `, ${help.toLowerCase()}`),
      el("span", { class: "arrow", "aria-hidden": "true" }),
    );
    button.addEventListener("click", () => {
      state.order = state.sort === column.sort && !state.order ? "reverse" : "";
      state.sort = column.sort;
      update();
    });
    return fill(cell, {}, [button]);
  });
  table.tHead.replaceChildren(el("tr", { role: "row" }, cells));
}

function showSort() {
  for (const cell of table.tHead.rows[0].cells) {
    if (!cell.dataset.sort) continue;
    const sorted = cell.dataset.sort === state.sort;
    const ascending = (state.sort === "name") !== (state.order === "reverse");
    cell.setAttribute("aria-sort", sorted ? (ascending ? "ascending" : "descending") : "none");
    cell.querySelector(".arrow").textContent = sorted ? (ascending ? "↑" : "↓") : "";
  }
}

function matches(row) {
  return (
    (!state.q || row.search.includes(state.q.toLowerCase())) &&
    (!state.confidence || band(sizeOf(row, state.class)) === state.confidence) &&
    (!state.status || row.status === state.status) &&
    (!state.family || row.family === state.family) &&
    (!state.origin || row.signal.origin === state.origin)
  );
}

function sortRows(rows) {
  const turn = state.order === "reverse" ? -1 : 1;
  const byName = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  if (state.sort === "name") return rows.sort((a, b) => turn * byName(a, b));
  const value = (row) => {
    const rate = rateOf(row, state.class);
    if (state.sort === "n") return rate ? rate.n : 0;
    // An unreliable rate does not rank among reliable ones.
    if (!rate || rate.overall === null || !isUsable(row)) return null;
    return state.sort === "low" ? rate.ci_low : rate.overall;
  };
  const keyed = rows.map((row) => ({ row, value: value(row), n: sizeOf(row, state.class) }));
  keyed.sort((a, b) => {
    if ((a.value === null) !== (b.value === null)) return a.value === null ? 1 : -1;
    return turn * ((b.value || 0) - (a.value || 0)) || b.n - a.n || byName(a.row, b.row);
  });
  return keyed.map((entry) => entry.row);
}

function rateCells(row) {
  const rate = rateOf(row, state.class);
  const would = wouldHave(row, state.class);
  const cell = el("td", { role: "cell", class: "rate" });
  if (rate) cell.append(bar(rate, row.status));
  else if (would) {
    const words = `what ${whoWould(row)} would have reported: ${percent(would.overall)} ${interval(would)}, ${would.k} of ${would.n}`;
    cell.append(
      bar(would, "rejected", { few: true, would: true }),
      el("p", { class: "would-words" }, words),
    );
  } else cell.append(el("p", { class: "none" }, whyNone(row, state.class)));
  const n = sizeOf(row, state.class);
  const words = el("small", {}, WORDS.confidence[band(n)].split(" (")[0]);
  return [
    cell,
    el(
      "td",
      { role: "cell", class: "estimate n" },
      rate ? percent(rate.overall) : el("span", { class: "unseen" }, "no rate"),
    ),
    el("td", { role: "cell", class: "ci n" }, rate ? interval(rate) : ""),
    el("td", { role: "cell", class: "count n" }, rate ? `${rate.k} / ${rate.n}` : "–", words),
  ];
}

/** Paper has no pointer: there each row lists its graders. */
function gradersOnPaper(row) {
  const said = row.signal.graders.map((grader) => `${cut(grader.grader, LONG)} (${accuracyWords(grader)})`);
  return el("p", { class: "paper" }, said.length ? said.join("; ") : "no grader is named");
}

function drawRow(row) {
  const { signal } = row;
  const about = signal.unresolved_reason
    ? `did not resolve: ${WORDS.reason[signal.unresolved_reason]}`
    : factWords(row.facts);
  const [tier, open] = trustWords(row.trust);
  const button = el(
    "button",
    { type: "button", class: "name", "aria-expanded": "false", "aria-controls": "detail" },
    modelName(row.label),
  );
  const line = el(
    "tr",
    { role: "row", class: `s-${row.status}` },
    el(
      "th",
      { scope: "row", role: "rowheader", class: "model" },
      button,
      el("p", { class: "about" }, named(about)),
    ),
    rateCells(row),
    el(
      "td",
      { role: "cell", class: "grader" },
      el(
        "span",
        { class: "status" },
        sign(row.status),
        row.status === "labels" ? "" : el("span", { class: "narrow" }, "grader "),
        WORDS.status[row.status][1],
      ),
      el("small", {}, WORDS.origin[signal.origin]),
      gradersOnPaper(row),
    ),
    el("td", { role: "cell", class: "trust" }, tier, open ? el("small", {}, open) : null),
  );
  line.dataset.key = row.key;
  return line;
}

function drawMore(count) {
  const next = matching.slice(drawn, drawn + count);
  for (const row of next) lines.set(row.key, drawRow(row));
  body.append(...next.map(lineOf));
  drawn += next.length;
  const left = matching.length - drawn;
  byId("more").hidden = left === 0;
  byId("more").firstElementChild.textContent = left
    ? `${drawn.toLocaleString("en-GB")} of ${counted(matching.length, "row")} drawn; the rest follow as you scroll.`
    : "";
  markOpen();
}

function drawTable() {
  matching = sortRows(ROWS.filter(matches));
  drawn = 0;
  lines.clear();
  body.replaceChildren();
  if (matching.length === 0) {
    body.append(
      el(
        "tr",
        { role: "row" },
        el(
          "td",
          { role: "cell", colspan: COLUMNS.length, class: "empty" },
          "No model matches. Clear the filters to see all of them.",
        ),
      ),
    );
  }
  drawMore(FIRST);
  showSort();
  const [what, natural, reversed] = SORTS[state.sort];
  const last =
    state.sort === "low" || state.sort === "rate"
      ? " Rows without a rate and rows of a rejected grader come last."
      : "";
  const inClass = state.class ? ` Rates in the class ${state.class}.` : "";
  byId("shown").textContent =
    `${matching.length.toLocaleString("en-GB")} of ${counted(ROWS.length, "model")}, by ${what}, ${state.order ? reversed : natural}.${last}${inClass}`;
}

function drawAll() {
  drawMore(matching.length - drawn);
}
