"use strict";
// The atlas page: draws the records that stand in it, and nothing else. Text from a record enters the page
// only as a text node, so that no name can become markup.
(() => {
  const PAGE = JSON.parse(document.getElementById("records").textContent);
  const WORDS = PAGE.words;
  const Z = 1.959963984540054; // the two-sided 95% quantile of the normal distribution
  const FIRST = 100; // rows drawn at once; the rest when the reader comes near them
  const LONG = 120; // characters of a name that a table shows
  const FEW = 20; // fewer graded traces than this are no sample
  const byId = (id) => document.getElementById(id);
  const small = window.matchMedia("(max-width: 74.99rem)"); // no room for details beside the table

  // ---- elements ------------------------------------------------------------------------------------

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

  /** Put children in the place of those there are. */
  function put(node, ...children) {
    node.replaceChildren();
    return fill(node, {}, children);
  }

  function cut(text, limit) {
    if (text.length <= limit) return text;
    // By code points, so that no pair of surrogates is torn apart.
    const points = Array.from(text.slice(0, 2 * limit + 2));
    return points.length <= limit ? text : `${points.slice(0, limit - 1).join("")}…`;
  }
  /** A name of somebody else's: isolated, so that its writing direction ends with it. */
  const named = (text, limit = LONG) => el("bdi", { dir: "auto" }, cut(text, limit));
  /** A model's name: its parts may stand on lines of their own. */
  const modelName = (text, limit = LONG) =>
    el(
      "bdi",
      { dir: "auto" },
      cut(text, limit)
        .split(/(?<=\/)|(?=@)/)
        .map((part, i) => [i ? el("wbr") : null, part]),
    );

  // ---- numbers -------------------------------------------------------------------------------------

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

  // ---- rows ----------------------------------------------------------------------------------------

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

  /** What graders that carry no rate say of a row without one. */
  const wouldHave = (row, intent) => (intent ? null : row.signal.would_have_reported);
  const whoWould = (row) => (row.status === "rejected" ? "a rejected grader" : "a heuristic or a constant");

  function trustWords(trust) {
    if (!trust) return ["not assessed", "no trust was computed"];
    if (trust.tier && trust.vetoed) return [trust.tier, "capped by the veto"];
    const open = trust.signals.filter((s) => s.value === null).map((s) => s.name.replaceAll("_", " "));
    // Which signals these are stands in the card.
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

  // ---- marks ---------------------------------------------------------------------------------------

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

  // ---- state and its fragment ----------------------------------------------------------------------

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
        // A frame without an address of its own: the page works, its links do not.
      }
    }, 100);
  }

  // ---- the table -----------------------------------------------------------------------------------

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
      // A rate that nobody can lean on takes no place among those one can.
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

  /** On paper nothing can be pointed at: there each row carries its graders with it. */
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
      ? `${drawn.toLocaleString("en-GB")} of ${counted(matching.length, "row")} drawn; the rest follows as you scroll.`
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
        ? " Rows without a rate and rows of a rejected grader stand last."
        : "";
    const inClass = state.class ? ` Rates in the class ${state.class}.` : "";
    byId("shown").textContent =
      `${matching.length.toLocaleString("en-GB")} of ${counted(ROWS.length, "model")}, by ${what}, ${state.order ? reversed : natural}.${last}${inClass}`;
  }

  function drawAll() {
    drawMore(matching.length - drawn);
  }

  // ---- details -------------------------------------------------------------------------------------

  const detail = byId("detail");
  let open = null; // the row whose details are shown
  let pinned = false;
  // The row of which the card was dismissed: silent until the pointer, or the focus, has left it.
  const silent = { pointer: null, focus: null };
  let aimed = null; // the row under the pointer
  let waiting = 0;

  const accuracyWords = (grader) =>
    grader.accuracy === null
      ? grader.standing === "labels"
        ? "known truth"
        : "accuracy never measured"
      : `accuracy ${percent(grader.accuracy)}% ${interval(grader)} on ${grader.n} of ${grader.calibration_set}`;

  function graderItem(grader) {
    const { reported, calibration_set: set } = grader;
    const again = grader.accuracy !== null && grader.why.endsWith(`on ${set}`); // `k of n on set`, said once
    const accuracy = `accuracy ${percent(grader.accuracy)}% ${interval(grader)}: `;
    const status =
      { labels: "labels", measured: "measured", unmeasured: "unmeasured", rejected: "rejected" }[
        grader.standing
      ] || "marked";
    const spelled = grader.spellings.filter((name) => name !== grader.grader);
    return el(
      "li",
      { class: `s-${status}` },
      el(
        "p",
        { class: "who" },
        sign(status),
        " ",
        named(grader.grader),
        ` · ${grader.standing}`,
        grader.headline ? "" : " · not behind the rate",
      ),
      el("p", {}, again ? [accuracy, named(grader.why, 400)] : accuracyWords(grader)),
      el(
        "p",
        {},
        `gate: ${grader.gate} · ${WORDS.standing[grader.standing]}`,
        again ? "" : [": ", named(grader.why, 400)],
      ),
      reported ? el("p", {}, `alone it reports ${rateText(reported)}, ${reported.k} of ${reported.n}`) : null,
      spelled.length
        ? el(
            "p",
            {},
            "written as ",
            spelled.map((name, i) => [i ? ", " : "", named(name)]),
          )
        : null,
      grader.digest ? el("p", {}, "digest ", named(grader.digest)) : null,
    );
  }

  function methodWords({ graders, mixes_graders: mixes, origin }) {
    const count = graders.filter((grader) => grader.headline).length;
    if (mixes) {
      return origin === "export"
        ? `verdicts of ${count} graders are mixed; which verdict is whose is not published`
        : `verdicts of ${count} graders are mixed in one rate`;
    }
    if (count === 0) return "no grader stands behind a rate";
    return graders.some((grader) => grader.headline && grader.standing === "labels")
      ? "known truth, no grader"
      : "one grader, not mixed";
  }

  function aloneWords({ graders, origin }) {
    const told = graders.filter((grader) => grader.reported).length;
    if (told)
      return told === graders.length ? "stands with each" : `stands with ${told} of ${graders.length}`;
    return origin === "export" ? "not published" : "not known";
  }

  function gradersMeasured({ graders, with_accuracy: share }) {
    if (share === null) return "no grader is named";
    const measured = graders.filter((grader) => grader.accuracy !== null).length;
    const truth = graders.some((grader) => grader.standing === "labels") ? "; known truth needs none" : "";
    return `${percent(share)}% (${measured} of ${graders.length}${truth})`;
  }

  function stabilityWords(stability) {
    return `${percent(stability.share)}% [${percent(stability.ci_low)}, ${percent(stability.ci_high)}]: ${stability.k} of ${counted(stability.n, "pair")} of runs ended alike, ${counted(stability.scenarios, "scenario")}; ${stability.basis}`;
  }

  function statusCounts(counts) {
    const said = Object.entries(counts).filter(([, count]) => count > 0);
    const all = said.reduce((sum, [, count]) => sum + count, 0);
    return all
      ? `${counted(all, "row")}: ${said.map(([name, count]) => `${name} ${count}`).join(", ")}`
      : "none";
  }

  const pairs = (...entries) =>
    el(
      "dl",
      { class: "pairs" },
      entries
        .filter(Boolean)
        .map(([term, ...words]) => el("div", {}, el("dt", {}, term), el("dd", {}, words))),
    );
  const orWhy = (value, words, reason) =>
    value === null ? named(`not known: ${reason}`, 400) : words(value);

  function rateBlock(row) {
    const { asr, asr_reason: reason } = row.signal;
    const would = wouldHave(row, "");
    if (asr) {
      return [
        el("p", { class: "big" }, rateText(asr)),
        bar(asr, row.status),
        row.status === "rejected"
          ? el(
              "p",
              { class: "warn" },
              "A rejected grader is among those behind this rate: do not lean on it.",
            )
          : null,
        pairs(
          ["95% interval", `${interval(asr)} (Wilson, as if traces were independent)`],
          asr.scenarios
            ? [
                "By scenario",
                `[${percent(asr.by_scenario_low)}, ${percent(asr.by_scenario_high)}], ${counted(asr.scenarios, "scenario")}: runs of one are not independent`,
              ]
            : null,
          ["Counts", `k = ${asr.k} of n = ${asr.n}`],
          ["Denominator", named(asr.denominator)],
          ["Tier", `${asr.tier}: ${WORDS.tier[asr.tier]} counts as success`],
          ["Confidence", WORDS.confidence[row.signal.confidence]],
        ),
      ];
    }
    return [
      el("p", { class: "big" }, "no rate"),
      el("p", {}, named(reason, 400)),
      would
        ? [
            bar(would, "rejected", { few: true, would: true }),
            el(
              "p",
              { class: "warn" },
              `What ${whoWould(row)} would have reported: ${rateText(would)}, ${would.k} of ${would.n}.`,
            ),
          ]
        : null,
      pairs(["Confidence", WORDS.confidence[row.signal.confidence]]),
    ];
  }

  function classBlock(row) {
    const { by_intent: classes, by_intent_reason: reason } = row.signal;
    if (!classes) return el("p", {}, named(`no class counts: ${reason}`, 400));
    return el(
      "ul",
      { class: "classes" },
      WORDS.intents.map((intent) => {
        const rate = classes[intent];
        return el(
          "li",
          intent === state.class ? { class: "chosen" } : {},
          el("span", {}, intent),
          rate
            ? [
                bar(rate, row.status),
                el(
                  "span",
                  { class: "n" },
                  `${percent(rate.overall)} ${interval(rate)} · ${rate.k}/${rate.n}`,
                ),
              ]
            : el("span", { class: "soft" }, "no graded trace"),
        );
      }),
    );
  }

  function source(facts) {
    // Only what is an address, and nothing else, becomes a link.
    const address = facts.source.match(/^(?:https:\/\/)?((?:[a-z0-9-]+\.)+[a-z]{2,}(?:\/\S*)?)$/);
    if (!address) return named(facts.source, 400);
    return el("a", { href: `https://${address[1]}`, rel: "noopener noreferrer" }, facts.source);
  }

  function factBlock(facts) {
    if (!facts) return el("p", {}, "Nothing is known of this model besides its counts.");
    const billions = (count) => (count === null ? "not stated" : `${count} billion`);
    const basis = {
      page: "a page that says so was read",
      known: "general knowledge; the page was not read",
      none: "nothing was found",
    };
    return pairs(
      ["Licence", named(facts.licence), ` (${facts.licence_kind.replaceAll("_", " ")})`],
      ["Provider", named(facts.provider)],
      ["Family", named(facts.family)],
      [
        "Parameters",
        billions(facts.parameters_b),
        facts.active_b === null ? "" : `, ${facts.active_b} billion active`,
      ],
      ["Weights", facts.weights],
      ["Card or report", facts.report],
      ["Source", source(facts), ` (${basis[facts.basis]}; checked ${facts.checked})`],
      facts.note ? ["Note", named(facts.note, 400)] : null,
    );
  }

  function trustBlock(trust) {
    if (!trust) return el("p", {}, "No trust was computed for this row.");
    const lead = trust.tier || `${trust.between[0]} to ${trust.between[1]}, left open`;
    const value = (signal) => (signal.value === null ? "" : `${signal.value.toFixed(2)}: `);
    return [
      el("p", {}, el("strong", {}, lead), ": ", named(trust.reason, 400)),
      pairs(
        ...trust.signals.map((s) => [
          `${s.name.replaceAll("_", " ")} (weight ${s.weight.toFixed(2)})`,
          value(s),
          named(s.why, 400),
        ]),
      ),
    ];
  }

  function aliases({ aliases: names, inferred_aliases: inferred }) {
    return names.map((name, i) => [
      i ? ", " : "",
      named(name, 300),
      inferred.includes(name) ? " (inferred)" : "",
    ]);
  }

  function drawDetail(row) {
    const { signal } = row;
    const chosen = state.a === row.key || state.b === row.key;
    const compare = el(
      "button",
      { type: "button", class: "quiet" },
      chosen ? "In the comparison" : state.a ? "Compare with the first" : "Compare",
    );
    compare.disabled = chosen;
    compare.addEventListener("click", () => choose(row));
    const close = el(
      "button",
      { type: "button", class: "quiet close", "aria-label": "Close the details" },
      "✕",
    );
    close.addEventListener("click", () => dismiss());
    put(
      detail,
      el("div", { class: "head" }, el("h3", { tabindex: "-1" }, modelName(row.label, 300)), close),
      el(
        "p",
        { class: "soft" },
        sign(row.status),
        graderWords(row.status),
        `: ${WORDS.status[row.status][2]} · ${WORDS.origin[signal.origin]}`,
      ),
      signal.unresolved_reason
        ? el("p", {}, `The name did not resolve: ${WORDS.reason[signal.unresolved_reason]}.`)
        : "",
      el("p", {}, compare),
      rateBlock(row),
      el("h4", {}, "By attack class"),
      classBlock(row),
      el("h4", {}, "Who graded"),
      pairs(
        ["Method", methodWords(signal)],
        ["Graders with a measured accuracy", gradersMeasured(signal)],
        ["What each reports alone", aloneWords(signal)],
      ),
      el("ul", { class: "graders" }, signal.graders.map(graderItem)),
      el("h4", {}, "What was graded"),
      pairs(
        [
          "Multi-turn",
          orWhy(
            signal.multi_turn,
            (share) => `${percent(share.share)}% of ${counted(share.n, "row")}`,
            signal.multi_turn_reason,
          ),
        ],
        [
          "Refusal stability",
          orWhy(signal.refusal_stability, stabilityWords, signal.refusal_stability_reason),
        ],
        ["Rows without a verdict", orWhy(signal.no_verdict, statusCounts, signal.no_verdict_reason)],
        ["Last graded", orWhy(signal.last_graded, String, signal.last_graded_reason)],
        ["Corpus", named(signal.corpus, 400)],
        ["Record of", signal.as_of || PAGE.as_of],
        ["Names in the data", aliases(signal)],
      ),
      el("h4", {}, "The model"),
      factBlock(row.facts),
      el("h4", {}, "Trust"),
      trustBlock(row.trust),
    );
  }

  function show(row, pin) {
    window.clearTimeout(waiting);
    if (open !== row) {
      open = row;
      drawDetail(row);
      detail.scrollTop = 0;
    }
    pinned = pin;
    detail.hidden = false;
    detail.classList.toggle("pinned", pinned);
    if (small.matches) placeAway(row);
    if (state.model !== (pinned ? row.key : "")) {
      state.model = pinned ? row.key : "";
      writeFragment();
    }
    markOpen();
  }

  /** Without a place of its own the card stands at that end of the window where its row is not. */
  function placeAway(row) {
    const line = lineOf(row);
    const box = line && line.getBoundingClientRect();
    const room = window.innerHeight - detail.offsetHeight - 16;
    detail.classList.toggle("top", Boolean(box) && !pinned && box.bottom > room);
  }

  function hide() {
    window.clearTimeout(waiting);
    open = aimed = null;
    pinned = false;
    detail.hidden = true;
    if (state.model) {
      state.model = "";
      writeFragment();
    }
    markOpen();
  }

  function dismiss() {
    if (!open) return;
    const line = lineOf(open);
    const inside = detail.contains(document.activeElement);
    silent.pointer = line && line.matches(":hover") ? open : null;
    silent.focus = inside || (line && line.contains(document.activeElement)) ? open : null;
    hide();
    if (inside && line) line.querySelector("button.name").focus();
  }

  const rowAt = (target) => {
    const line = target instanceof Element && target.closest("tbody tr");
    return line && body.contains(line) ? BY_KEY.get(line.dataset.key) || null : null;
  };

  let marked = null;
  function markOpen() {
    if (marked) {
      marked.classList.remove("open");
      marked.querySelector("button.name").setAttribute("aria-expanded", "false");
    }
    marked = open ? lineOf(open) : null;
    if (marked) {
      marked.classList.add("open");
      marked.querySelector("button.name").setAttribute("aria-expanded", "true");
    }
  }

  const later = (action, milliseconds) => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(action, milliseconds);
  };
  /** What is shown goes when neither the pointer nor the focus is there any more. */
  const hideSoon = () =>
    later(() => {
      const focused = rowAt(document.activeElement);
      if (pinned || detail.contains(document.activeElement)) return;
      if (focused && focused !== silent.focus) show(focused, false);
      else hide();
    }, 250);

  function listenToRows() {
    // The pointer must move: a page that scrolls below it opens nothing.
    body.addEventListener("pointermove", (event) => {
      const row = rowAt(event.target);
      if (event.pointerType === "touch" || pinned || !row || row === aimed) return;
      if (row !== silent.pointer) silent.pointer = null;
      aimed = row;
      if (row === open) window.clearTimeout(waiting);
      else if (row !== silent.pointer) later(() => show(row, false), open ? 120 : 60);
    });
    body.addEventListener("pointerleave", () => {
      aimed = silent.pointer = null;
      if (!pinned) hideSoon();
    });
    detail.addEventListener("pointerenter", () => window.clearTimeout(waiting));
    detail.addEventListener("pointerleave", () => !pinned && hideSoon());
    detail.addEventListener("pointerdown", () => open && show(open, true));
    body.addEventListener("focusin", (event) => {
      const row = rowAt(event.target);
      if (!row || pinned || row === silent.focus) return;
      silent.focus = null;
      show(row, false);
    });
    body.addEventListener("focusout", (event) => {
      if (!detail.contains(event.relatedTarget)) hideSoon();
      if (!body.contains(event.relatedTarget)) silent.focus = null;
    });
    body.addEventListener("click", (event) => {
      const row = rowAt(event.target);
      if (!row || !window.getSelection().isCollapsed) return;
      if (pinned && row === open) {
        dismiss();
        return;
      }
      show(row, true);
      // A key, and no pointer, pressed the button: the reader goes on in the card.
      if (event.detail === 0) detail.querySelector("h3").focus();
    });
    body.addEventListener("keydown", (event) => {
      const line = event.target.closest("tr");
      const step = {
        ArrowDown: line.nextElementSibling,
        ArrowUp: line.previousElementSibling,
        Home: body.firstElementChild,
        End: body.lastElementChild,
      }[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      step.querySelector("button.name").focus();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") dismiss();
    });
  }

  // ---- comparison ----------------------------------------------------------------------------------

  function choose(row) {
    state[state.a ? "b" : "a"] = row.key;
    if (state.a && state.b) {
      update();
      byId("compare").firstElementChild.focus({ preventScroll: true });
      byId("compare").scrollIntoView({ block: "start" });
    } else {
      update();
      detail.querySelector("h3").focus();
    }
  }

  /** Why two rows cannot be compared at all; empty where they can. */
  function obstacles(a, b, intent) {
    if (a === b) return [["the same row was chosen twice"]];
    const found = [];
    for (const row of [a, b]) {
      const rate = rateOf(row, intent);
      if (row.status === "rejected")
        found.push(["the figure of ", named(row.label), " comes from a rejected grader"]);
      else if (!rate) found.push([named(row.label), " has no rate: ", named(whyNone(row, intent), 400)]);
      else if (rate.n === 0) found.push([named(row.label), " has no graded trace"]);
    }
    const [one, two] = [rateOf(a, intent), rateOf(b, intent)];
    if (one && two && one.denominator !== two.denominator) {
      found.push(["the denominators differ: ", named(one.denominator), " and ", named(two.denominator)]);
    }
    if (one && two && one.tier !== two.tier) found.push([`the tiers differ: ${one.tier} and ${two.tier}`]);
    return found;
  }

  const behind = (row) =>
    row.signal.graders
      .filter((grader) => grader.headline)
      .map((grader) => grader.grader)
      .sort();

  /** What the interval of a difference does not cover. */
  function doubts(a, b, intent) {
    const found = [
      [
        "other prompts: the records do not say that the two were sent the same ones, nor what new prompts would show",
      ],
    ];
    const [one, two] = [behind(a).join(", "), behind(b).join(", ")];
    if (one !== two)
      found.push([
        "the graders differ: ",
        named(one || "none named", 300),
        " for the first, ",
        named(two || "none named", 300),
        " for the second",
      ]);
    for (const row of [a, b]) {
      if (row.signal.mixes_graders)
        found.push([
          "verdicts of several graders are mixed for ",
          named(row.label),
          row.signal.origin === "export" ? "; which verdict is whose is not published" : "",
        ]);
      if (row.status === "marked")
        found.push(["who graded ", named(row.label), " is not known, or was no reader of responses"]);
      if (row.status === "unmeasured") found.push(["nobody measured every grader of ", named(row.label)]);
    }
    if (a.status !== "labels" || b.status !== "labels")
      found.push(["the graders' errors: every verdict is taken for true"]);
    if (rateOf(a, intent).denominator.includes("unknown"))
      found.push([
        "which rows the denominator leaves out is not known, so nobody can say that it is the same for both",
      ]);
    if (a.signal.corpus !== b.signal.corpus)
      found.push(["the corpora differ: ", named(a.signal.corpus, 300), " and ", named(b.signal.corpus, 300)]);
    return found;
  }

  function decision(a, b, one, two, [, low, high]) {
    const few = [
      [a, one],
      [b, two],
    ]
      .filter(([, rate]) => rate.n < FEW)
      .map(([row]) => row);
    if (few.length) {
      return [
        "Fewer than 20 graded traces stand behind ",
        few.map((row, i) => [i ? " and " : "", named(row.label)]),
        ": not compared firmly. The interval of the difference ",
        low > 0 || high < 0 ? "leaves out 0, but so few traces carry no decision." : "holds 0 as well.",
      ];
    }
    if (low <= 0 && high >= 0)
      return ["The interval of the difference holds 0: these counts do not decide which rate is higher."];
    return [
      "The interval of the difference leaves out 0: the counts decide that the rate of ",
      named((low > 0 ? a : b).label),
      " is higher on the prompts that each was sent.",
    ];
  }

  function differenceBar([estimate, low, high]) {
    const place = (value) => (value + 1) / 2;
    return svg(
      "svg",
      { class: "bar difference", "aria-hidden": "true" },
      gridlines(0, 0.25, 0.75, 1),
      svg("line", { class: "zero", x1: "50%", x2: "50%", y1: 0, y2: "100%" }),
      svg("rect", {
        class: "interval",
        x: at(place(low)),
        y: 5,
        width: at((high - low) / 2),
        height: 14,
        rx: 2,
      }),
      svg("line", { class: "point", x1: at(place(estimate)), x2: at(place(estimate)), y1: 1, y2: 23 }),
    );
  }

  function comparedLine(row, intent) {
    const rate = rateOf(row, intent);
    const would = wouldHave(row, intent);
    const graders = [sign(row.status), graderWords(row.status)];
    return el(
      "div",
      { class: "line" },
      el(
        "p",
        { class: "who" },
        modelName(row.label),
        el("small", {}, graders, ` · ${WORDS.origin[row.signal.origin]}`),
      ),
      rate
        ? bar(rate, row.status)
        : would
          ? bar(would, "rejected", { few: true, would: true })
          : el("p", { class: "soft" }, "no rate"),
      el(
        "p",
        { class: "figure" },
        rate
          ? [`${rateText(rate)} `, el("small", {}, `${rate.k} of ${rate.n}`)]
          : would
            ? el("small", {}, `${whoWould(row)} would have reported ${rateText(would)}`)
            : "–",
      ),
    );
  }

  function drawComparison() {
    const [a, b] = [find(state.a), find(state.b)];
    byId("stop").hidden = !a && !b;
    if (a || b) byId("compare").open = true;
    if (!a || !b) {
      const words =
        a || b ? ["Chosen: ", named((a || b).label), ". Choose another model to set beside it."] : [];
      put(byId("compared"), words.length ? el("p", { class: "soft" }, words) : null);
      return;
    }
    const intent = state.class;
    const against = obstacles(a, b, intent);
    const list = (items) =>
      el(
        "ul",
        {},
        items.map((item) => el("li", {}, item)),
      );
    const lines = [comparedLine(a, intent), comparedLine(b, intent)];
    const where = el(
      "p",
      { class: "soft" },
      intent ? `In the class ${intent}. Scale: 0 to 100%.` : "In all classes together. Scale: 0 to 100%.",
    );
    if (against.length) {
      put(
        byId("compared"),
        where,
        lines,
        el("p", { class: "verdict" }, "No comparison can be made, because:"),
        list(against),
      );
      return;
    }
    const [one, two] = [rateOf(a, intent), rateOf(b, intent)];
    const apart = difference(one.k, one.n, two.k, two.n);
    put(
      byId("compared"),
      where,
      lines,
      el(
        "div",
        { class: "line" },
        el("p", { class: "who" }, "First less second", el("small", {}, "scale: −100 to +100 points")),
        differenceBar(apart),
        el("p", { class: "figure" }, `${points(apart[0])} points [${points(apart[1])}, ${points(apart[2])}]`),
      ),
      el("p", { class: "verdict" }, decision(a, b, one, two, apart)),
      el("p", {}, "The interval (Newcombe, 95%) covers the chance of the counts. It does not cover:"),
      list(doubts(a, b, intent)),
    );
  }

  function fillChoices() {
    const options = ROWS.slice()
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map((row) => [
        row.key,
        cut(row.label, 60) + (row.twice ? ` · ${WORDS.origin[row.signal.origin]}` : ""),
      ]);
    for (const id of ["a", "b"]) {
      byId(id).append(...options.map(([value, words]) => el("option", { value, dir: "auto" }, words)));
      byId(id).value = state[id];
    }
  }

  // ---- downloads -----------------------------------------------------------------------------------

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

  // ---- controls and start --------------------------------------------------------------------------

  function showControls() {
    for (const name of FILTERS) if (byId(name).value !== state[name]) byId(name).value = state[name];
    byId("compare-class").value = state.class;
    for (const id of ["a", "b"]) byId(id).value = state[id];
    byId("clear").hidden = FILTERS.every((name) => !state[name]);
  }

  function update() {
    showControls();
    drawTable();
    drawComparison();
    if (open) drawDetail(open);
    writeFragment();
  }

  function restore() {
    readFragment();
    update();
    const row = find(state.model);
    if (row) {
      while (!lineOf(row) && drawn < matching.length) drawMore(FIRST);
      show(row, true);
      const line = lineOf(row);
      if (line && !(state.a && state.b)) line.scrollIntoView({ block: "center" });
    } else if (open) hide();
  }

  function listenToControls() {
    for (const name of FILTERS) {
      byId(name).addEventListener(name === "q" ? "input" : "change", (event) => {
        state[name] = event.target.value;
        update();
      });
    }
    byId("compare-class").addEventListener("change", (event) => {
      state.class = event.target.value;
      update();
    });
    for (const id of ["a", "b"]) {
      byId(id).addEventListener("change", (event) => {
        state[id] = event.target.value;
        update();
      });
    }
    byId("clear").addEventListener("click", () => {
      for (const name of FILTERS) state[name] = "";
      update();
      byId("q").focus();
    });
    byId("stop").addEventListener("click", () => {
      state.a = state.b = "";
      update();
      byId("a").focus();
    });
    for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
    byId("csv").addEventListener("click", () => offer(csv(), "text/csv", "csv"));
    byId("jsonl").addEventListener("click", () => offer(jsonl(), "application/x-ndjson", "jsonl"));
    byId("more").querySelector("button").addEventListener("click", drawAll);
    for (const link of document.querySelectorAll(".skips a")) {
      // The fragment holds the state of the page: a skip moves the focus and leaves it alone.
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const target = byId(link.hash.slice(1));
        (target.querySelector("summary") || target).focus();
        target.scrollIntoView({ block: "start" });
      });
    }
    window.addEventListener("hashchange", restore);
    new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && drawMore(2 * FIRST), {
      rootMargin: "1500px",
    }).observe(byId("more"));
  }

  function preparePrint() {
    let folded = [];
    window.addEventListener("beforeprint", () => {
      drawAll();
      folded = Array.from(document.querySelectorAll("details:not([open])"));
      for (const details of folded) details.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const details of folded) details.open = false;
    });
  }

  /** On a phone the table comes before what can be read later. */
  function foldForPhones() {
    if (window.matchMedia("(max-width: 47.99rem)").matches)
      document.querySelector("details.legend").open = false;
  }

  function offerThemes() {
    const words = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" };
    const next = { "": "dark", dark: "light", light: "" };
    const button = byId("theme");
    const root = document.documentElement;
    const set = (theme) => {
      root.dataset.theme = theme;
      button.textContent = words[theme];
    };
    set("");
    button.addEventListener("click", () => set(next[root.dataset.theme]));
  }

  for (const node of document.querySelectorAll(".js[hidden]")) if (node.id !== "more") node.hidden = false;
  drawHead();
  listenToRows();
  listenToControls();
  preparePrint();
  offerThemes();
  foldForPhones();
  restore();
  // Two long lists of options can wait until the table stands.
  window.setTimeout(fillChoices, 0);
  // What the tests compare with the suite's own statistics.
  window.atlas = Object.freeze({ difference, wilson, percent });
})();
