"use strict";
// The page works without this file; it makes it quicker to use.

const form = document.querySelector("form[role=search]");
const box = document.getElementById("q");

function ask() {
  if (box.value.trim()) form.requestSubmit();
}

function grow() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

function isDefault(field) { // such values are left out of the address
  if (!("default" in field.dataset)) return false;
  return field.type === "radio" ? field.checked : field.dataset.default === field.value;
}

if (form) {
  const button = form.querySelector(".box button");
  const busy = document.getElementById("busy");
  form.addEventListener("submit", () => {
    form.setAttribute("aria-busy", "true");
    button.textContent = "Reading…";
    busy.textContent = "Finding passages and reading them…";
    for (const field of form.elements) if (isDefault(field)) field.disabled = true;
  });
  box.addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  box.addEventListener("input", grow);
  addEventListener("resize", grow);
  for (const choice of form.querySelectorAll("[name=retriever], [name=k], [name=scores]")) choice.addEventListener("change", ask);
  addEventListener("pageshow", () => { // also when the browser goes back to this page
    form.removeAttribute("aria-busy");
    button.textContent = "Ask";
    busy.textContent = "";
    for (const field of form.elements) field.disabled = false;
    grow();
  });
}

// The questions asked in this browser stay in it, for each collection.
const KEPT_QUESTIONS = 8;
const pastSection = document.getElementById("history");
const results = document.querySelector("#results[data-asked]");
const place = pastSection || results;
const historyKey = place && `opendpr questions of ${place.dataset.collection}`;

function asked() {
  try {
    const kept = JSON.parse(localStorage.getItem(historyKey));
    return Array.isArray(kept) ? kept.filter(search => typeof search === "string" && search.startsWith("?")) : [];
  } catch {
    return [];
  }
}

function remember(searches) {
  try {
    localStorage.setItem(historyKey, JSON.stringify(searches));
  } catch { /* the browser keeps nothing */ }
}

if (results) remember([location.search, ...asked().filter(search => search !== location.search)].slice(0, KEPT_QUESTIONS));
if (pastSection && asked().length) {
  for (const search of asked()) {
    const link = document.createElement("a");
    link.href = `/${search}`;
    link.textContent = new URLSearchParams(search).get("q");
    link.dir = "auto";
    const item = document.createElement("li");
    item.append(link);
    pastSection.querySelector("ul").append(item);
  }
  pastSection.hidden = false;
  pastSection.querySelector("button").addEventListener("click", () => {
    localStorage.removeItem(historyKey);
    pastSection.hidden = true;
    box.focus();
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
  const shown = [...document.querySelectorAll("#results article")].filter(article => article.offsetParent !== null);
  if (!shown.length) return;
  const current = shown.findIndex(article => article.contains(document.activeElement));
  const next = shown[Math.min(shown.length - 1, Math.max(0, current + by))];
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

const keys = { j: () => step(1), k: () => step(-1), c: () => copy && copy.click(), "/": () => box && box.select() };
addEventListener("keydown", event => {
  const typing = event.target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
