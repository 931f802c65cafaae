// Say something to everyone: a screen reader hears it, and a toast shows it when asked to.
let clearing = 0;
let toastTimer = 0;

export function announce(text) {
  const region = document.getElementById("announce");
  if (!region) return;
  region.textContent = "";
  clearTimeout(clearing);
  clearing = setTimeout(() => { region.textContent = text; }, 60);
}

/** Show a line at the foot of the page; `action` adds a button: {label, run}. It stays while it has focus. */
export function toast(text, action) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "region"); // a place that can be found: it stands outside the page's main part
  box.setAttribute("aria-label", "Message");
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  if (action) {
    const button = document.createElement("button");
    button.className = "button";
    button.type = "button";
    button.textContent = action.label;
    button.addEventListener("click", () => { box.remove(); action.run(); });
    box.append(button);
  }
  document.body.append(box);
  announce(text);
  clearTimeout(toastTimer);
  const leave = () => { if (box.contains(document.activeElement) || box.matches(":hover")) toastTimer = setTimeout(leave, 2000); else box.remove(); };
  toastTimer = setTimeout(leave, 8000);
}
