// The state is five choices; every change redraws everything from it.
const data = JSON.parse(document.getElementById("data").textContent);
const chosen = { set: "", intent: "", grader: "", tier: "strict", denominator: "graded" };
const PLACES = { set: 0, intent: 1, grader: 2 };

function fill(id, values, empty) {
  const select = document.getElementById(id);
  select.replaceChildren();
  for (const value of empty ? ["", ...values] : values) {
    const option = document.createElement("option");
    option.value = value; option.textContent = value ? short(words(value), 60) : empty;
    select.append(option);
  }
  if (![...select.options].some(option => option.value === chosen[id])) chosen[id] = select.options.length ? select.options[0].value : "";
  select.value = chosen[id];
}

function update() {
  fill("set", options(data, 0, {}));
  fill("grader", options(data, 2, { 0: chosen.set }));
  fill("intent", options(data, 1, { 0: chosen.set, 2: chosen.grader }), "all classes");
  fill("tier", Object.keys(data.tiers)); fill("denominator", Object.keys(data.denominators));
  const cards = (data.graders[chosen.grader] || []), card = cards.find(c => c.set === chosen.set) || cards[0];
  const grey = card && card.gate === "rejected";
  const classes = options(data, 1, { 0: chosen.set, 2: chosen.grader });
  const rows = classes.map(name => ({ name, chosen: name === chosen.intent,
    rate: rate(data, mix(data, chosen.set, name, chosen.grader), chosen.tier, chosen.denominator) }));
  drawRates(document.getElementById("rates"), rows, grey, name => { chosen.intent = chosen.intent === name ? "" : name; update(); });
  const outcomes = mix(data, chosen.set, chosen.intent, chosen.grader);
  drawMix(document.getElementById("mix"), document.getElementById("mix-list"), outcomes, data.outcomes);
  const r = rate(data, outcomes, chosen.tier, chosen.denominator);
  document.getElementById("said").textContent = r
    ? `${words(chosen.tier)} ASR over ${chosen.denominator} rows, ${words(chosen.intent) || "all classes"}: ${said(r)}.` +
      (grey ? " That is what a rejected grader would have reported." : "")
    : `These labels do not decide ${words(chosen.tier)} over ${chosen.denominator} rows.`;
  const measured = card ? `${chosen.grader}: ${card.words} (measured on ${card.set}).`
    : `${chosen.grader}: see the note at the end of the page; no card of this run.`;
  document.getElementById("grader-note").textContent = `${measured} Denominator: ${chosen.denominator}: ${data.denominators[chosen.denominator]}. As of ${data.asOf}.`;
}

for (const id of Object.keys(chosen)) {
  document.getElementById(id).addEventListener("change", event => { chosen[id] = event.target.value; update(); });
}
for (const button of document.querySelectorAll("button[data-show]")) {
  button.addEventListener("click", () => {
    Object.assign(chosen, JSON.parse(button.dataset.show)); update();
    document.getElementById("choose").scrollIntoView();
  });
}
if (data.counts.length) update();
startSimulator(data);
