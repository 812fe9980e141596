// Fast to stop, slow to resume.

import { $, el } from "./dom.js";
import { act, Away } from "./net.js";
import { closePop, openDialog, openPop, say } from "./dialogs.js";

const HOLD_MS = 600;
const LOCAL = "python3 run.py kill all";

let timer = 0;
let held = false;

export async function kill() {
  const button = $("#kill");
  if (button?.disabled) return;
  closePop();
  button?.classList.add("acting");
  try {
    await act("kill", {});
  } catch (error) {
    if (error instanceof Away || error.message.includes(LOCAL)) offerLocal();
    else say(error.message);
  } finally {
    button?.classList.remove("acting");
  }
}

function offerLocal() {
  const code = el("code", { class: "command" }, LOCAL);
  const copy = el("button", { class: "button" }, "Copy");
  copy.addEventListener("click", () => navigator.clipboard?.writeText(LOCAL).then(() => (copy.textContent = "Copied")));
  const box = el("div", { class: "confirm" }, el("p", {}, "Nobody took the kill: the page has no connection. In a terminal on the swarm's machine:"), code, copy);
  openPop({ x: innerWidth - 8, y: 56 }, box, { align: "end" }).classList.add("kill-pop");
}

function ask(at) {
  const count = document.querySelectorAll("#members .member[data-bot='1']").length;
  const yes = el("button", { class: "button stop", id: "kill-now" }, `Stop ${count ? `all ${count} agents` : "the swarm"}`);
  const no = el("button", { class: "button" }, "Cancel");
  yes.addEventListener("click", kill);
  no.addEventListener("click", closePop);
  const box = el("div", { class: "confirm", role: "alertdialog", "aria-label": "Kill swarm?" }, el("div", { class: "actions" }, no, yes), el("p", {}, "Every agent stops what it does, at once. Resuming takes a reason."));
  const pop = openPop(at, box, { align: "end" });
  pop.classList.add("kill-pop");
  // the button that acts lies under the pointer
  const b = yes.getBoundingClientRect();
  const p = pop.getBoundingClientRect();
  pop.style.left = `${Math.min(p.left + (at.x - (b.left + b.width / 2)), innerWidth - p.width - 8)}px`;
  pop.style.top = `${Math.max(2, p.top + (at.y - (b.top + b.height / 2)))}px`;
  yes.focus();
}

document.addEventListener("pointerdown", (event) => {
  const button = event.target.closest?.("#kill");
  if (!button || button.disabled || event.button !== 0) return;
  held = false;
  button.classList.add("holding");
  timer = setTimeout(() => {
    held = true;
    button.classList.remove("holding");
    kill();
  }, HOLD_MS);
});
for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
  document.addEventListener(end, () => {
    clearTimeout(timer);
    $("#kill")?.classList.remove("holding");
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#kill");
  if (!button || button.disabled || held) return (held = false);
  const box = button.getBoundingClientRect();
  ask(event.clientX ? { x: event.clientX, y: event.clientY } : { x: box.left + box.width / 2, y: box.bottom });
});

// An agent that does not confirm is not waited for.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-force]");
  if (!button) return;
  button.disabled = true;
  act("force", { agent: button.dataset.force }).catch((error) => ((button.disabled = false), say(error.message)));
});

// --- resume ---

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form.resume");
  if (!form) return;
  form.elements.all.disabled = !form.elements.reason.value.trim() || form.elements.swarm.value.trim() !== document.body.dataset.swarm;
});
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.resume")) return;
  event.preventDefault();
  try {
    await act("resume", { reason: form.elements.reason.value, swarm: form.elements.swarm.value, agent: form.dataset.agent ?? "" });
    form.closest("dialog")?.close();
  } catch (error) {
    const trouble = $("[role=alert]", form);
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
});
document.addEventListener("click", (event) => {
  const one = event.target.closest?.("[data-resume]");
  if (one) return askToResume(one.dataset.resume);
  if (!event.target.closest?.("#to-resume")) return;
  $("#resume-reason")?.scrollIntoView({ block: "center" });
  $("#resume-reason")?.focus();
});

// One agent that was killed alone; while all are killed, all are resumed.
function askToResume(agent) {
  const name = document.body.dataset.swarm;
  const form = el(
    "form",
    { class: "modal resume", "data-agent": agent },
    el("h2", { id: "dialog-title" }, `Resume ${agent}`),
    el("div", { class: "field" }, el("label", { for: "one-reason" }, "Reason, kept in the audit"), el("input", { id: "one-reason", name: "reason", maxlength: 300, autocomplete: "off" })),
    el("div", { class: "field" }, el("label", { for: "one-swarm" }, "Type ", el("code", {}, name)), el("input", { id: "one-swarm", name: "swarm", placeholder: name, autocapitalize: "off", autocomplete: "off", spellcheck: "false" })),
    el("p", { class: "missing", role: "alert", hidden: true }),
    el("div", { class: "actions" }, el("button", { class: "button go", name: "all", disabled: true }, `Resume ${agent}`)),
  );
  openDialog(form);
  form.elements.reason.focus();
}
