// The stream of changes. The browser says which change it has seen last, and gets what came after.

import { $, exactly, fill, times } from "./dom.js";
import { hint } from "./composer.js";
import { drawn, put, sticking } from "./stream.js";
import { openModal } from "./dialogs.js";
import { show } from "./view.js";
import { get } from "./net.js";

const SILENT_MS = 12_000;

let source = null;
let heardAt = Date.now();
let away = false;
let from = document.body.dataset.from;

// Begin to listen for the changes of this view after this point.
export function listen(view, start) {
  source?.close();
  from = start ?? from;
  const query = new URLSearchParams({ view, from, page: document.body.dataset.page });
  source = new EventSource(`/events?${query}`);
  source.addEventListener("open", heard);
  source.addEventListener("beat", heard);
  source.addEventListener("patch", (event) => {
    heard();
    from = event.lastEventId;
    apply(JSON.parse(event.data));
  });
  source.addEventListener("reload", () => location.reload());
  source.addEventListener("error", () => {
    lost();
    // a refusal closes it for good: the login may be over, and then this leads to it
    if (source.readyState === EventSource.CLOSED) setTimeout(again, 2000);
  });
}

async function again() {
  await get("/here").catch(() => {});
  listen(document.body.dataset.view);
}

function apply(patches) {
  const stick = sticking();
  let messages = false;
  for (const patch of patches) {
    if (patch.refresh) return show(document.body.dataset.view, { push: false });
    if (patch.modal) openModal(patch.modal);
    else if (patch.part) {
      const target = document.getElementById(patch.part);
      if (target) fill(target, patch.html);
      if (target) times(target);
      if (patch.part === "top") mood();
      if (patch.part === "head") hint();
    } else {
      put(patch.message, patch.html);
      messages = true;
    }
  }
  if (messages) drawn(stick);
  else if (stick) drawn(true);
  title();
}

export function mood() {
  const now = away ? "unknown" : $("#top .top").dataset.mood;
  document.body.dataset.mood = now;
  const text = $("#text");
  if (text) text.placeholder = now === "stopped" || now === "stopping" ? text.dataset.stopped : text.dataset.running;
}

export function title() {
  const unread = document.querySelectorAll("#channels .channel.unread:not(.top-entry)").length;
  const name = $("#head h1")?.textContent ?? "";
  const waiting = $("#go-waiting .count")?.textContent ?? "";
  $("#tab-waiting .count").textContent = waiting;
  $("#tab-waiting .count").hidden = !waiting;
  for (const tab of document.querySelectorAll("#tabbar a")) tab.toggleAttribute("aria-current", (tab.id === "tab-waiting") === (document.body.dataset.view === "waiting"));
  document.title = `${unread ? `(${unread}) ` : ""}${name} · Parley`;
}

function heard() {
  heardAt = Date.now();
  if (!away) return;
  away = false;
  $("#away").hidden = true;
  document.body.classList.remove("lost");
  mood();
}

function lost() {
  if (away) return;
  away = true;
  const bar = $("#away");
  bar.textContent = `Not connected, last seen ${exactly(heardAt)}`;
  bar.hidden = false;
  document.body.classList.add("lost");
  mood();
}

setInterval(() => Date.now() - heardAt > SILENT_MS && lost(), 1000);
