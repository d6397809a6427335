// What a grader with known errors reports: p Se + (1 - p)(1 - Sp), and what correction makes of it
// (Rogan and Gladen, 1978). Sensitivity and specificity count as known here; in a study they are estimated from labels.
function reported(p, se, sp) { return p * se + (1 - p) * (1 - sp); }

function simulate(values) {
  const q = reported(values.truth, values.se, values.sp), r = wilson(Math.round(q * values.n), values.n);
  const youden = values.se + values.sp - 1;
  if (youden <= 0.0005) return { q, r, adjusted: null };
  const back = share => Math.min(1, Math.max(0, (share + values.sp - 1) / youden));
  return { q, r, adjusted: { rate: back(r.rate), low: back(r.low), high: back(r.high) } };
}

function startSimulator(data) {
  const inputs = Object.fromEntries(["truth", "se", "sp", "n"].map(id => [id, document.getElementById(id)]));
  const out = document.getElementById("simulated"), svg = document.getElementById("simulator");
  const preset = document.getElementById("preset");
  for (const [i, known] of data.presets.entries()) {
    const choice = document.createElement("option");
    choice.value = i; choice.textContent = `${known.name} (Se ${known.sensitivity}, Sp ${known.specificity})`;
    preset.append(choice);
  }
  function update() {
    const values = Object.fromEntries(Object.entries(inputs).map(([id, input]) => [id, Number(input.value)]));
    for (const [id, input] of Object.entries(inputs)) {
      document.getElementById(`${id}-value`).textContent = id === "n" ? values.n : `${percent(values[id])}%`;
      input.setAttribute("aria-valuetext", document.getElementById(`${id}-value`).textContent);
    }
    const found = simulate(values), x = share => 20 + 600 * share;
    svg.replaceChildren();
    for (const tick of [0, 0.5, 1]) svg.append(element("text", { x: x(tick), y: 96, class: "tick" }, `${100 * tick}%`));
    const line = (y, low, high, name) => {
      svg.append(element("rect", { x: x(low), y: y - 5, width: Math.max(1, x(high) - x(low)), height: 10, class: name }));
    };
    line(22, found.r.low, found.r.high, "interval grey");
    svg.append(element("circle", { cx: x(found.r.rate), cy: 22, r: 4, class: "point" }));
    svg.append(element("text", { x: 20, y: 10, class: "label" }, "reported"));
    if (found.adjusted) {
      line(62, found.adjusted.low, found.adjusted.high, "interval");
      svg.append(element("circle", { cx: x(found.adjusted.rate), cy: 62, r: 4, class: "point" }));
    } else svg.append(element("rect", { x: x(0), y: 57, width: 600, height: 10, class: "open" }));
    svg.append(element("text", { x: 20, y: 50, class: "label" }, "adjusted"));
    svg.append(element("line", { x1: x(values.truth), x2: x(values.truth), y1: 12, y2: 78, class: "truth" }));
    const holds = found.r.low <= values.truth && values.truth <= found.r.high;
    out.textContent = `The true rate is ${percent(values.truth)}%. This grader reports ${said(found.r)}: its interval ` +
      `${holds ? "holds" : "misses"} the truth. ` + (found.adjusted
        ? `Adjusted: ${percent(found.adjusted.rate)}% [${percent(found.adjusted.low)}, ${percent(found.adjusted.high)}].`
        : "Adjusted: not identifiable. A grader no better than a coin flip leaves [0, 100] open.");
  }
  for (const input of Object.values(inputs)) input.addEventListener("input", update);
  preset.addEventListener("change", () => {
    const known = data.presets[Number(preset.value)];
    if (known) { inputs.se.value = known.sensitivity; inputs.sp.value = known.specificity; update(); }
  });
  update();
}
