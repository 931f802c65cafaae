// Keyboard shortcuts: one registry that also writes the help (?). Single keys can be switched off (WCAG 2.1.4).
const shortcuts = [];
const OFF = "pilothouse.keys.off";

/** Register a shortcut: {key: "j", label, group, run, shown}. Keys are `event.key` values; `shown` overrides the help's text. */
export function shortcut(entry) {
  shortcuts.push(entry);
}

export function press(key) {
  const entry = shortcuts.find((candidate) => candidate.key === key);
  entry?.run(new KeyboardEvent("keydown", { key }));
}

/** The shortcuts whose label has words that begin with every typed word. */
export function matching(words) {
  const typed = words.toLowerCase().split(/\s+/);
  return shortcuts.filter((entry) => !entry.key.includes("+") && entry.key !== "Escape" && typed.every((word) => entry.label.toLowerCase().split(/\s+/).some((part) => part.startsWith(word))));
}

function typing(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]");
}

function handle(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || typing(event.target) || isOff()) return;
  const entry = shortcuts.find((candidate) => candidate.key === event.key && (!candidate.when || candidate.when(event)));
  if (!entry) return;
  event.preventDefault();
  entry.run(event);
}

function isOff() {
  return localStorage.getItem(OFF) === "yes";
}

function rowOf(entry) {
  const row = document.createElement("tr");
  const key = document.createElement("td");
  for (const part of entry.shown ?? [entry.key]) {
    const kbd = document.createElement("kbd");
    kbd.textContent = part;
    key.append(kbd, " ");
  }
  const label = document.createElement("td");
  label.textContent = entry.label;
  row.append(key, label);
  return row;
}

function tableOf(group) {
  const table = document.createElement("table");
  table.className = "keys-table";
  const caption = document.createElement("caption");
  caption.textContent = group;
  const body = document.createElement("tbody");
  body.append(...shortcuts.filter((entry) => entry.group === group && !entry.silent).map(rowOf));
  table.append(caption, body);
  return table;
}

export function openKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  const groups = [...new Set(shortcuts.filter((entry) => !entry.silent).map((entry) => entry.group))];
  dialog.querySelector("[data-keys]").replaceChildren(...groups.map(tableOf));
  dialog.querySelector("[data-keys-on]").checked = !isOff();
  dialog.showModal();
}

export function startKeys() {
  shortcut({ key: "?", label: "Show these keys", group: "Everywhere", run: openKeys });
  document.addEventListener("keydown", handle);
  document.addEventListener("click", (event) => { if (event.target.closest("[data-open-keys]")) openKeys(); });
  document.querySelector("[data-keys-on]")?.addEventListener("change", (event) => {
    if (event.target.checked) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "yes");
  });
}
