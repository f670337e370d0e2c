// The console works without this file. It adds: your own clock beside the newsletter's, keys,
// dragging of stories, passkeys, and a message when the server does not answer.
"use strict";

const on = (name, act) => document.addEventListener(name, act);
const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

function start(root) {
  each("[data-here]", showHere, root);
  each("form[data-passkey]", preparePasskey, root);
  each(".stories li[data-brief]", prepareDragging, root);
  each("[data-keys]", prepareSwitch, root);
  each("[data-copy]", prepareCopying, root);
  each("form[data-at-once]", (form) => form.requestSubmit(), root);
}
on("DOMContentLoaded", () => start(document));
on("htmx:after:swap", (event) => start(event.target instanceof Element ? event.target : document));

// --- the hour where you are -------------------------------------------------------------------
function showHere(place) {
  const hour = new Date(place.dataset.here).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  place.textContent = `· ${hour} here`;
}

// --- keys -------------------------------------------------------------------------------------
// A key presses what bears it: <a data-key="1">. "g t" is two keys, one after the other. Keys are
// off in fields and when they are switched off (WCAG 2.1.4). No key approves, sends or erases.
let before = "";
on("keydown", (event) => {
  const field = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) return move(event);
  if (field || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys") === "off") return;
  const keys = before ? `${before} ${event.key}` : event.key;
  before = event.key === "g" && !before ? "g" : "";
  if (keys === "j" || keys === "k") return step(event, keys === "j" ? 1 : -1);
  const target = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
});

function prepareSwitch(box) {
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.checked = localStorage.getItem("keys") !== "off";
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
}

function step(event, by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const now = rows.indexOf(document.activeElement.closest("[data-row]"));
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  if (!next) return;
  event.preventDefault();
  (next.querySelector("a, button") ?? next).focus();
}

function move(event) {
  const story = event.target.closest?.("[data-brief]");
  if (!story) return;
  event.preventDefault();
  story.querySelector(`button[value="${event.key === "ArrowUp" ? "up" : "down"}"]:not([disabled])`)?.click();
}

// --- dragging, besides the buttons ------------------------------------------------------------
function prepareDragging(story) {
  const form = story.querySelector("form.move");
  if (!form) return;
  story.draggable = true;
  story.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", story.dataset.brief);
    story.classList.add("dragged");
  });
  story.addEventListener("dragend", () => story.classList.remove("dragged"));
  story.addEventListener("dragover", (event) => event.preventDefault());
  story.addEventListener("drop", (event) => {
    event.preventDefault();
    const dragged = document.querySelector(`[data-brief="${CSS.escape(event.dataTransfer.getData("text/plain"))}"]`);
    const moving = dragged?.querySelector("form.move");
    if (!moving || dragged === story) return;
    const before = document.createElement("input");
    Object.assign(before, { type: "hidden", name: "before", value: story.dataset.brief });
    moving.append(before);
    moving.requestSubmit();
  });
}

// --- passkeys (Web Authentication, Level 3: the JSON forms) -------------------------------------
function preparePasskey(form) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  form.hidden = false;
  each("[data-without-passkeys]", (hint) => { hint.hidden = true; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=alert]");
    try {
      const answer = await fetch(form.dataset.passkey, { method: "POST", headers: { Accept: "application/json" } });
      if (answer.redirected) return location.assign(answer.url);
      const { ticket, options } = await answer.json();
      const making = form.dataset.making !== undefined;
      const credential = making
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.ticket.value = ticket;
      form.elements.answer.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      if (said) said.textContent = form.dataset.failed;
    }
  });
}

// --- copying ----------------------------------------------------------------------------------
function prepareCopying(button) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.innerText);
    button.textContent = button.dataset.done;
  });
}

// --- no answer ---------------------------------------------------------------------------------
// A part of the page that asks again by itself says when it gets no answer, and goes on asking.
on("htmx:error", (event) => {
  const part = event.target.closest?.("[data-lost]");
  const said = part && document.getElementById("lost");
  if (said) said.textContent = part.dataset.lost;
});
on("htmx:after:request", () => {
  const said = document.getElementById("lost");
  if (said && navigator.onLine) said.textContent = "";
});
