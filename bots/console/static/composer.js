// The message box: send, reply, edit, attach; drafts are kept a channel; what failed is not lost.

import { $, $$, el } from "./dom.js";
import { act, actWithFiles } from "./net.js";
import * as offers from "./offers.js";
import { toEnd } from "./stream.js";

const TYPING_EVERY_MS = 8_000;

let files = [];
let state = { reply: null, edit: null };
let typedAt = 0;
let failed = null;

const text = () => $("#text");
export const channel = () => $("#composer")?.dataset.channel;
const draftKey = () => `draft-${channel()}`;
const nonce = () => String(crypto.getRandomValues(new Uint32Array(1))[0]) + String(Date.now()).slice(-8);

export function begin() {
  files = [];
  state = { reply: null, edit: null };
  failed = null;
  if (!text()) return;
  text().value = localStorage.getItem(draftKey()) ?? "";
  grow();
  offers.close();
  const box = $("#composer");
  box.addEventListener("submit", (event) => (event.preventDefault(), submit()));
  text().addEventListener("input", typed);
  text().addEventListener("keydown", pressed);
  text().addEventListener("blur", () => setTimeout(offers.close, 150));
  text().addEventListener("paste", (event) => event.clipboardData.files.length && (event.preventDefault(), attach(event.clipboardData.files)));
  $("#attach").addEventListener("click", () => $("#file").click());
  $("#file").addEventListener("change", () => (attach($("#file").files), ($("#file").value = "")));
  $("#about button").addEventListener("click", cancel);
  $("#trouble button").addEventListener("click", again);
  const main = $("#main");
  main.ondragover = (event) => event.preventDefault();
  main.ondrop = (event) => (event.preventDefault(), attach(event.dataTransfer.files));
  if (matchMedia("(pointer: fine)").matches) text().focus({ preventScroll: true });
}

function grow() {
  const box = text();
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
  $("#send").disabled = !box.value.trim() && !files.length;
  hint();
}

// Who will hear it, before it is sent; near the end of the room, how much is left.
export function hint() {
  if (!text()) return;
  const { value } = text();
  const left = 2000 - value.length;
  const reaches = value.trim() && !value.startsWith("/") && !state.edit;
  $("#hint").textContent = left < 200 ? `${left} left` : reaches ? $("#head h1").dataset.reach : "";
  $("#hint").classList.toggle("wide", left >= 200);
}

function typed() {
  grow();
  $("#trouble").hidden = true;
  if (!state.edit) localStorage.setItem(draftKey(), text().value);
  offers.look(text(), channel());
  const now = Date.now();
  if (text().value && !text().value.startsWith("/") && now - typedAt > TYPING_EVERY_MS) {
    typedAt = now;
    act("typing", { channel: channel() }).catch(() => {});
  }
}

function pressed(event) {
  if (event.isComposing) return;
  if (offers.key(event)) return grow();
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape" && (state.reply || state.edit)) {
    event.preventDefault();
    cancel();
  } else if (event.key === "ArrowUp" && !text().value) {
    const last = $$("#messages .message[data-mine]").at(-1);
    if (last) (event.preventDefault(), edit(last));
  }
}

function attach(list) {
  files = [...files, ...list].slice(0, 10);
  showFiles();
  grow();
}

function showFiles() {
  const box = $("#files");
  box.hidden = !files.length;
  box.replaceChildren(
    ...files.map((file, i) => {
      const remove = el("button", { type: "button", class: "plain", "aria-label": `Remove ${file.name}` }, "×");
      remove.addEventListener("click", () => ((files = files.filter((_, j) => j !== i)), showFiles(), grow()));
      return el("span", { class: "chip" }, file.name, remove);
    }),
  );
}

function about(words) {
  $("#about").hidden = !words;
  $("#about span").textContent = words;
}

export function reply(row) {
  cancel();
  state.reply = row.dataset.id;
  about(`Replying to ${$(".name", row).textContent}`);
  text().focus();
}

export function edit(row) {
  state = { reply: null, edit: row.dataset.id };
  about("Editing your message. Enter saves, Esc cancels.");
  text().value = row.dataset.source;
  grow();
  text().focus();
}

function cancel() {
  if (state.edit) text().value = localStorage.getItem(draftKey()) ?? "";
  state = { reply: null, edit: null };
  about("");
  grow();
}

async function submit() {
  const value = text().value;
  if (!value.trim() && !files.length) return;
  const sending = { value, files, ...state, nonce: nonce(), channel: channel() };
  text().value = "";
  files = [];
  state = { reply: null, edit: null };
  about("");
  showFiles();
  offers.close();
  trouble(null);
  grow();
  await send(sending);
}

async function send(sending) {
  const { value, edit: message, reply: to } = sending;
  const fields = { channel: sending.channel, text: value, nonce: sending.nonce };
  if (to) fields.reply = to;
  const slow = setTimeout(() => ($("#hint").textContent = value.startsWith("/") ? "waiting for the agent …" : "sending …"), 400);
  try {
    if (message) await act("edit", { channel: sending.channel, message, text: value });
    else if (sending.files.length) await actWithFiles(fields, sending.files);
    else await act("say", fields);
    sent(sending);
    toEnd();
  } catch (error) {
    trouble(sending, error.message);
  } finally {
    clearTimeout(slow);
    hint();
  }
}

// Until it has arrived, what was written is still the draft: not even a reload loses it.
function sent({ channel: where, value, edit: message }) {
  if (message || localStorage.getItem(`draft-${where}`) !== value) return;
  localStorage.removeItem(`draft-${where}`);
  if (channel() === where && text().value === value) {
    text().value = "";
    grow();
  }
}

function trouble(sending, sentence = "") {
  failed = sending;
  const box = $("#trouble");
  box.hidden = !sending;
  if (!sending) return;
  if (channel() !== sending.channel) return;
  $("span", box).textContent = `Not sent: ${sentence}`;
  // the text is kept where it was typed, unless something new stands there
  if (!text().value) {
    text().value = sending.value;
    files = sending.files;
    state = { reply: sending.reply, edit: sending.edit };
    showFiles();
    grow();
    if (!sending.edit) localStorage.setItem(draftKey(), sending.value);
  }
}

async function again() {
  if (!failed) return;
  // the same nonce: what arrived after all is not said twice
  const sending = { ...failed, value: text().value || failed.value };
  if (sending.value !== failed.value) sending.nonce = nonce();
  text().value = "";
  files = [];
  showFiles();
  trouble(null);
  grow();
  await send(sending);
}

export const typeInto = (value) => {
  if (!text()) return;
  text().value = value;
  text().focus();
  text().dispatchEvent(new Event("input"));
};
