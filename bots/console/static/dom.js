// Small hands for the document. Text is only ever set as text; HTML comes escaped from the server.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// One element of server HTML.
export function fromHtml(html) {
  const box = document.createElement("template");
  box.innerHTML = html.trim();
  return box.content;
}

// Replaces what is inside, and keeps focus and what somebody has typed there.
export function fill(target, html) {
  const scrolled = $$(".scroll", target).map((e) => e.scrollTop);
  const focus = target.contains(document.activeElement) ? document.activeElement.id : "";
  const typed = $$("input[id], textarea[id], details[data-group]", target).map((e) => [e, e.id]);
  target.replaceChildren(fromHtml(html));
  for (const [old, id] of typed) {
    if (old.tagName === "DETAILS") {
      const same = $$("details", target).find((d) => d.dataset.group === old.dataset.group);
      if (same) same.open = old.open;
      continue;
    }
    const same = document.getElementById(id);
    if (same && target.contains(same)) {
      same.value = old.value;
      same.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  $$(".scroll", target).forEach((e, i) => (e.scrollTop = scrolled[i] ?? 0));
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
}

// Makes `old` look like `fresh` by changing only what differs: what stays does not flicker, and keeps
// focus and selection; a text that grew keeps the selection inside it too.
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data === fresh.data) return;
    if (fresh.data.startsWith(old.data)) old.appendData(fresh.data.slice(old.data.length));
    else old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((child, i) => (before[i] ? morph(before[i], child) : old.append(child)));
  before.slice(after.length).forEach((child) => child.remove());
}

// Ids are numbers too large for JavaScript's own.
export const later = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const dayOf = (at) => date.format(new Date(at));
export const exactly = (at) => exact.format(new Date(at));

// Times come in UTC and are shown in the reader's zone.
export function times(root = document) {
  for (const time of $$("time[datetime]:not([title])", root)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf()) || "since" in time.dataset) continue;
    time.textContent = ("seconds" in time.dataset ? exact : "long" in time.dataset ? short : clock).format(at);
    time.title = at.toLocaleString();
  }
  ages();
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

// "in 3 minutes", "4 s": these change by themselves.
export function ages() {
  for (const time of $$("time[data-since]")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
    time.textContent = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  }
  for (const time of $$("time[data-relative]")) {
    const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
    const [unit, size] = UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? UNITS.at(-1);
    const text = relative.format(Math.round(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
  }
}

export function announce(text) {
  const live = $("#live");
  live.textContent = "";
  requestAnimationFrame(() => (live.textContent = text));
}
