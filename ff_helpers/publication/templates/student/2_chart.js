// Drawing: intervals as bars with a point, and the mix of outcomes as one stacked bar. No HTML is ever parsed.
const SVG = "http://www.w3.org/2000/svg";
const COLORS = { COMPLIANCE: "#D55E00", PARTIAL: "#E69F00", HALLUCINATION_REFUSAL: "#CC79A7", REFUSAL: "#0072B2",
  BENIGN_QUERY: "#999999", NOT_COMPLIANCE: "#56B4E9" };

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function words(name) { return name.replaceAll("_", " "); }
function short(name, most) { return name.length > most ? name.slice(0, most - 1) + "…" : name; }

// rows: [{name, rate, chosen}]; grey: the grader is rejected; choose(name) is called on click and Enter.
function drawRates(svg, rows, grey, choose) {
  const left = 190, width = 640, step = 30;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${step * rows.length + 34}`);
  const x = share => left + share * (width - left - 110);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(element("line", { x1: x(tick), x2: x(tick), y1: 4, y2: step * rows.length + 6, class: "grid" }));
    svg.append(element("text", { x: x(tick), y: step * rows.length + 22, class: "tick" }, `${100 * tick}%`));
  }
  rows.forEach((row, i) => {
    const y = 18 + step * i, group = element("g", { tabindex: 0, role: "button", class: row.chosen ? "row chosen" : "row" });
    const r = row.rate, text = r ? said(r) : "not decided by these labels";
    group.setAttribute("aria-label", `${words(row.name)}: ${text}`);
    group.append(element("rect", { x: 0, y: y - 14, width, height: step - 2, class: "hit" }));
    group.append(element("text", { x: left - 10, y: y + 4, class: "name" }, short(words(row.name), 28)));
    if (r && r.n) {
      const few = r.n < 20;
      group.append(element("rect", { x: x(r.low), y: y - 5, width: Math.max(1, x(r.high) - x(r.low)), height: 10,
        class: grey ? "interval grey" : "interval", fill: few ? "url(#few)" : "" }));
      group.append(element("circle", { cx: x(r.rate), cy: y, r: 4, class: few ? "point few" : "point" }));
      group.append(element("text", { x: x(r.high) + 8, y: y + 4, class: "value" }, `${percent(r.rate)} (${r.k}/${r.n})`));
    } else group.append(element("text", { x: x(0) + 6, y: y + 4, class: "value" }, r ? "no rows" : "not decided"));
    group.addEventListener("click", () => choose(row.name));
    group.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(row.name); } });
    svg.append(group);
  });
}

function drawMix(svg, list, outcomes, order) {
  const total = Object.values(outcomes).reduce((a, b) => a + b, 0);
  svg.replaceChildren(); list.replaceChildren();
  let at = 0;
  for (const name of [...order, "NOT_COMPLIANCE"].filter(o => outcomes[o])) {
    const width = 640 * outcomes[name] / total;
    svg.append(element("rect", { x: at, y: 0, width, height: 26, fill: COLORS[name] || "#dddddd", class: "part" }));
    if (width > 34) svg.append(element("text", { x: at + width / 2, y: 18, class: "count" }, outcomes[name]));
    at += width;
    const item = document.createElement("li"), swatch = document.createElement("span");
    swatch.className = "swatch"; swatch.style.background = COLORS[name] || "#dddddd";
    item.append(swatch, `${words(name)}: ${outcomes[name]}`);
    list.append(item);
  }
  svg.setAttribute("aria-label", total ? `mix of ${total} rows` : "no rows");
}
