// Entry of every page. Everything here adds to pages that already work as plain forms.
import { announce } from "./announce.js";
import { startKeys } from "./keys.js";
import { startPalette } from "./palette.js";
import { startDrafts } from "./drafts.js";
import { startLive } from "./live.js";
import "./countdown.js";

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

function escapeMenu(event) {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
}

function closeDialogs(event) {
  const dialog = event.target.closest?.("dialog");
  if (!dialog) return;
  if (event.target.closest("[data-close]") || event.target === dialog) dialog.close();
}

// One press sends one form: a second press while the answer is on its way does nothing.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
}

function readMessages() {
  const text = [...document.querySelectorAll("#messages .message")].map((node) => node.innerText).join(" ");
  if (text) announce(text);
}

document.addEventListener("click", closeMenus);
document.addEventListener("click", closeDialogs);
document.addEventListener("keydown", escapeMenu);
document.addEventListener("submit", sendOnce);
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

startKeys();
startPalette();
startDrafts();
startLive();
readMessages();
document.documentElement.dataset.ready = "yes";
