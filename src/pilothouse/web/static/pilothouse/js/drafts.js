// Text that somebody is writing survives a reload: <textarea data-draft="ticket-12-comment"> is kept in this browser until it is sent.
const PREFIX = "pilothouse.draft.";

function nameOf(field) {
  return `${PREFIX}${document.body.dataset.user}.${field.dataset.draft}`;
}

function restore(field) {
  if (field.dataset.draftReady) return;
  field.dataset.draftReady = "yes";
  const kept = localStorage.getItem(nameOf(field));
  if (kept && !field.value) {
    field.value = kept;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function keep(event) {
  const field = event.target;
  if (!field.dataset?.draft) return;
  if (field.value) localStorage.setItem(nameOf(field), field.value); else localStorage.removeItem(nameOf(field));
}

// The server says which drafts arrived (data-draft-done on any element of the answer); only then are they dropped.
function dropSent(root) {
  for (const node of root.querySelectorAll("[data-draft-done]")) localStorage.removeItem(`${PREFIX}${document.body.dataset.user}.${node.dataset.draftDone}`);
}

export function startDrafts(root = document) {
  dropSent(root);
  root.querySelectorAll("[data-draft]").forEach(restore);
}

document.addEventListener("input", keep);
document.addEventListener("htmx:afterSettle", (event) => startDrafts(event.target));
