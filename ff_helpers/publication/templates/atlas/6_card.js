// When the card opens, where it is and how it closes: hover, focus, click, Escape.

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

/** Without its own place, the card is at the end of the window away from its row. */
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
/** The card closes when neither the pointer nor the focus is on it. */
const hideSoon = () =>
  later(() => {
    const focused = rowAt(document.activeElement);
    if (pinned || detail.contains(document.activeElement)) return;
    if (focused && focused !== silent.focus) show(focused, false);
    else hide();
  }, 250);

function listenToRows() {
  // The pointer must move: a page scrolling under it opens nothing.
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
    // A key, not a pointer, pressed the button: the reader continues in the card.
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
