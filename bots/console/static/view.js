// From one view to another without loading the page anew.

import { $, $$, fill } from "./dom.js";
import { get, Refused } from "./net.js";
import * as stream from "./stream.js";
import * as composer from "./composer.js";
import { listen, mood, title } from "./live.js";

const path = (view) => (view === "waiting" ? "/waiting" : `/c/${view}`);

export async function show(view, { push = true } = {}) {
  closeDrawers();
  let told;
  try {
    told = await get(`${path(view)}?part=main`);
  } catch (error) {
    // gone, or no connection: then the bar says so, and the view stays
    if (error instanceof Refused) location.href = "/";
    return;
  }
  fill($("#main"), told.html);
  document.body.dataset.view = told.view;
  if (push) history.pushState({ view: told.view }, "", path(told.view));
  $$("#channels [aria-current]").forEach((a) => a.removeAttribute("aria-current"));
  $(`#go-${told.view}`)?.setAttribute("aria-current", "page");
  $(`#go-${told.view}`)?.scrollIntoView({ block: "nearest" });
  $(".here span").textContent = told.title;
  begin(told.from);
}

export function lastChannel() {
  const last = sessionStorage.getItem("last-channel") ?? $("#channels .channel:not(.top-entry)")?.dataset.channel;
  if (last && last !== document.body.dataset.view) show(last);
}

export function begin(from) {
  if (document.body.dataset.view !== "waiting") sessionStorage.setItem("last-channel", document.body.dataset.view);
  composer.begin();
  stream.begin();
  listen(document.body.dataset.view, from);
  mood();
  title();
}

export function closeDrawers() {
  document.body.classList.remove("side-open", "people-open");
  $("#scrim").hidden = true;
}

export function toggleDrawer(name) {
  const open = document.body.classList.toggle(`${name}-open`);
  document.body.classList.remove(name === "side" ? "people-open" : "side-open");
  $("#scrim").hidden = !open;
  if (open) $(name === "side" ? "#channels a" : "#members button")?.focus();
}

addEventListener("popstate", (event) => event.state?.view && show(event.state.view, { push: false }));

// Channel before or after, or the next one with something unread.
export function move(by, unreadOnly) {
  const all = $$("#channels .channel:not(.top-entry)");
  const here = all.findIndex((a) => a.dataset.channel === document.body.dataset.view);
  for (let n = 1; n <= all.length; n += 1) {
    const next = all[(here + by * n + all.length * 2) % all.length];
    if (!unreadOnly || next.classList.contains("unread")) return show(next.dataset.channel);
  }
}
