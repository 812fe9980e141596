// The messages of the view: where they stand, what stands between them, and where one reads.

import { $, $$, announce, dayOf, el, fill, fromHtml, later, morph, times } from "./dom.js";
import { act, get } from "./net.js";
import { tick } from "./card.js";

const TOGETHER_MS = 2 * 60 * 1000;
const NEAR_PX = 80;
const AT_END_PX = 4;

let readTimer = 0;
let loading = false;
let watcher = null;
let sticks = true;
let top = 0;

const stream = () => $("#stream");
const list = () => $("#messages");
export const atEnd = () => {
  const box = stream();
  return !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
};
// Whether the view follows what comes. Only a person who scrolls up leaves the end, however little;
// a box that shrinks does not, and whoever is back at the end follows again.
export const sticking = () => {
  const box = stream();
  if (!box) return true;
  if (box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PX) sticks = true;
  else if (box.scrollTop < top - 1) sticks = false;
  top = box.scrollTop;
  return sticks;
};
export const toEnd = () => {
  const box = stream();
  if (box) box.scrollTop = box.scrollHeight;
};

// Called when a view is shown.
export function begin() {
  dress();
  watcher?.disconnect();
  const box = stream();
  box.addEventListener("scroll", scrolled, { passive: true });
  box.addEventListener("scroll", sticking, { passive: true });
  watcher = new ResizeObserver(() => sticks && toEnd());
  watcher.observe(list());
  watcher.observe(box);
  const mark = $(".new-line", box);
  if (mark) mark.scrollIntoView({ block: "center" });
  sticks = !mark || atEnd();
  if (sticks) toEnd();
  top = box.scrollTop;
  read();
}

// Times, days, neighbours of one author, and the line above what is new.
function dress() {
  const box = stream();
  const rows = $$(":scope > .message", list());
  $$(":scope > .day", list()).forEach((d) => d.remove());
  times(box);
  let before = null;
  for (const row of rows) {
    const at = Date.parse(row.dataset.at);
    const day = dayOf(at);
    if (day !== before?.day) row.before(el("li", { class: "day", role: "separator" }, el("span", {}, day)));
    const near = before && before.author === row.dataset.author && at - before.at < TOGETHER_MS && day === before.day;
    row.classList.toggle("cont", Boolean(near && row.classList.contains("plain-start")));
    before = { at, day, author: row.dataset.author };
  }
  rows.forEach((row, i) => (row.tabIndex = i === rows.length - 1 ? 0 : -1));
  const seen = box.dataset.read ?? "0";
  if (!$(".new-line", list()) && box.dataset.read && seen !== "0") {
    const first = rows.find((r) => later(r.dataset.id, seen) > 0 && !("mine" in r.dataset));
    if (first && first !== rows[0]) first.before(el("li", { class: "new-line", role: "separator" }, el("span", {}, "New messages")));
  }
  $("#nothing").hidden = rows.length > 0;
  tick();
}

// One message came, changed or went.
export function put(id, html) {
  const old = document.getElementById(`m${id}`);
  if (html === null) {
    old?.remove();
    return;
  }
  const fresh = fromHtml(html).firstElementChild;
  if (old) {
    const grew = old.hasAttribute("aria-busy");
    morph(old, fresh);
    if (grew && !old.hasAttribute("aria-busy")) announce(old.getAttribute("aria-label"));
    return;
  }
  const rows = $$(":scope > .message", list());
  // history that is not shown yet comes when somebody scrolls up to it
  if (rows.length && later(id, rows[0].dataset.id) < 0 && !("complete" in stream().dataset)) return;
  const next = rows.findLast((r) => later(r.dataset.id, id) < 0);
  if (next) next.after(fresh);
  else list().prepend(fresh);
  const own = "mine" in fresh.dataset;
  // what grows is read out when it is whole
  if (!own && !fresh.hasAttribute("aria-busy")) announce(fresh.getAttribute("aria-label"));
  // while somebody looks, everything is seen as it comes
  if (!document.hidden && document.hasFocus()) stream().dataset.read = id;
}

export function drawn(stick) {
  dress();
  if (stick) toEnd();
  read();
}

export function read() {
  clearTimeout(readTimer);
  readTimer = setTimeout(() => {
    const last = $$(":scope > .message", list()).at(-1);
    const channel = stream().dataset.channel;
    if (!last || channel === "waiting" || document.hidden || !atEnd()) return;
    if (!$(`#go-${channel}`)?.classList.contains("unread")) return;
    act("read", { channel, message: last.dataset.id }).catch(() => {});
  }, 250);
}

async function scrolled() {
  read();
  const box = stream();
  if (loading || box.scrollTop > 200 || "complete" in box.dataset) return;
  const first = $(".message", list());
  if (!first) return;
  loading = true;
  try {
    const { html, more } = await get(`/older/${box.dataset.channel}/${first.dataset.id}`);
    const height = box.scrollHeight;
    list().prepend(fromHtml(html));
    if (!more) {
      box.dataset.complete = "";
      fill($("#older"), "<span>This is the beginning.</span>");
    }
    dress();
    box.scrollTop += box.scrollHeight - height;
  } catch {
    // the bar at the top says that there is no connection; scrolling tries again
  } finally {
    loading = false;
  }
}

// Focus moves from message to message; from the last one it falls into the message box.
export function step(by) {
  const rows = $$(":scope > .message", list());
  const here = rows.indexOf(document.activeElement.closest?.(".message"));
  const next = here < 0 ? rows.at(-1) : rows[here + by];
  if (next) next.focus();
  else if (by > 0) $("#text")?.focus();
}
