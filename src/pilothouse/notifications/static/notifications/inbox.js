// The inbox without the mouse: move, open, mark as read. Every action is a form the page already has.
import { shortcut } from "../pilothouse/js/keys.js";

const INBOX = "Inbox";
const messages = () => [...document.querySelectorAll("[data-message]")];
let at = -1;

function go(step) {
  const list = messages();
  if (!list.length) return;
  at = Math.min(Math.max(at + step, 0), list.length - 1);
  list[at].querySelector("[data-open]").focus();
}

function current() {
  return document.activeElement?.closest?.("[data-message]") ?? messages()[at];
}

function click(what) {
  current()?.querySelector(what)?.click();
}

document.addEventListener("focusin", (event) => {
  const message = event.target.closest?.("[data-message]");
  if (message) at = messages().indexOf(message);
});

shortcut({ key: "j", label: "Next message", group: INBOX, run: () => go(1) });
shortcut({ key: "k", label: "Previous message", group: INBOX, run: () => go(-1) });
shortcut({ key: "o", label: "Open what it is about", group: INBOX, run: () => click("[data-open]") });
shortcut({ key: "e", label: "Mark as read", group: INBOX, run: () => click("[data-read]") });
