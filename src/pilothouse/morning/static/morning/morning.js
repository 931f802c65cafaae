// The morning review: move over the lines, act on one without leaving the page, mark it done; other people's changes appear as they happen.
import { announce, toast } from "../pilothouse/js/announce.js";
import { shortcut } from "../pilothouse/js/keys.js";
import { fetchPage, putParts } from "../pilothouse/js/refreshed.js";
import { startMentions } from "../tickets/mentions.js";
import "../tickets/ticket.js";

const MOVE = "The review";
const ACT = "The current line";
const page = document.querySelector("[data-morning]");
const lines = () => [...page.querySelectorAll(".line")].filter((line) => line.checkVisibility());
const current = () => page.querySelector(".line[data-current]");
const title = (line) => line?.querySelector(".title");

function setCurrent(line, { focus = false } = {}) {
  if (!line) return;
  const before = current();
  if (before !== line) {
    before?.removeAttribute("data-current");
    line.dataset.current = "yes";
  }
  if (focus) {
    title(line)?.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }
}

function move(step) {
  const all = lines();
  const at = all.indexOf(current());
  setCurrent(all[at + step] ?? (at < 0 ? all[0] : null), { focus: true });
}

function press(act) {
  const line = current();
  if (!line) return toast("Choose a line first: j and k move.");
  const button = line.querySelector(`[data-do="${act}"]`);
  if (button) button.click();
  else announce(line.hasAttribute("data-done") ? "This line is done. x takes it back." : "This is not offered on this line.");
}

function closeSlot(slot) {
  const line = slot.closest(".line");
  slot.replaceChildren();
  title(line)?.focus({ preventScroll: true });
}

function registerKeys() {
  shortcut({ key: "j", label: "Next line", group: MOVE, run: () => move(1) });
  shortcut({ key: "k", label: "Previous line", group: MOVE, run: () => move(-1) });
  shortcut({ key: "o", shown: ["o", "Enter"], label: "Open the ticket", group: MOVE, run: () => title(current())?.click() });
  if (page.dataset.can !== "yes") return;
  shortcut({ key: "x", label: "Mark as done, or take that back", group: ACT, run: () => press("done") });
  shortcut({ key: "n", label: "Nudge whoever has it", group: ACT, run: () => press("nudge") });
  shortcut({ key: "g", label: "Assign to a group", group: ACT, run: () => press("assign") });
  shortcut({ key: "p", label: "Raise the priority", group: ACT, run: () => press("raise") });
  shortcut({ key: "c", label: "Comment", group: ACT, run: () => press("comment") });
  shortcut({ key: "y", label: "Acknowledge the escalation", group: ACT, run: () => press("acknowledge") });
}

/* How many lines still ask. */
function count() {
  const place = page.querySelector("[data-progress]");
  const all = [...page.querySelectorAll(".line")];
  if (!all.length) return;
  const more = [...page.querySelectorAll("[data-more]")].reduce((sum, list) => sum + Number(list.dataset.more), 0);
  const done = all.filter((line) => line.hasAttribute("data-done")).length;
  const gone = Math.max(0, Number(place.dataset.done) - Number(place.dataset.seen));
  const waiting = all.length - done + more;
  place.textContent = `${waiting ? `${waiting} to look at` : "Everything is looked at"}${done + gone ? `, ${done + gone} done` : ""}`;
}

/* What an act answers: the line as it is now. */
function settled({ detail }) {
  const line = [...page.querySelectorAll(".line")].find((one) => one.dataset.key === detail.key);
  toast(detail.said);
  count();
  if (!line) return;
  setCurrent(line);
  const all = lines();
  const next = line.hasAttribute("data-done") ? all.slice(all.indexOf(line) + 1).find((one) => !one.hasAttribute("data-done")) : line;
  setCurrent(next ?? line, { focus: true });
}

function arrived({ detail }) {
  const slot = detail.target;
  if (!slot.matches?.(".slot")) return;
  for (const menu of page.querySelectorAll(".line details.menu[open]")) menu.open = false;
  for (const other of page.querySelectorAll(".slot:not(:empty)")) if (other !== slot) other.replaceChildren();
  for (const field of slot.querySelectorAll("textarea[data-mentions]")) startMentions(field);
  setCurrent(slot.closest(".line"));
  const field = slot.querySelector("select, textarea, input:not([type=hidden], [type=radio])") ?? slot.querySelector("button");
  field?.focus();
  if (field?.tagName === "TEXTAREA") field.setSelectionRange(field.value.length, field.value.length);
}

/* A refusal is an answer too: the form comes back with what is wrong, in its own place. */
function answered(event) {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status < 400) return;
  event.detail.isError = false;
  const slot = requestConfig.elt.closest?.(".slot");
  if (xhr.status < 500 && slot && xhr.responseText.includes("<form")) {
    event.detail.shouldSwap = true;
    event.detail.target = slot;
    event.detail.swapOverride = "innerHTML";
    return;
  }
  const said = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("[role=alert]")?.innerText;
  toast(said?.trim() || `The server answered ${xhr.status}. Nothing was changed.`);
}

/* An act's form comes into its line; a mark gives the line as it is then. */
function send(node) {
  const line = node.closest(".line");
  if (node.href) window.htmx.ajax("GET", node.getAttribute("href"), { source: line, target: line.querySelector(".slot"), swap: "innerHTML" });
  else window.htmx.ajax("POST", node.form.getAttribute("action"), { source: line, target: line, swap: "outerHTML", values: { [node.name]: node.value } });
}

function listen() {
  page.addEventListener("click", (event) => {
    const node = event.target.closest("[data-do]");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    send(node);
  });
  page.addEventListener("focusin", (event) => setCurrent(event.target.closest(".line")));
  page.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    if (event.target.closest("[data-close-slot]")) { event.preventDefault(); closeSlot(event.target.closest(".slot")); }
    else if (line && !event.target.closest("a, button, label, input, textarea, select")) setCurrent(line, { focus: true });
  });
  page.addEventListener("keydown", (event) => {
    const slot = event.key === "Escape" && !event.defaultPrevented ? event.target.closest?.(".slot") : null;
    if (slot) { event.preventDefault(); closeSlot(slot); }
  });
  document.body.addEventListener("morning-said", settled);
  document.body.addEventListener("htmx:afterSwap", arrived);
  document.body.addEventListener("htmx:beforeSwap", answered);
}

/* Live: the page is read again a moment after something changed, at once for a ticket that stands here; nobody loses their place. */
const SOON_MS = 1_000;
const LATER_MS = 20_000;
let planned = 0;
let plannedAt = Infinity;

function busy(part) {
  return part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select") || part.querySelector(".slot:not(:empty), form.htmx-request");
}

/* What was unfolded stays so; the place on the page is kept for all parts together, once they stand. */
function replace(part, other) {
  const open = [...part.querySelectorAll("details.rest[open]")].map((rest) => rest.closest("section").id);
  part.replaceWith(other);
  for (const id of open) document.querySelector(`#${CSS.escape(id)} details.rest`)?.setAttribute("open", "");
  window.htmx.process(other);
}

async function refresh() {
  plannedAt = Infinity;
  if (document.hidden) return;
  const fresh = await fetchPage(page.dataset.address);
  if (!fresh) return;
  const was = { ...current()?.dataset };
  const at = lines().indexOf(current());
  const focused = current()?.contains(document.activeElement);
  putParts(page, fresh, { isBusy: busy, replace });
  if (at >= 0 && !current()) keepPlace(was, at, focused);
  count();
}

// The line itself, or another line of its ticket, or what stands in its place now.
function keepPlace(was, at, focus) {
  const all = lines();
  const same = (name) => all.find((line) => line.dataset[name] === was[name]);
  setCurrent(same("key") ?? same("of") ?? all[Math.min(at, all.length - 1)], { focus });
}

function plan(delay) {
  const at = Date.now() + delay;
  if (at >= plannedAt) return;
  clearTimeout(planned);
  plannedAt = at;
  planned = setTimeout(refresh, delay);
}

function heard({ detail }) {
  if (detail.kind === "gap" || detail.bulk) return plan(LATER_MS);
  if (detail.kind !== "ticket") return;
  const here = page.querySelector(`.line[data-of="${CSS.escape(String(detail.record))}"]`);
  plan(here ? SOON_MS : LATER_MS);
}

if (page) {
  registerKeys();
  listen();
  const place = page.querySelector("[data-progress]");
  place.dataset.seen = [...page.querySelectorAll(".line[data-done]")].length;
  document.addEventListener("pilothouse:live", heard);
}
