"use strict";
// The page works without this file; it makes it quicker to use.

const form = document.querySelector("form[action='/'][role=search]");
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

// What is said of an answer is sent without leaving the page, and can be taken back.
const judging = document.getElementById("judging");
const judgingForms = judging ? [...judging.querySelectorAll("form.judge")] : [];
if (judgingForms.length) {
  const [status, undo] = [judging.querySelector("[role=status]"), judging.querySelector(".undo")];
  const better = judging.querySelector("details");
  const these = document.getElementById("these");
  const kept = { right: "Kept as right.", wrong: "Kept as wrong.", better: "Kept, thank you:" };
  const post = async (path, fields) => {
    const response = await fetch(path, { method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    return { answer, isNew: response.status === 201 };
  };
  let isJudged = false;
  const show = (text, isKept, canUndo = isKept) => {
    isJudged = isKept;
    status.textContent = text;
    for (const part of [judgingForms[0], better]) if (part) part.hidden = isKept;
    undo.hidden = !canUndo; // what was said before may be another person's
  };
  const judge = async fields => {
    try {
      const { answer: said, isNew } = await post("/judgements", fields);
      undo.dataset.id = said.id;
      const text = said.verdict === "better" ? `${kept.better} “${said.text}”.` : kept[said.verdict];
      show(isNew ? text : `${text} It was said before.`, true, isNew);
      (isNew ? undo : status).focus();
    } catch (error) {
      show(error.message, false);
    }
  };
  for (const part of judgingForms) {
    part.addEventListener("submit", event => {
      event.preventDefault();
      judge(new FormData(part, event.submitter));
    });
  }
  undo.addEventListener("click", async () => {
    try {
      await post("/judgements/remove", { id: undo.dataset.id, next: judging.dataset.next });
      show("Taken back.", false);
      judgingForms[0].querySelector("button").focus();
    } catch (error) {
      show(error.message, true);
    }
  });
  let selected = null;
  const look = () => {
    const selection = getSelection();
    const words = selection.toString().trim();
    const holder = node => (node instanceof Element ? node : node?.parentElement)?.closest(".form")?.closest("[data-passage]");
    const passage = holder(selection.anchorNode);
    selected = words && passage && passage === holder(selection.focusNode) && !isJudged ? { words, passage: passage.dataset.passage } : null;
    these.hidden = !selected;
    if (!selected) return;
    const { bottom, left } = selection.getRangeAt(0).getBoundingClientRect();
    these.style.top = `${bottom + scrollY + 6}px`;
    these.style.left = `${Math.max(8, Math.min(left + scrollX, document.documentElement.clientWidth - these.offsetWidth - 8))}px`;
  };
  if (these) {
    document.addEventListener("selectionchange", look);
    these.addEventListener("pointerdown", event => event.preventDefault()); // the selection stays
    these.addEventListener("click", () => {
      const fields = new FormData(judgingForms[1]);
      for (const [name, value] of Object.entries({ ...selected, verdict: "better" })) fields.set(name, value);
      getSelection().removeAllRanges();
      judge(fields);
    });
  }
}

// Files are sent by a request that says how much of them is on its way.
const upload = document.getElementById("upload");
if (upload) {
  const sending = document.getElementById("sending");
  const button = upload.querySelector("button");
  const say = (text, isBusy) => {
    sending.textContent = text;
    button.disabled = isBusy;
  };
  upload.addEventListener("submit", event => {
    event.preventDefault();
    const { files } = upload.elements.files;
    const bytes = [...files].reduce((sum, file) => sum + file.size, 0);
    if (bytes > upload.dataset.bytes || files.length > upload.dataset.files) {
      say("That is too much at once; choose fewer files.", false);
      return;
    }
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => say(`Sending: ${Math.round((100 * loaded) / total)} %`, true));
    request.addEventListener("error", () => say("The service does not answer; try again.", false));
    request.addEventListener("load", () => {
      if (request.status < 400) location.assign(new URL(request.responseURL).search + "#change");
      else say(JSON.parse(request.responseText).detail, false);
    });
    request.open("POST", upload.getAttribute("action"));
    request.send(new FormData(upload));
    say("Sending…", true);
  });
}

// A change that goes on: what the server says of it is shown, and when it is over, what came of it.
const change = document.querySelector("[data-events]");
if (change) {
  const [heading, bar] = [change.querySelector("h2"), change.querySelector("progress")];
  const show = (text, done, total) => {
    if (heading.textContent !== text) heading.textContent = text;
    if (total) [bar.max, bar.value] = [total, done];
    else bar.removeAttribute("value");
  };
  const headings = JSON.parse(change.dataset.headings);
  const events = new EventSource(change.dataset.events);
  events.addEventListener("error", () => { // closed: the service does not know it any more, or a proxy has no service
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3_000);
    else show("The service does not answer; waiting for it", 0, 0);
  });
  events.addEventListener("message", ({ data }) => {
    const job = JSON.parse(data);
    if (job.state === "done" || job.state === "failed") {
      events.close();
      location.reload();
    } else if (job.state === "running" && job.files_read < job.files) show("Reading files", job.files_read, job.files);
    else if (job.state === "running" && headings[job.stage]) show(headings[job.stage], job.stage_done, job.stage_total);
    else if (job.state === "running" && ["put", "remove"].includes(job.kind)) show("Preparing passages for search", job.passages_encoded, job.passages_to_encode);
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

const keys = { j: () => step(1), k: () => step(-1), c: () => copy && copy.click(), "/": () => (box || document.querySelector("[type=search]"))?.select() };
addEventListener("keydown", event => {
  const typing = event.target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (!link && !(event.key in keys)) return;
  event.preventDefault();
  if (link) link.click();
  else keys[event.key]();
});
