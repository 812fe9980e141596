// The keyboard. Single letters never act while somebody types.

import { $, $$ } from "./dom.js";
import * as composer from "./composer.js";
import * as dialogs from "./dialogs.js";
import { kill } from "./kill.js";
import { act } from "./net.js";
import { step } from "./stream.js";
import { openThread } from "./tools.js";
import { closeDrawers, move } from "./view.js";

const typing = (target) => target.matches?.("input, textarea, select, [contenteditable]");

export function stopReply() {
  const button = $("#stop-reply");
  if (!button) return;
  act("say", { channel: composer.channel(), text: button.dataset.line }).catch((error) => dialogs.say(error.message));
}

document.addEventListener("keydown", (event) => {
  const ctrl = event.ctrlKey || event.metaKey;
  if (ctrl && event.shiftKey && event.key.toLowerCase() === "k") return done(event, kill);
  if (ctrl && !event.shiftKey && event.key.toLowerCase() === "k") return done(event, dialogs.openJump);
  if (ctrl && event.key === ".") return done(event, stopReply);
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown"))
    return done(event, () => move(event.key === "ArrowDown" ? 1 : -1, event.shiftKey));
  if (event.key === "Escape") {
    closeDrawers();
    dialogs.closePop();
    return;
  }
  if (ctrl || event.altKey || typing(event.target) || $("#dialog").open) return;
  const card = event.target.closest?.(".approval");
  const row = event.target.closest?.(".message");
  if (card && decide(card, event.key.toLowerCase())) return event.preventDefault();
  if (row && onMessage(row, event)) return event.preventDefault();
  if (event.key === "?") return done(event, dialogs.openKeys);
  if (event.key === "/" && $("#composer[data-commands]")) return done(event, () => composer.typeInto("/"));
});

function done(event, work) {
  event.preventDefault();
  work();
}

// A and R choose a button, which Enter then presses; N opens the form that takes a note.
function decide(card, key) {
  const buttons = $$(".actions button:not([disabled])", card);
  const says = (words) => buttons.find((b) => words.test(b.textContent));
  const reject = says(/^\s*reject/i) ?? $(".style4:not([disabled])", card);
  const found = { a: $(".style3:not([disabled])", card) ?? says(/approve/i), r: reject, n: says(/note|reason/i) ?? reject }[key];
  found?.focus();
  if (key === "n") found?.click();
  return Boolean(found);
}

function onMessage(row, event) {
  switch (event.key.toLowerCase()) {
    case "arrowup":
      return step(-1), true;
    case "arrowdown":
      return step(1), true;
    case "t":
      return openThread(row), true;
    case "e":
      return dialogs.react(row, "👀", true), true;
    case "c":
      return dialogs.react(row, "✅", true), true;
    default:
      return false;
  }
}
