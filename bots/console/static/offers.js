// What the message box offers: commands, options, choices, names. The server knows them all.

import { $, $$, el, fromHtml } from "./dom.js";
import { act } from "./net.js";

let rows = [];
let chosen = 0;
let asked = 0;

const box = () => $("#offers");

export function close() {
  rows = [];
  asked += 1;
  if (!box()) return;
  box().hidden = true;
  $("#composer").classList.remove("offering");
  $("#text").removeAttribute("aria-activedescendant");
}

export async function look(text, channel) {
  const upTo = text.value.slice(0, text.selectionStart);
  if (!upTo.startsWith("/") && !/(^|\s)@[\w.-]*$/.test(upTo)) return close();
  const mine = (asked += 1);
  let found;
  try {
    found = await act("suggest", { text: upTo, channel });
  } catch {
    return;
  }
  if (mine !== asked) return;
  rows = found.rows;
  chosen = 0;
  show();
}

function show() {
  if (!rows.length) return close();
  box().replaceChildren(
    ...rows.map((row, i) => {
      const item = el(
        "li",
        { id: `offer-${i}`, role: "option", "aria-selected": String(i === chosen) },
        fromHtml(row.icon),
        el("span", { class: "what mono" }, el("b", {}, row.lead), row.rest, " ", el("i", {}, row.hint)),
        el("span", { class: "about-it" }, row.about),
        el("kbd", {}, "Tab"),
      );
      item.addEventListener("pointerdown", (event) => (event.preventDefault(), take(i)));
      return item;
    }),
  );
  box().hidden = false;
  $("#composer").classList.add("offering");
  mark();
}

function mark() {
  $$("li", box()).forEach((li, i) => li.setAttribute("aria-selected", String(i === chosen)));
  $(`#offer-${chosen}`).scrollIntoView({ block: "nearest" });
  $("#text").setAttribute("aria-activedescendant", `offer-${chosen}`);
}

function take(i) {
  const text = $("#text");
  const row = rows[i];
  const after = text.value.slice(text.selectionStart);
  text.value = text.value.slice(0, row.start) + row.insert + after;
  text.selectionStart = text.selectionEnd = row.start + row.insert.length;
  close();
  text.focus();
  text.dispatchEvent(new Event("input"));
}

// Whether the key was the list's.
export function key(event) {
  if (!rows.length || box().hidden) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % rows.length;
    mark();
  } else if (event.key === "Tab") {
    take(chosen);
  } else if (event.key === "Enter" && !event.shiftKey && unfinished()) {
    take(chosen);
  } else if (event.key === "Escape") {
    close();
  } else {
    return false;
  }
  event.preventDefault();
  return true;
}

// Enter takes a name that is being typed; a command whose name is complete is sent.
function unfinished() {
  const text = $("#text").value;
  const row = rows[chosen];
  return !text.startsWith("/") || (row.start === 0 && text.trim() !== row.insert.trim());
}
