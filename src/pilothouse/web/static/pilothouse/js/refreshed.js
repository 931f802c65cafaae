// Parts of a page that keep up with the server: each has an id and data-refreshed. A part in which somebody is at work stays as it is.
function typed(field) {
  return field.files ? field.files.length > 0 : field.value !== field.defaultValue;
}

function busy(part) {
  const writing = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  return writing || part.querySelector("details[open] form") || [...part.querySelectorAll("textarea, input[type=file]")].some(typed);
}

function placeOf(focus) {
  if (focus?.id) return `#${CSS.escape(focus.id)}`;
  return focus?.getAttribute("href") ? `[href="${CSS.escape(focus.getAttribute("href"))}"]` : "";
}

function putBack(part, other) {
  const again = placeOf(part.contains(document.activeElement) ? document.activeElement : null);
  part.replaceWith(other);
  if (again) other.querySelector(again)?.focus({ preventScroll: true });
}

/** Fetch a page and return its document, or null when it is not to be had as it was. */
export async function fetchPage(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

/** Put the parts of a fetched page that differ in place of those within `root`; a page may know of its own when somebody `isBusy` in a
    part, and `replace` a part in its own way. */
export function putParts(root, fresh, { isBusy = busy, replace = putBack } = {}) {
  for (const part of root.querySelectorAll("[data-refreshed]")) {
    const other = fresh.getElementById(part.id);
    if (other && other.innerHTML !== part.innerHTML && !isBusy(part)) replace(part, document.importNode(other, true));
  }
}

/** Fetch this page again, put the parts within `root` that differ in place of the old ones, and return the fetched document, or null. */
export async function refreshParts(root) {
  const fresh = await fetchPage(location.href.split("#")[0]);
  if (fresh) putParts(root, fresh);
  return fresh;
}

/** Say whether an event of the live stream is about this record, or about anything. */
export function concerns(detail, kind, record) {
  return detail.kind === "gap" || detail.bulk || (detail.kind === kind && String(detail.record) === record);
}
