// What can be done with one message, by pointer.

import { $, $$ } from "./dom.js";
import { act } from "./net.js";
import * as composer from "./composer.js";
import * as dialogs from "./dialogs.js";
import { stopReply } from "./keys.js";
import { closeDrawers, lastChannel, show, toggleDrawer } from "./view.js";

const channelOf = (row) => row.dataset.place;

export async function openThread(row) {
  const link = $(".thread-link", row);
  if (link) return show(link.dataset.channel);
  const name = ($(".text", row)?.textContent ?? "").trim().slice(0, 60) || "thread";
  try {
    const { channel } = await act("thread", { channel: channelOf(row), message: row.dataset.id, name });
    await show(channel);
  } catch (error) {
    dialogs.say(error.message);
  }
}

async function press(button) {
  const row = button.closest(".message");
  const others = $$("button", button.closest(".actions"));
  others.forEach((b) => (b.disabled = true));
  try {
    await act("press", { channel: channelOf(row), message: row.dataset.id, custom_id: button.dataset.press, kind: 2 });
  } catch (error) {
    dialogs.say(error.message);
  } finally {
    others.forEach((b) => (b.disabled = false));
  }
}

async function choose(select) {
  const values = [...select.selectedOptions].map((o) => o.value).filter(Boolean);
  if (!values.length) return;
  const row = select.closest(".message");
  const body = { channel: channelOf(row), message: row.dataset.id, custom_id: select.dataset.select, kind: Number(select.dataset.kind), values };
  await act("press", body).catch((error) => dialogs.say(error.message));
}

const TOOLS = {
  react: dialogs.pickReaction,
  reply: composer.reply,
  thread: openThread,
  edit: composer.edit,
  delete: dialogs.confirmDelete,
};

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = at("a[data-channel]");
  if (link) {
    event.preventDefault();
    return show(link.dataset.channel);
  }
  if (at("[data-last-channel]")) {
    event.preventDefault();
    return lastChannel();
  }
  const row = at(".message");
  const tool = at("[data-tool]");
  if (tool) return TOOLS[tool.dataset.tool](row, tool);
  if (at("[data-press]")) return press(at("[data-press]"));
  if (at("[data-choose]")) return choose($("select", at(".choice")));
  const reaction = at("[data-react]");
  if (reaction) return dialogs.react(row, reaction.dataset.react, !reaction.classList.contains("mine"));
  if (at("[data-dismiss]")) return act("dismiss", { channel: channelOf(row), message: row.dataset.id }).catch(() => {});
  const quote = at("[data-quote]");
  if (quote) {
    event.preventDefault();
    const target = document.getElementById(`m${quote.dataset.quote}`);
    target?.scrollIntoView({ block: "center" });
    return target?.focus({ preventScroll: true });
  }
  if (at("[data-dm]")) return dialogs.message(at("[data-dm]").dataset.dm);
  if (at("[data-drawer]")) return toggleDrawer(at("[data-drawer]").dataset.drawer);
  if (at("[data-drawer-close], #scrim")) return closeDrawers();
  if (at("#jump")) return dialogs.openJump();
  if (at("#account")) return dialogs.openAccount(at("#account"));
  if (at("#theme")) return switchTheme();
  if (at("#stop-reply")) return stopReply();
  if (!at("#pop") && !at("#kill")) dialogs.closePop();
});

document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-select]:not([multiple])");
  if (select) choose(select);
});

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `parley_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
}
