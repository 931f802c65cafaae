// The requester's ticket page: what the desk says and does appears as it happens.
import { toast } from "../pilothouse/js/announce.js";
import { concerns, refreshParts } from "../pilothouse/js/refreshed.js";

const page = document.querySelector("[data-ticket]");
let refreshing = 0;

async function refresh() {
  const fresh = await refreshParts(page);
  const told = fresh?.querySelector("[data-ticket]")?.dataset.told;
  if (!told || told === page.dataset.told) return; // much that the desk does is not for this page
  page.dataset.told = told;
  toast("There is news on this ticket. The page shows it.");
}

function heard({ detail }) {
  if (!concerns(detail, "ticket", page.dataset.ticket)) return;
  clearTimeout(refreshing);
  refreshing = setTimeout(refresh, 100);
}

if (page) document.addEventListener("pilothouse:live", heard);
