// One EventSource for the page; rooms listen to the `pilothouse:live` event on the document. After a gap the page is told to catch up.
let broken = false;

function tell(detail) {
  document.dispatchEvent(new CustomEvent("pilothouse:live", { detail }));
}

function showState(on) {
  for (const node of document.querySelectorAll("[data-live-state]")) {
    node.textContent = on ? "live" : "reconnecting";
    node.previousElementSibling?.classList.toggle("live", on);
  }
}

function received(event) {
  try { tell(JSON.parse(event.data)); } catch { /* a keep-alive or a message from a newer server */ }
}

export function startLive() {
  const address = document.body.dataset.live;
  if (!address || !document.querySelector("[data-listens]")) return;
  const source = new EventSource(address);
  source.addEventListener("open", () => { showState(true); if (broken) tell({ kind: "gap" }); broken = false; document.documentElement.dataset.live = "yes"; });
  source.addEventListener("error", () => { broken = true; showState(false); });
  source.addEventListener("message", received);
  source.addEventListener("change", received);
  window.addEventListener("pagehide", () => source.close());
}
