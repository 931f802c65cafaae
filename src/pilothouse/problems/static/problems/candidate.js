// One candidate: open a problem, dismiss it, go back, without the mouse.
import { shortcut } from "../pilothouse/js/keys.js";

const CANDIDATE = "The candidate";
const open = document.querySelector("[data-open-problem]");
const dismiss = document.querySelector("[data-dismiss]");

shortcut({ key: "u", label: "Back to the candidates", group: CANDIDATE, run: () => document.querySelector("[data-back]").click() });
if (open) shortcut({ key: "p", label: "Open a problem from this candidate", group: CANDIDATE, run: () => open.click() });
if (dismiss) {
  shortcut({
    key: "d", label: "Dismiss this candidate", group: CANDIDATE,
    run: () => { dismiss.parentElement.open = true; dismiss.parentElement.querySelector("textarea").focus(); },
  });
}
