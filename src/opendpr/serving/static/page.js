"use strict";
// The page works without this file; it makes it quicker to use.

const form = document.querySelector("form[role=search]");
const box = document.getElementById("q");

function ask() {
  if (box.value.trim()) form.requestSubmit();
}

if (form) {
  const button = form.querySelector(".box button");
  form.addEventListener("submit", () => {
    form.setAttribute("aria-busy", "true");
    button.textContent = "Reading…";
    for (const field of form.elements) if (field.name === "where" && !field.value) field.disabled = true;
  });
  for (const choice of form.querySelectorAll("[name=retriever], [name=k]")) choice.addEventListener("change", ask);
  addEventListener("pageshow", () => { // also when the browser goes back to this page
    form.removeAttribute("aria-busy");
    button.textContent = "Ask";
    for (const field of form.elements) field.disabled = false;
  });
}

const copy = document.querySelector("[data-copy]");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy quotation"; }, 1500);
  });
}

function step(by) {
  const shown = [...document.querySelectorAll("#results article")].filter(one => one.offsetParent !== null);
  if (!shown.length) return;
  const place = shown.findIndex(one => one.contains(document.activeElement));
  const next = shown[Math.min(shown.length - 1, Math.max(0, place + by))];
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

const keys = { j: () => step(1), k: () => step(-1), c: () => copy && copy.click(), "/": () => box && box.select() };
addEventListener("keydown", event => {
  const typing = event.target.matches("input:not([type=radio]), select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
