// Other people's changes: rows on the page change in place; new ones wait behind a quiet button until they are asked for.
import { announce } from "../pilothouse/js/announce.js";
import { board, replaceRow, rowFrom, rowOf, rows, selected, showSelection } from "./board.js";

const waitingIds = new Set();
const fresh = new Set();
let timer = 0;
let counting = 0;
let everything = false;

async function ask() {
  const ids = everything ? rows().map((row) => row.dataset.id) : [...waitingIds];
  const known = ids.filter((id) => rowOf(id));
  const others = ids.filter((id) => !rowOf(id));
  const wasEverything = everything;
  waitingIds.clear();
  everything = false;
  const url = new URL(board.dataset.refresh, location.href);
  url.searchParams.set("shown", known.join(","));
  url.searchParams.set("others", others.slice(0, 200).join(","));
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  apply(await answer.json(), wasEverything);
}

function apply(answer, wasEverything) {
  const touched = new Set();
  for (const [id, html] of Object.entries(answer.rows)) {
    const old = rowOf(id);
    if (old) { replaceRow(old, rowFrom(html)); touched.add(id); }
  }
  for (const id of answer.gone) rowOf(id)?.setAttribute("data-left", "");
  for (const id of answer.fresh) fresh.add(id);
  showSelection();
  showFresh(wasEverything);
  board.dispatchEvent(new CustomEvent("refreshed", { detail: touched }));
}

function showFresh(unknown) {
  const button = board.querySelector("[data-fresh]");
  if (!fresh.size && !unknown) return;
  const text = fresh.size ? `${fresh.size} new` : "Reload";
  if (button.textContent === text && !button.hidden) return;
  button.textContent = text;
  button.hidden = false;
  if (fresh.size) announce(`${fresh.size} new tickets in this view`);
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(ask, 120);
  clearTimeout(counting);
  counting = setTimeout(countViews, 1500);
}

async function countViews() {
  if (document.hidden || !board.dataset.counts) return;
  const answer = await fetch(board.dataset.counts, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const counts = await answer.json();
  for (const node of document.querySelectorAll("[data-count-of]")) if (node.dataset.countOf in counts) node.textContent = counts[node.dataset.countOf];
}

/** Ask for these rows again; used after one's own actions. */
export function refresh(ids) {
  for (const id of ids) waitingIds.add(String(id));
  plan();
}

// Show what is new: fetch the page again and put its rows in place of the old ones; ticks stay.
async function takeFresh() {
  const kept = new Set(selected().map((row) => row.dataset.id));
  const answer = await fetch(board.dataset.reload || location.href);
  if (!answer.ok || answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const body = page.querySelector("[data-board] tbody");
  if (!body || !board.querySelector("tbody")) return location.reload();
  board.querySelector("tbody").replaceWith(document.adoptNode(body));
  for (const row of rows()) if (kept.has(row.dataset.id)) row.querySelector(".pick input").checked = true;
  fresh.clear();
  board.querySelector("[data-fresh]").hidden = true;
  showSelection();
  rows()[0]?.querySelector(".col-title a")?.focus();
  announce("New tickets are shown");
}

function heard({ detail }) {
  if (detail.kind === "gap" || detail.bulk) everything = true;
  else if (detail.kind === "ticket" && detail.record) waitingIds.add(String(detail.record));
  else return;
  plan();
}

export function startFreshness() {
  document.addEventListener("pilothouse:live", heard);
  board.querySelector("[data-fresh]")?.addEventListener("click", takeFresh);
  if (document.querySelector("[data-count-of]:empty")) countViews();
}
