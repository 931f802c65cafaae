// Work the queue without the mouse: move, select, act on one or many, undo. Every action is a form the page already has.
import { announce, toast } from "../pilothouse/js/announce.js";
import { shortcut } from "../pilothouse/js/keys.js";
import { board, clearSelection, current, link, move, rows, selected, setCurrent, showSelection, targets, toggle } from "./board.js";
import { refresh, startFreshness } from "./freshness.js";
import "./querybar.js";

const QUEUE = "Queue";
const ACT = "Act on the current row, or on the selection";

function dialogFor(action) {
  return document.getElementById(`act-${action}`);
}

function names(list) {
  return list.length === 1 ? list[0].dataset.number : `${list.length} tickets`;
}

function fillTargets(form, list) {
  const holder = form.querySelector("[data-targets]");
  holder.replaceChildren(...list.map((row) => {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "ids";
    field.value = row.dataset.id;
    return field;
  }));
}

function showRefusals(place, answer) {
  const lines = answer.refused.map((one) => {
    const line = document.createElement("li");
    line.textContent = `${one.number}: ${one.reasons.join(" ")}`;
    return line;
  });
  const box = document.createElement("div");
  box.className = "message danger";
  box.role = "alert";
  const inner = document.createElement("div");
  const title = document.createElement("p");
  title.className = "strong";
  title.textContent = answer.summary;
  const list = document.createElement("ul");
  list.append(...lines);
  inner.append(title, list);
  box.append(inner);
  place.replaceChildren(box);
}

function openDialog(action, list) {
  const dialog = dialogFor(action);
  dialog.querySelector("[data-about]").textContent = names(list);
  dialog.querySelector("[data-refused]").replaceChildren();
  fillTargets(dialog.querySelector("form"), list);
  delete dialog.querySelector("form").dataset.sent;
  dialog.showModal();
  dialog.querySelector(".body :is(select, textarea, input:not([type=hidden], [type=radio]))")?.focus();
}

// (form.action would be the field of that name.)
async function post(url, body) {
  const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": document.body.dataset.csrf, Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}. Nothing was changed.`);
  return answer.json();
}

async function settle(answer, dialog) {
  const nothingDone = !answer.done.length;
  if (answer.refused.length && nothingDone && dialog) return showRefusals(dialog.querySelector("[data-refused]"), answer), false;
  dialog?.close();
  if (answer.refused.length) {
    const result = document.getElementById("act-result");
    showRefusals(result.querySelector("[data-refused]"), answer);
    result.showModal();
  } else {
    toast(answer.summary, answer.undo ? { label: "Undo", run: undo } : undefined);
  }
  if (!nothingDone) clearSelection();
  refresh(answer.done);
  return true;
}

async function send(form, list) {
  const dialog = form.closest("dialog");
  fillTargets(form, list);
  const body = new FormData(form);
  try {
    if (await settle(await post(form.getAttribute("action"), body), dialog)) form.reset();
  } catch (error) {
    toast(error.message);
  } finally {
    delete form.dataset.sent;
  }
}

function act(action) {
  const list = targets();
  if (!list.length) return toast("Choose a ticket first: j and k move, x selects.");
  const dialog = dialogFor(action);
  if (dialog) return openDialog(action, list);
  const form = document.getElementById("act-now");
  form.elements.action.value = action;
  send(form, list);
}

// Where a selection leads is a page of its own: the rows' ticks are the form.
function lead(button) {
  if (!targets().length) return toast("Choose a ticket first: j and k move, x selects.");
  if (!selected().length) toggle(current());
  button.form.requestSubmit(button);
}

async function undo() {
  try {
    const form = document.getElementById("act-undo");
    const answer = await post(form.getAttribute("action"), new FormData(form));
    await settle({ refused: [], undo: false, ...answer });
  } catch (error) {
    toast(error.message);
  }
}

function open() {
  link(current())?.click();
}

function registerKeys() {
  const can = board.dataset.can === "yes";
  shortcut({ key: "j", label: "Next ticket", group: QUEUE, run: () => move(1) });
  shortcut({ key: "k", label: "Previous ticket", group: QUEUE, run: () => move(-1) });
  shortcut({ key: "o", shown: ["o", "Enter"], label: "Open the ticket", group: QUEUE, run: open });
  shortcut({ key: "/", label: "Edit the query", group: QUEUE, run: () => { const field = document.getElementById("q"); field.focus(); field.setSelectionRange(field.value.length, field.value.length); } });
  if (!can) return;
  shortcut({ key: "x", label: "Select or unselect", group: QUEUE, run: () => toggle(current()) });
  shortcut({ key: "a", label: "Assign to me", group: ACT, run: () => act("take") });
  shortcut({ key: "g", label: "Assign to a group", group: ACT, run: () => act("assign") });
  shortcut({ key: "p", label: "Change the priority", group: ACT, run: () => act("priority") });
  shortcut({ key: "h", label: "Put on hold", group: ACT, run: () => act("hold") });
  shortcut({ key: "c", label: "Comment", group: ACT, run: () => act("comment") });
  shortcut({ key: "r", label: "Resolve", group: ACT, run: () => act("resolve") });
  for (const button of document.querySelectorAll("[data-lead]")) shortcut({ key: button.dataset.lead, label: button.title, group: ACT, run: () => lead(button) });
  shortcut({ key: "u", label: "Undo the last action", group: ACT, run: undo });
  shortcut({ key: "Escape", label: "Clear the selection", group: QUEUE, when: () => selected().length > 0, run: clearSelection });
}

let asking = null;
let waiting = 0;

function preview(row) {
  const pane = document.getElementById("preview");
  if (!pane || getComputedStyle(pane).display === "none") return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(row.dataset.preview, { signal: asking.signal, headers: { "X-Part": "preview" } });
      if (answer.ok) pane.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }, 90);
}

// The row that had the focus may have been replaced while a dialog stood over it.
function refocus() {
  const here = document.activeElement;
  if (!here || here === document.body || here.closest("dialog:not([open])")) link(current())?.focus({ preventScroll: true });
}

function listen() {
  document.addEventListener("close", (event) => { if (event.target.id?.startsWith("act-")) refocus(); }, true);
  board.addEventListener("current", (event) => preview(event.detail));
  board.addEventListener("refreshed", (event) => { const row = current(); if (row && event.detail.has(row.dataset.id)) preview(row); });
  board.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) for (const row of rows()) { const box = row.querySelector(".pick input"); if (box) box.checked = event.target.checked; }
    showSelection();
  });
  board.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr[data-id]");
    if (row && !event.target.closest("a, button, label, input")) setCurrent(row, { focus: true });
    else if (row) setCurrent(row);
  });
  board.addEventListener("dblclick", (event) => { const row = event.target.closest("tbody tr[data-id]"); if (row && !event.target.closest("a, button, label, input")) link(row)?.click(); });
  board.addEventListener("focusin", (event) => { const row = event.target.closest("tbody tr[data-id]"); if (row) setCurrent(row); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    event.preventDefault();
    if (button.dataset.act === "clear") clearSelection(); else act(button.dataset.act);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("dialog form[data-act-form]");
    if (!form) return;
    event.preventDefault();
    send(form, targets());
  });
}

if (board) {
  registerKeys();
  listen();
  showSelection();
  startFreshness();
  const first = rows()[0];
  if (first) setCurrent(current() ?? first);
  if (board.dataset.summary) announce(board.dataset.summary);
}
