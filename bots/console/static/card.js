// Approval cards: the bar shrinks with time, and silence is a no.

import { $, $$, ages, exactly } from "./dom.js";

export function tick() {
  ages();
  for (const card of $$(".approval[data-open][data-expires]")) {
    const end = Date.parse(card.dataset.expires);
    if (Number.isNaN(end)) continue;
    const begin = Date.parse(card.dataset.begins);
    const left = Math.max(0, end - Date.now());
    const share = Math.min(1, left / Math.max(1, end - begin));
    $(".bar > i", card).style.width = `${share * 100}%`;
    const label = $("[data-left]", card);
    if (left === 0) {
      card.classList.add("over");
      label.textContent = `Rejected itself at ${exactly(end)}`;
      $$("button", card).forEach((b) => (b.disabled = true));
    } else {
      const seconds = Math.round(left / 1000);
      const minutes = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      label.replaceChildren("Rejects itself in ", Object.assign(document.createElement("b"), { textContent: minutes }));
    }
  }
}

setInterval(tick, 1000);
