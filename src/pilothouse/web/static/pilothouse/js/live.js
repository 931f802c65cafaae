// One EventSource for the page; rooms listen to the `pilothouse:live` event on the document. After a gap the page is told to catch up.
// A browser keeps six connections to a server: a tab that has been out of sight for a while gives its own back and asks, when it is
// looked at again, for what it missed.
const OUT_OF_SIGHT_MS = 30_000;
let broken = false;
let source = null;
let address = "";
let lastId = "";
let leaving = 0;

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
  if (event.lastEventId) lastId = event.lastEventId;
  try { tell(JSON.parse(event.data)); } catch { /* a keep-alive or a message from a newer server */ }
}

function connect() {
  const url = new URL(address, location.href);
  if (lastId) url.searchParams.set("since", lastId);
  source = new EventSource(url);
  source.addEventListener("open", () => { showState(true); if (broken) tell({ kind: "gap" }); broken = false; document.documentElement.dataset.live = "yes"; });
  source.addEventListener("error", () => { broken = true; showState(false); });
  source.addEventListener("message", received);
  source.addEventListener("change", received);
}

function disconnect() {
  source?.close();
  source = null;
}

function seenOrNot() {
  clearTimeout(leaving);
  if (document.hidden) leaving = setTimeout(disconnect, OUT_OF_SIGHT_MS);
  else if (!source) connect();
}

export function startLive() {
  address = document.body.dataset.live || "";
  if (!address || !document.querySelector("[data-listens]")) return;
  connect();
  document.addEventListener("visibilitychange", seenOrNot);
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => { if (event.persisted) seenOrNot(); });
}
