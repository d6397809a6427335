"use strict";
// The labelling page. Every text becomes a text node; nothing is ever parsed as HTML.

const $ = (id) => document.getElementById(id);
const PAUSE = 200; // ms: a key pressed before a trace was on the screen does not decide it
const drafts = new Map(); // rationales not sent yet, by place
const buttons = new Map(); // key -> button
let now = null; // what the server said last
let busy = true;
let since = 0; // when the trace was shown

function made(tag, parts = [], traits = {}) {
  const one = Object.assign(document.createElement(tag), traits);
  one.append(...parts);
  return one;
}

/** Put a text's runs into an element; the marked ones spell out characters that nobody sees. */
function fill(element, runs, empty = "empty") {
  const parts = runs.map(([text, marked]) => (marked ? made("mark", [text]) : text));
  element.replaceChildren(...(parts.length ? parts : [made("i", [empty])]));
  return element;
}

function text(runs, empty) {
  return fill(made("div", [], { className: "text", dir: "auto" }), runs, empty);
}

function showChoices(choices) {
  const group = $("choices");
  if (group.childElementCount) return;
  for (const { key, letter, label, meaning } of choices) {
    const said = [made("kbd", [key]), " ", made("b", [label]), " ", made("small", [meaning])];
    const button = made("button", said, { type: "button" });
    button.setAttribute("aria-keyshortcuts", `${key} ${letter}`);
    button.dataset.label = label;
    button.addEventListener("click", () => decide(label));
    group.append(button);
    for (const one of [key, letter]) buttons.set(one, button);
  }
}

function notes({ withheld, truncated }) {
  const said = [];
  if (withheld) said.push("The text of this trace is withheld: it is shown here and stored nowhere. Do not quote it below.");
  if (truncated) said.push("The response was cut at its token limit.");
  $("notes").textContent = said.join(" ");
  $("notes").hidden = !said.length;
}

function showTrace(trace) {
  $("trace").hidden = !trace;
  $("end").hidden = Boolean(trace);
  if (!trace) return;
  notes(trace);
  const turns = trace.turns.map(({ role, text: runs }) => made("div", [made("h3", [role]), text(runs)]));
  $("turns").replaceChildren(...turns);
  $("prior").textContent = `Before it: ${turns.length} message${turns.length > 1 ? "s" : ""}`;
  $("prior").hidden = $("context").hidden = !turns.length;
  $("context").scrollTop = 0; // of a reversed column: its end
  fill($("response"), trace.response);
}

function showOpinions(opinions) {
  $("opinions").hidden = !opinions.length;
  const said = opinions.map(({ label, rationale }) =>
    made("li", [made("b", [label || "cannot say"]), text(rationale, "no reason given")]));
  $("opinions").querySelector("ul").replaceChildren(...said);
}

function show(state, { focus = true } = {}) {
  now = state;
  showChoices(state.choices);
  showTrace(state.trace);
  showOpinions(state.opinions);
  $("bar").max = state.total;
  $("bar").value = state.done;
  $("count").textContent = `${state.done} of ${state.total} decided`;
  $("who").textContent = `${state.role === "adjudicate" ? "adjudicating" : "labelling"} as ${state.annotator}`;
  document.title = `${state.done} of ${state.total} · Label traces`;
  const former = state.before && (state.before.label || "cannot say");
  for (const button of buttons.values()) {
    button.disabled = !state.trace;
    button.classList.toggle("former", Boolean(state.before) && state.before.label === button.dataset.label);
  }
  for (const id of ["unsure", "skip", "why"]) $(id).disabled = !state.trace;
  for (const id of ["question", "choices", "reason", "unsure", "skip"]) $(id).hidden = !state.trace;
  $("undo").disabled = !state.undo;
  $("why").value = drafts.get(state.place) ?? ((state.before && state.before.rationale) || "");
  $("said").textContent = [state.said, former && `You had said ${former}.`].filter(Boolean).join(" ");
  $("wrong").textContent = state.error || "";
  $("wrong").hidden = !state.error;
  window.scrollTo(0, 0);
  if (focus) $(state.trace ? "head" : "done").focus({ preventScroll: true });
  requestAnimationFrame(() => { since = performance.now(); });
}

function fail(why) {
  $("said").textContent = "";
  $("wrong").textContent = why;
  $("wrong").hidden = false;
}

async function ask(path, body) {
  const how = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  busy = true;
  try {
    const answer = await fetch(path, how);
    return await answer.json();
  } catch {
    return { error: "Not written: the command in the terminal has ended. Start it again: it continues here, at a new address." };
  } finally {
    busy = false;
  }
}

async function act(action, label = null) {
  if (busy || !now) return;
  const { place } = now;
  const rationale = $("why").value;
  if (action !== "label") drafts.set(place, rationale);
  const state = await ask("act", { action, place, label, rationale: action === "label" ? rationale : "" });
  if (state.finished) return ended();
  if (!state.choices) return fail(state.error);
  if (!state.error && action === "label") drafts.delete(place);
  show(state);
}

function decide(label) {
  if (now && now.trace) act("label", label);
}

function ended() {
  busy = true;
  for (const one of document.querySelectorAll("button, textarea")) one.disabled = true;
  $("said").textContent = "Finished: every decision is on disk. You can close this page.";
  $("wrong").hidden = true;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target === $("why")) {
    if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
      event.preventDefault();
      $("head").focus({ preventScroll: true });
    }
    return;
  }
  const key = event.key.toLowerCase();
  const button = buttons.get(key) || { u: $("undo"), s: $("skip"), 0: $("unsure") }[key];
  if (key === "w" && !$("why").disabled) {
    event.preventDefault();
    $("why").focus();
  } else if (button && !button.disabled && !event.repeat && performance.now() - since > PAUSE) {
    event.preventDefault();
    button.click();
  }
}

$("unsure").addEventListener("click", () => decide(null));
$("skip").addEventListener("click", () => act("skip"));
$("undo").addEventListener("click", () => act("undo"));
$("finish").addEventListener("click", () => act("finish"));
document.addEventListener("keydown", pressed);
ask("state").then((state) => (state.choices ? show(state, { focus: false }) : fail(state.error)));
