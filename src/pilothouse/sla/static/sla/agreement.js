// The form of an agreement: completion in its query, and the keyboard goes where a row was added.
import "../tickets/querybar.js";

const added = document.querySelector(".agreement")?.dataset.added;
const row = added && document.getElementById(added);
if (row) {
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("input:not([type=hidden], [type=checkbox]), select")?.focus();
}
