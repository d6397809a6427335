// Controls, print, themes, and start-up.

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
    // The fragment holds the state of the page: a skip link moves the focus and leaves it alone.
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

/** On a phone the table comes before the background text. */
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
// Two long lists of options can wait until the table is drawn.
window.setTimeout(fillChoices, 0);
// What the tests compare with the suite's own statistics.
window.atlas = Object.freeze({ difference, wilson, percent });
