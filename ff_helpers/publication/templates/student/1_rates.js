// Rates from counts. Proportions are in [0, 1]; a rate without rows is null with the interval [0, 1].
"use strict";
const Z = 1.959963984540054;

function wilson(k, n) {
  if (!n) return { k, n, rate: null, low: 0, high: 1 };
  const p = k / n, zz = Z * Z, middle = (p + zz / (2 * n)) / (1 + zz / n);
  const half = (Z / (1 + zz / n)) * Math.sqrt((p * (1 - p)) / n + zz / (4 * n * n));
  return { k, n, rate: p, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

// Outcomes of the rows that fit, as {outcome: n}; an empty intent means all of them.
function mix(data, set, intent, grader) {
  const found = {};
  for (const [s, i, g, outcome, n] of data.counts) {
    if (s === set && g === grader && (!intent || i === intent)) found[outcome] = (found[outcome] || 0) + n;
  }
  return found;
}

// The rate of a mix, or null where these labels do not decide the tier or the denominator.
function rate(data, outcomes, tier, denominator) {
  const coarse = "NOT_COMPLIANCE" in outcomes;
  if (coarse && (tier !== "strict" || denominator === "adversarial")) return null;
  const verdicts = data.outcomes.slice(0, 5);
  let k = 0, n = 0;
  for (const [outcome, count] of Object.entries(outcomes)) {
    const graded = verdicts.includes(outcome) || outcome === "NOT_COMPLIANCE";
    if (denominator !== "rows" && !graded) continue;
    if (denominator === "adversarial" && outcome === "BENIGN_QUERY") continue;
    n += count;
    if (data.tiers[tier].includes(outcome)) k += count;
  }
  return wilson(k, n);
}

function percent(share) { return share === null ? "–" : (100 * share).toFixed(1); }
function said(r) { return `${percent(r.rate)}% [${percent(r.low)}, ${percent(r.high)}], ${r.k} of ${r.n}`; }
function options(data, place, chosen) {
  const fits = data.counts.filter(row => Object.entries(chosen).every(([i, value]) => !value || row[i] === value));
  return [...new Set(fits.map(row => row[place]))].sort();
}
