// Where the page begins.

import "./kill.js";
import "./keys.js";
import "./tools.js";
import { times } from "./dom.js";
import { drawn, atEnd, read } from "./stream.js";
import { mood } from "./live.js";
import { begin } from "./view.js";

times();
mood();
history.replaceState({ view: document.body.dataset.view }, "");
begin(document.body.dataset.from);
addEventListener("focus", read);
document.addEventListener("visibilitychange", () => !document.hidden && read());
addEventListener("resize", () => atEnd() && drawn(true));
