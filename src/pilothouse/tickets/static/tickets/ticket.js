// The ticket page: suggestions in fields that name a record, @mentions, keys, and other people's changes as they happen.
import { announce } from "../pilothouse/js/announce.js";
import { shortcut } from "../pilothouse/js/keys.js";
import { concerns, refreshParts } from "../pilothouse/js/refreshed.js";
import { startMentions } from "./mentions.js";

const page = document.querySelector("[data-ticket]");
const HERE = "This ticket";

/* Fields that name a record: a native list that fills as one types. */
let asked = 0;

async function suggest(field) {
  const list = listFor(field);
  if (field.value.trim().length < 2) return;
  const mine = ++asked;
  const answer = await fetch(`/tickets/suggest/${field.dataset.suggest}?q=${encodeURIComponent(field.value)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || mine !== asked) return;
  const { items } = await answer.json();
  list.replaceChildren(...items.map(({ value, label }) => { const option = document.createElement("option"); option.value = value; option.label = label ? `${value} — ${label}` : value; return option; }));
}

function listFor(field) {
  const id = `${field.id}-list`;
  let list = document.getElementById(id);
  if (!list) {
    list = document.createElement("datalist");
    list.id = id;
    field.after(list);
    field.setAttribute("list", id);
  }
  return list;
}

let waiting = 0;
document.addEventListener("input", (event) => {
  if (!event.target.dataset?.suggest) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => suggest(event.target), 140);
});
document.addEventListener("focusin", (event) => { if (event.target.dataset?.suggest) listFor(event.target); });

/* Keys: the same letters as in the queue. */
function press(act) {
  const node = page.querySelector(`[data-key-act="${act}"]`);
  if (!node) return announce("This is not offered in this state.");
  if (node.tagName !== "DETAILS") return node.click();
  for (const other of page.querySelectorAll("details.menu[open]")) if (!other.contains(node)) other.open = false;
  const more = node.closest(".overflow");
  if (more) more.open = true;
  node.open = true;
  node.querySelector("select, input:not([type=hidden]), textarea, button")?.focus();
}

function compose(audience) {
  const choice = page.querySelector(`.composer [name=audience][value=${audience}]`);
  if (choice) choice.checked = true;
  document.getElementById("compose")?.focus();
}

function registerKeys() {
  const acts = [["a", "take", "Assign to me"], ["g", "assign", "Assign to a group"], ["p", "priority", "Change the priority"], ["h", "hold", "Put on hold"], ["r", "resolve", "Resolve"], ["s", "start", "Start work"], ["e", "edit", "Edit the facts"], ["w", "watch", "Watch or stop watching"]];
  for (const [key, act, label] of acts) shortcut({ key, label, group: HERE, run: () => press(act) });
  shortcut({ key: "c", label: "Reply to the requester", group: HERE, run: () => compose("reply") });
  shortcut({ key: "n", label: "Write a private note", group: HERE, run: () => compose("note") });
  shortcut({ key: "b", label: "Back to the queue", group: HERE, run: () => { location.assign(sessionStorage.getItem("pilothouse.queue") || page.dataset.queue); } });
}

/* Live: other people's changes. */
let refreshing = 0;

async function refresh() {
  const fresh = await refreshParts(page);
  page.dataset.version = fresh?.querySelector("[data-ticket]")?.dataset.version ?? page.dataset.version;
}

function heard({ detail }) {
  if (!concerns(detail, "ticket", page.dataset.ticket)) return;
  clearTimeout(refreshing);
  refreshing = setTimeout(async () => { await refresh(); if (String(detail.actor) !== document.body.dataset.user) announce("This ticket was changed by somebody else. The page shows it."); }, 100);
}

if (page) {
  registerKeys();
  document.addEventListener("pilothouse:live", heard);
}
for (const field of document.querySelectorAll("[data-mentions]")) startMentions(field);
