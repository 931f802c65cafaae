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

/** Fetch this page again, put the parts within `root` that differ in place of the old ones, and return the fetched document, or null. */
export async function refreshParts(root) {
  const answer = await fetch(location.href.split("#")[0]);
  if (!answer.ok || answer.redirected) return null;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of root.querySelectorAll("[data-refreshed]")) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.innerHTML || busy(part)) continue;
    const again = placeOf(part.contains(document.activeElement) ? document.activeElement : null);
    part.replaceWith(document.importNode(other, true));
    if (again) document.getElementById(other.id)?.querySelector(again)?.focus({ preventScroll: true });
  }
  return fresh;
}

/** Say whether an event of the live stream is about this record, or about anything. */
export function concerns(detail, kind, record) {
  return detail.kind === "gap" || detail.bulk || (detail.kind === kind && String(detail.record) === record);
}
