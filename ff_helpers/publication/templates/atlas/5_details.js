// The card of a row: everything that its record says, in words.

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
  if (count === 0) return "no grader carries a rate";
  return graders.some((grader) => grader.headline && grader.standing === "labels")
    ? "known truth, no grader"
    : "one grader, not mixed";
}

function aloneWords({ graders, origin }) {
  const told = graders.filter((grader) => grader.reported).length;
  if (told)
    return told === graders.length ? "given for each" : `given for ${told} of ${graders.length}`;
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
            "A rejected grader is among those behind this rate: do not rely on it.",
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
  // Only an address becomes a link.
  const address = facts.source.match(/^(?:https:\/\/)?((?:[a-z0-9-]+\.)+[a-z]{2,}(?:\/\S*)?)$/);
  if (!address) return named(facts.source, 400);
  return el("a", { href: `https://${address[1]}`, rel: "noopener noreferrer" }, facts.source);
}

function factBlock(facts) {
  if (!facts) return el("p", {}, "Nothing is known about this model besides its counts.");
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
