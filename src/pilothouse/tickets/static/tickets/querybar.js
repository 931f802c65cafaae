// The query bar: terms are painted as they are typed, and completed from what the server offers at the caret.
const field = document.getElementById("q");
const TERM = /(-?)([A-Za-z][\w-]*(?:!=|<=|>=|:|=|<|>)(?:"(?:[^"\\]|\\.)*"|[^\s()])*)|[^]/g;

let items = [];
let chosen = -1;
let range = [0, 0];
let asked = 0;
let waiting = 0;

function paint(layer) {
  const nodes = [];
  for (const [text, not, term] of field.value.matchAll(TERM)) {
    if (!term) { nodes.push(text); continue; }
    const mark = document.createElement("i");
    if (not) mark.className = "not";
    mark.textContent = text;
    nodes.push(mark);
  }
  layer.replaceChildren(...nodes);
  layer.scrollLeft = field.scrollLeft;
}

function list() {
  return document.getElementById("q-list");
}

function close() {
  list().hidden = true;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
  chosen = -1;
}

function optionNode(item, index) {
  const node = document.createElement("div");
  node.role = "option";
  node.id = `q-option-${index}`;
  node.dataset.index = index;
  node.ariaSelected = "false";
  const word = document.createElement("b");
  word.textContent = item.insert;
  const help = document.createElement("span");
  help.textContent = item.help;
  node.append(word, help);
  return node;
}

function mark(index) {
  chosen = index;
  for (const node of list().children) node.ariaSelected = String(Number(node.dataset.index) === chosen);
  const node = document.getElementById(`q-option-${chosen}`);
  node?.scrollIntoView({ block: "nearest" });
  if (node) field.setAttribute("aria-activedescendant", node.id); else field.removeAttribute("aria-activedescendant");
}

async function ask() {
  const mine = ++asked;
  const url = new URL(field.dataset.complete, location.href);
  url.searchParams.set("q", field.value);
  url.searchParams.set("at", field.selectionStart);
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok || mine !== asked || document.activeElement !== field) return;
  const found = await answer.json();
  items = found.items;
  range = [found.start, found.end];
  if (!items.length) return close();
  list().replaceChildren(...items.map(optionNode));
  list().hidden = false;
  field.setAttribute("aria-expanded", "true");
  mark(-1);
}

function take(index) {
  const item = items[index];
  if (!item) return;
  field.setRangeText(item.insert, range[0], range[1], "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

function steer(event) {
  const open = !list().hidden;
  if (event.key === "ArrowDown" && open) mark((chosen + 1) % items.length);
  else if (event.key === "ArrowUp" && open) mark((chosen - 1 + items.length) % items.length);
  else if (event.key === "Tab" && open && !event.shiftKey && items.length) take(Math.max(0, chosen));
  else if (event.key === "Enter" && open && chosen >= 0) take(chosen);
  else if (event.key === "Escape" && open) close();
  else if (event.key === "Escape") field.blur();
  else return;
  event.preventDefault();
}

function start() {
  const layer = document.createElement("div");
  layer.className = "paint";
  layer.ariaHidden = "true";
  field.before(layer);
  paint(layer);
  field.addEventListener("input", () => { paint(layer); clearTimeout(waiting); waiting = setTimeout(ask, 90); });
  field.addEventListener("scroll", () => { layer.scrollLeft = field.scrollLeft; });
  field.addEventListener("keydown", steer);
  field.addEventListener("blur", () => setTimeout(close, 150));
  list().addEventListener("mousedown", (event) => { const node = event.target.closest("[role=option]"); if (node) { event.preventDefault(); take(Number(node.dataset.index)); } });
}

if (field) start();
