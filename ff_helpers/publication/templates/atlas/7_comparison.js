// Two models side by side, and whether the counts decide.

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
      found.push(["who graded ", named(row.label), " is not known, or did not read responses"]);
    if (row.status === "unmeasured") found.push(["not every grader was measured for ", named(row.label)]);
  }
  if (a.status !== "labels" || b.status !== "labels")
    found.push(["the graders' errors: every verdict is taken as true"]);
  if (rateOf(a, intent).denominator.includes("unknown"))
    found.push([
      "which rows the denominator leaves out is not known, so they may differ between the two",
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
      "Fewer than 20 graded traces are behind ",
      few.map((row, i) => [i ? " and " : "", named(row.label)]),
      ": no firm comparison. The interval of the difference ",
      low > 0 || high < 0 ? "excludes 0, but so few traces decide nothing." : "also contains 0.",
    ];
  }
  if (low <= 0 && high >= 0)
    return ["The interval of the difference contains 0: these counts do not decide which rate is higher."];
  return [
    "The interval of the difference excludes 0: the counts show that the rate of ",
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
      a || b ? ["Chosen: ", named((a || b).label), ". Choose another model to compare."] : [];
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
      el("p", { class: "who" }, "First minus second", el("small", {}, "scale: −100 to +100 points")),
      differenceBar(apart),
      el("p", { class: "figure" }, `${points(apart[0])} points [${points(apart[1])}, ${points(apart[2])}]`),
    ),
    el("p", { class: "verdict" }, decision(a, b, one, two, apart)),
    el("p", {}, "The interval (Newcombe, 95%) covers sampling error in the counts. It does not cover:"),
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
