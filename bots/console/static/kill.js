// Fast to stop, slow to resume.

import { $, el } from "./dom.js";
import { act, Away } from "./net.js";
import { closePop, openPop, say } from "./dialogs.js";

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

// --- resume ---

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("#resume");
  if (!form) return;
  form.elements.all.disabled = !form.elements.reason.value.trim() || form.elements.swarm.value.trim() !== document.body.dataset.swarm;
});
document.addEventListener("submit", async (event) => {
  if (event.target.id !== "resume") return;
  event.preventDefault();
  const form = event.target;
  try {
    await act("resume", { reason: form.elements.reason.value, swarm: form.elements.swarm.value });
  } catch (error) {
    const trouble = $("#resume-trouble");
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#to-resume")) return;
  $("#resume-reason")?.scrollIntoView({ block: "center" });
  $("#resume-reason")?.focus();
});
