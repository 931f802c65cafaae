// The candidates: move over them without the mouse, open one.
import { shortcut } from "../pilothouse/js/keys.js";

const CANDIDATES = "Candidates";
const list = document.querySelector("[data-candidates]");
const lines = () => [...list.querySelectorAll(".candidate")];
const current = () => list.querySelector(".candidate[data-current]");

function setCurrent(line) {
  if (!line) return;
  current()?.removeAttribute("data-current");
  line.dataset.current = "yes";
}

function move(step) {
  const all = lines();
  const at = all.indexOf(current());
  const line = all[at + step] ?? (at < 0 ? all[0] : null);
  if (!line) return;
  setCurrent(line);
  line.querySelector(".title").focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest" });
}

list.addEventListener("focusin", (event) => setCurrent(event.target.closest(".candidate")));
shortcut({ key: "j", label: "Next candidate", group: CANDIDATES, run: () => move(1) });
shortcut({ key: "k", label: "Previous candidate", group: CANDIDATES, run: () => move(-1) });
shortcut({ key: "o", shown: ["o", "Enter"], label: "Open the candidate", group: CANDIDATES, run: () => current()?.querySelector(".title").click() });
