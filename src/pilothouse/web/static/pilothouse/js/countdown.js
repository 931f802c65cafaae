// Clocks count on while a page is open: what is left until data-due, as the server wrote it first (sla/in_the_queue.py).
const PACE_MS = 20_000;

function short(seconds) {
  if (seconds >= 2 * 86400) return `${Math.floor(seconds / 86400)}d`;
  if (seconds >= 3 * 3600) return `${Math.floor(seconds / 3600)}h`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return `${Math.floor(seconds / 3600)}h${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}`;
}

function tick() {
  if (document.hidden) return;
  for (const clock of document.querySelectorAll("[data-due]")) {
    const left = Math.trunc((Date.parse(clock.dataset.due) - Date.now()) / 1000);
    const text = (left < 0 ? "-" : "") + short(Math.abs(left));
    const figure = clock.querySelector("b");
    if (figure && figure.textContent !== text) figure.textContent = text;
    if (left < 0) { clock.classList.remove("warn"); clock.classList.add("danger"); }
  }
}

setInterval(tick, PACE_MS);
document.addEventListener("visibilitychange", tick);
