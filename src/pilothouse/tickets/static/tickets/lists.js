// A list of records that lead to a ticket page: move over it without the mouse, open one. (The queue does more: queue.js.)
import { shortcut } from "../pilothouse/js/keys.js";

const HERE = "This list";
const list = document.querySelector("[data-list]");
const rows = () => [...list.querySelectorAll("tbody tr")];
const current = () => list.querySelector("tr[data-current]");
const link = (row) => row?.querySelector(".lead a");

function setCurrent(row) {
  if (!row) return;
  current()?.removeAttribute("data-current");
  row.dataset.current = "yes";
}

function move(step) {
  const all = rows();
  const at = all.indexOf(current());
  const row = at < 0 ? all[0] : all[at + step];
  if (!row && step > 0) document.querySelector(".pager [rel=next]")?.focus();
  if (!row) return;
  setCurrent(row);
  link(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

if (list) {
  list.addEventListener("focusin", (event) => setCurrent(event.target.closest("tbody tr")));
  shortcut({ key: "j", label: "Next line", group: HERE, run: () => move(1) });
  shortcut({ key: "k", label: "Previous line", group: HERE, run: () => move(-1) });
  shortcut({ key: "o", shown: ["o", "Enter"], label: "Open it", group: HERE, run: () => link(current())?.click() });
}
