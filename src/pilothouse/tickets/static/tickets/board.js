// The rows of the queue as one object: which is current, which are selected, and how one is replaced without anybody losing their place.
export const board = document.querySelector("[data-board]");
export const rows = () => [...board.querySelectorAll("tbody tr[data-id]")];
export const rowOf = (id) => board.querySelector(`tbody tr[data-id="${CSS.escape(String(id))}"]`);
export const current = () => board.querySelector("tr[data-current]");
export const selected = () => rows().filter((row) => tick(row)?.checked);

/** What an action is about: the selected rows, or else the current one. */
export function targets() {
  const chosen = selected();
  const here = current();
  return chosen.length ? chosen : here ? [here] : [];
}

function tick(row) {
  return row.querySelector(".pick input");
}

export function link(row) {
  return row?.querySelector(".col-title a");
}

/** Make a row the current one; `focus` moves the keyboard there too. */
export function setCurrent(row, { focus = false } = {}) {
  if (!row) return;
  const before = current();
  if (before !== row) {
    before?.removeAttribute("data-current");
    row.dataset.current = "yes";
    board.dispatchEvent(new CustomEvent("current", { detail: row }));
  }
  if (focus) {
    link(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

export function move(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = all[at + step] ?? (at < 0 ? all[0] : null);
  if (next) setCurrent(next, { focus: true });
  else if (step > 0) document.querySelector(".pager [rel=next]")?.focus();
}

export function toggle(row) {
  const box = row && tick(row);
  if (!box) return;
  box.checked = !box.checked;
  showSelection();
}

export function clearSelection() {
  for (const row of selected()) tick(row).checked = false;
  showSelection();
}

export function showSelection() {
  const count = selected().length;
  board.toggleAttribute("data-selected", count > 0);
  const all = board.querySelector("[data-all]");
  if (all) { all.checked = count > 0 && count === rows().length; all.indeterminate = count > 0 && !all.checked; }
  for (const node of board.querySelectorAll("[data-selected-count]")) node.textContent = `${count} selected`;
}

/** Put new content in a row's place; its tick, its being current and the keyboard's focus stay. */
export function replaceRow(old, fresh) {
  const inside = old.contains(document.activeElement) ? document.activeElement : null;
  const wasTick = inside?.matches(".pick input");
  if (tick(old)?.checked && tick(fresh)) tick(fresh).checked = true;
  if (old.dataset.current) fresh.dataset.current = "yes";
  if (old.dataset.version !== fresh.dataset.version) fresh.dataset.changed = "yes";
  old.replaceWith(fresh);
  if (inside) (wasTick ? tick(fresh) : link(fresh))?.focus({ preventScroll: true });
}

/** Turn the server's `<tr>` text into a row. */
export function rowFrom(html) {
  const table = document.createElement("template");
  table.innerHTML = html.trim();
  return table.content.querySelector("tr");
}
