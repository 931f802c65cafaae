// The command palette (Ctrl-K): a combobox over what the server offers for the typed words, plus the page's own shortcuts.
import { matching, press, shortcut } from "./keys.js";

let options = [];
let chosen = 0;
let asked = 0;

function optionNode(choice, index) {
  const node = document.createElement("div");
  node.role = "option";
  node.id = `palette-${index}`;
  node.dataset.index = index;
  const label = document.createElement("span");
  label.className = "clip";
  label.textContent = choice.label;
  node.append(label);
  if (choice.hint) {
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.textContent = choice.hint;
    node.append(hint);
  }
  return node;
}

function groupNode(group, start) {
  const node = document.createElement("div");
  node.role = "group";
  node.ariaLabel = group.name;
  const label = document.createElement("div");
  label.className = "label";
  label.ariaHidden = "true";
  label.textContent = group.name;
  node.append(label, ...group.choices.map((choice, at) => optionNode(choice, start + at)));
  return node;
}

function mark(dialog, index) {
  chosen = Math.max(0, Math.min(index, options.length - 1));
  for (const node of dialog.querySelectorAll("[role=option]")) node.ariaSelected = String(Number(node.dataset.index) === chosen);
  const current = dialog.querySelector(`#palette-${chosen}`);
  current?.scrollIntoView({ block: "nearest" });
  const input = dialog.querySelector("input");
  if (current) input.setAttribute("aria-activedescendant", current.id); else input.removeAttribute("aria-activedescendant");
}

function show(dialog, groups) {
  options = groups.flatMap((group) => group.choices);
  let start = 0;
  const nodes = groups.map((group) => { const node = groupNode(group, start); start += group.choices.length; return node; });
  dialog.querySelector("#palette-list").replaceChildren(...nodes);
  mark(dialog, 0);
}

function searchGroup(dialog, words) {
  const target = dialog.dataset.search;
  if (!words || !target) return [];
  return [{ name: "Search", choices: [{ label: `Search for “${words}”`, url: `${target}?q=${encodeURIComponent(words)}`, hint: "tickets, comments, configuration" }] }];
}

// What this page's own keys do, under their names.
function pageGroup(words) {
  const choices = words ? matching(words).slice(0, 8).map((entry) => ({ label: entry.label, key: entry.key, hint: (entry.shown ?? [entry.key]).join(" ") })) : [];
  return choices.length ? [{ name: "On this page", choices }] : [];
}

async function ask(dialog) {
  const words = dialog.querySelector("input").value.trim();
  const mine = ++asked;
  const answer = await fetch(`${dialog.dataset.source}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
  const groups = answer.ok ? (await answer.json()).groups : [];
  if (mine === asked) show(dialog, [...groups, ...pageGroup(words), ...searchGroup(dialog, words)]);
}

function choose(dialog, index) {
  const choice = options[index];
  if (!choice) return;
  dialog.close();
  if (choice.key) press(choice.key); else location.assign(choice.url);
}

function steer(dialog, event) {
  const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 };
  if (event.key in moves) mark(dialog, moves[event.key]);
  else if (event.key === "Enter") choose(dialog, chosen);
  else return;
  event.preventDefault();
}

export function openPalette(words = "") {
  const dialog = document.getElementById("palette");
  if (!dialog || dialog.open) return;
  const input = dialog.querySelector("input");
  input.value = words;
  dialog.showModal();
  input.select();
  ask(dialog);
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  let waiting = 0;
  dialog.querySelector("input").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => ask(dialog), 120); });
  dialog.addEventListener("keydown", (event) => steer(dialog, event));
  dialog.addEventListener("click", (event) => { const node = event.target.closest("[role=option]"); if (node) choose(dialog, Number(node.dataset.index)); });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); }
  });
  shortcut({ key: "Ctrl+K", shown: ["Ctrl", "K"], label: "Go to a ticket, view, page or action", group: "Everywhere", run: () => openPalette() });
}
