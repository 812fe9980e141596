// Forms of agents, the jump list, the list of keys, and small menus.

import { $, $$, el, fromHtml } from "./dom.js";
import { act, post } from "./net.js";
import { show } from "./view.js";

const dialog = () => $("#dialog");

export function openDialog(...content) {
  const box = dialog();
  if (box.open) box.close();
  box.replaceChildren(...content);
  box.showModal();
}

// --- forms ---

export function openModal(html) {
  openDialog(fromHtml(html));
  const form = $("form", dialog());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (event.submitter?.value !== "submit") return dialog().close();
    const trouble = $("[role=alert]", form);
    try {
      await act("modal", { id: form.dataset.modal, rows: rowsOf(form), channel: $("#composer")?.dataset.channel });
      dialog().close();
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  });
  $("input, textarea, select", form)?.focus();
}

function rowsOf(form) {
  return $$(".field", form).map((field) => {
    const parts = $$("[data-field]", field).map((input) => {
      const part = { type: Number(input.dataset.kind), custom_id: input.dataset.field, id: Number(input.dataset.part) };
      if (input.tagName === "SELECT") part.values = [...input.selectedOptions].map((o) => o.value);
      else part.value = input.value;
      return part;
    });
    const row = { type: Number(field.dataset.row), id: Number(field.dataset.part) };
    return row.type === 18 ? { ...row, component: parts[0] } : { ...row, components: parts };
  });
}

// --- jump ---

export function openJump() {
  const places = [
    ...$$("#channels .channel").map((a) => ({ name: $(".name", a).textContent, about: a.closest("details")?.dataset.group ?? "", icon: $("svg", a), go: () => show(a.dataset.channel) })),
    ...$$("#members .member:not([disabled])").map((b) => ({ name: b.dataset.name, about: "direct message", icon: $("svg", b), go: () => message(b.dataset.dm) })),
  ];
  const input = el("input", { placeholder: "A channel, a thread or a name", "aria-label": "Find or jump", "aria-controls": "places", autocomplete: "off" });
  const list = el("ul", { id: "places", class: "offers", role: "listbox" });
  let found = [];
  let chosen = 0;
  const draw = () => {
    const typed = input.value.trim().toLowerCase().replace(/^[#@]/, "");
    found = places.filter((p) => p.name.toLowerCase().includes(typed)).slice(0, 10);
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.replaceChildren(
      ...found.map((place, i) => {
        const item = el("li", { role: "option", "aria-selected": String(i === chosen) }, place.icon?.cloneNode(true) ?? "", el("span", { class: "what" }, place.name), el("span", { class: "about-it" }, place.about));
        item.addEventListener("click", () => go(i));
        return item;
      }),
    );
  };
  const go = (i) => {
    dialog().close();
    found[i]?.go();
  };
  input.addEventListener("input", () => ((chosen = 0), draw()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") (event.preventDefault(), go(chosen));
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length);
      draw();
    }
  });
  openDialog(el("div", { class: "jump-box" }, el("h2", { id: "dialog-title", class: "unseen" }, "Find or jump"), input, list));
  draw();
  input.focus();
}

export async function message(user) {
  try {
    const { channel } = await act("dm", { user });
    await show(channel);
  } catch (error) {
    say(error.message);
  }
}

// --- keys ---

const KEYS = [
  ["Ctrl K", "find a channel or a member"],
  ["Alt ↑ ↓", "channel before, channel after"],
  ["Alt ⇧ ↑ ↓", "the next unread channel"],
  ["/", "commands; ↑ ↓ choose, Tab takes, Enter sends, Esc closes"],
  ["@", "names"],
  ["⇧ Enter", "a new line"],
  ["↑", "edit your last message (in an empty message box)"],
  ["⇧ Tab, ↑ ↓", "from message to message"],
  ["T  E  C", "thread, eyes, check on the focused message"],
  ["A  R", "approve, reject on a focused card; then Enter"],
  ["N", "reject it with a note: opens its form"],
  ["Ctrl .", "stop this reply"],
  ["Ctrl ⇧ K", "kill the swarm, at once"],
  ["?", "this list"],
];

export function openKeys() {
  const rows = KEYS.map(([keys, what]) => el("tr", {}, el("td", {}, el("kbd", {}, keys)), el("td", {}, what)));
  const done = el("button", { class: "button" }, "Close");
  done.addEventListener("click", () => dialog().close());
  openDialog(el("div", { class: "keys" }, el("h2", { id: "dialog-title" }, "Keyboard"), el("table", {}, ...rows), done));
}

// --- small things ---

export function say(sentence) {
  const done = el("button", { class: "button" }, "Close");
  done.addEventListener("click", () => dialog().close());
  openDialog(el("div", { class: "keys", role: "alert" }, el("h2", { id: "dialog-title", class: "small" }, sentence), done));
  done.focus();
}

export function confirmDelete(row) {
  const yes = el("button", { class: "button danger" }, "Delete");
  const no = el("button", { class: "button" }, "Keep");
  no.addEventListener("click", () => dialog().close());
  yes.addEventListener("click", async () => {
    dialog().close();
    const channel = $("#stream").dataset.channel;
    await act("delete", { channel, message: row.dataset.id }).catch((error) => say(error.message));
  });
  openDialog(el("div", { class: "keys" }, el("h2", { id: "dialog-title", class: "small" }, "Delete this message?"), el("div", { class: "actions" }, yes, no)));
  yes.focus();
}

export function openPop(at, content, { align = "start" } = {}) {
  const pop = $("#pop");
  pop.replaceChildren(content);
  pop.hidden = false;
  const { width, height } = pop.getBoundingClientRect();
  const left = align === "end" ? at.x - width : at.x;
  pop.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  pop.style.top = `${Math.max(8, Math.min(at.y, innerHeight - height - 8))}px`;
  return pop;
}

export function closePop() {
  const pop = $("#pop");
  pop.hidden = true;
  pop.className = "pop";
}

export function openAccount(button) {
  const menu = $("#account-menu").content.cloneNode(true);
  const box = button.getBoundingClientRect();
  const pop = openPop({ x: box.right, y: box.top - 8 }, menu, { align: "end" });
  pop.classList.add("menu");
  pop.setAttribute("role", "menu");
  pop.style.top = `${Math.max(8, box.top - pop.offsetHeight - 8)}px`;
  $$("[data-user]", pop).forEach((b) =>
    b.addEventListener("click", async () => {
      await post("/act-as", { user: b.dataset.user });
      location.href = "/";
    }),
  );
  $("#show-keys", pop).addEventListener("click", () => (closePop(), openKeys()));
  $("button", pop).focus();
}

const EMOJI = { "👀": "eyes", "✅": "check", "❌": "cross", "👍": "thumb up", "❤️": "heart", "✋": "hand" };

export function pickReaction(row, button) {
  const icons = $("#emoji-icons").content;
  const choices = Object.entries(EMOJI).map(([emoji, words]) => {
    const b = el("button", { class: "plain", "aria-label": words }, icons.querySelector(`[data-emoji="${emoji}"] svg`)?.cloneNode(true) ?? emoji);
    b.addEventListener("click", () => (closePop(), react(row, emoji, true)));
    return b;
  });
  const box = button.getBoundingClientRect();
  openPop({ x: box.right, y: box.bottom + 4 }, el("div", { class: "picker" }, ...choices), { align: "end" });
  choices[0].focus();
}

export const react = (row, emoji, on) =>
  act("react", { channel: $("#stream").dataset.channel === "waiting" ? row.dataset.place : $("#stream").dataset.channel, message: row.dataset.id, emoji, on }).catch((error) => say(error.message));
