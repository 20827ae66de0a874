"use strict";
// The forms of the API's page: what they send, and what comes back. Without this file the page shows commands to copy.

const LONGEST_SHOWN = 100_000; // characters of an answer
const token = document.getElementById("token");

function addressOf(form) {
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const field of form.querySelectorAll("[data-in]")) {
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, () => encodeURIComponent(field.value));
    else if (field.value !== "") query.set(field.name, field.value);
  }
  const search = query.toString();
  return search ? `${path}?${search}` : path;
}

function requestOf(form) {
  const headers = {};
  if (token && token.value) headers.Authorization = `Bearer ${token.value}`;
  const { body, files } = form.elements;
  if (body) headers["Content-Type"] = "application/json";
  const content = files ? new FormData(form) : body && body.value;
  return { method: form.dataset.method, headers, body: content };
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // metrics and events are no JSON
  }
}

function fill(kind, id) {
  if (id) for (const field of document.querySelectorAll(`[data-filled=${kind}]`)) field.value = id;
}

function remember(text) { // the id of a change is what the forms of jobs ask for, that of an improvement what its own do
  if (!text.startsWith("{")) return;
  const { id, kind, state, improvement, latest } = JSON.parse(text);
  if (kind && state) fill("job", id);
  fill("improvement", improvement || latest?.id);
}

async function send(form) {
  const [button, status, shown] = ["button", "[role=status]", "pre"].map(selector => form.querySelector(selector));
  button.disabled = true;
  shown.hidden = true;
  status.textContent = "Sending…";
  try {
    const response = await fetch(addressOf(form), requestOf(form));
    const text = await response.text();
    if (response.ok) remember(text);
    const whole = readable(text);
    const rest = whole.length - LONGEST_SHOWN;
    shown.textContent = rest > 0 ? `${whole.slice(0, LONGEST_SHOWN)}\n… and ${rest} characters` : whole;
    shown.hidden = !whole;
    status.textContent = `${response.status} ${response.statusText}`.trim();
  } catch {
    status.textContent = "The service does not answer; try again.";
  }
  button.disabled = false;
}

for (const part of document.querySelectorAll(".try")) part.hidden = false;
for (const form of document.querySelectorAll(".try form")) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    send(form);
  });
}
