// Typing @ and two letters in a comment offers colleagues.
export function startMentions(field) {
  const list = document.createElement("div");
  list.className = "mentions";
  list.id = `${field.id}-mentions`;
  list.role = "listbox";
  list.ariaLabel = "Colleagues";
  list.hidden = true;
  field.after(list);
  field.setAttribute("aria-controls", list.id);
  let items = [];
  let chosen = 0;
  let asked = 0;

  const word = () => field.value.slice(0, field.selectionStart).match(/(?:^|[^\w@.])@([\w.+-]{2,})$/)?.[1];
  const close = () => { list.hidden = true; items = []; field.removeAttribute("aria-activedescendant"); };
  const mark = (index) => {
    chosen = (index + items.length) % items.length;
    [...list.children].forEach((node, at) => { node.ariaSelected = String(at === chosen); });
    field.setAttribute("aria-activedescendant", list.children[chosen].id);
  };
  const take = (index) => {
    const typed = word();
    if (!typed || !items[index]) return close();
    field.setRangeText(`${items[index].value} `, field.selectionStart - typed.length - 1, field.selectionStart, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    field.focus();
  };

  async function ask() {
    const typed = word();
    const mine = ++asked;
    if (!typed) return close();
    const answer = await fetch(`${field.dataset.mentions}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== asked) return;
    items = (await answer.json()).items;
    if (!items.length) return close();
    list.replaceChildren(...items.map((item, at) => {
      const node = document.createElement("div");
      node.role = "option";
      node.id = `${list.id}-${at}`;
      const name = document.createElement("span");
      name.textContent = item.label;
      const handle = document.createElement("span");
      handle.className = "muted";
      handle.textContent = item.value;
      node.append(name, handle);
      node.addEventListener("mousedown", (event) => { event.preventDefault(); take(at); });
      return node;
    }));
    list.hidden = false;
    mark(0);
  }

  field.addEventListener("input", ask);
  field.addEventListener("blur", () => setTimeout(close, 150));
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark(chosen + 1);
    else if (event.key === "ArrowUp") mark(chosen - 1);
    else if (event.key === "Enter" || event.key === "Tab") take(chosen);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}
