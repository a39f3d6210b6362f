// Live updates, filters that apply as they change, and the keyboard. Every page works without it.
"use strict";
(() => {
  const words = document.currentScript.dataset;
  document.documentElement.classList.add("scripted");
  const isSession = () => document.body && document.body.dataset.session === "yes";
  if (!isSession()) {
    return;
  }

  // Keeps an open page up to date: when the server says that something changed, the page's content is asked for again, unless
  // somebody is writing in it; then a line says that there is something new.
  const line = document.getElementById("live");
  let dirty = false;
  let wait = 1000;
  document.addEventListener("input", (event) => { dirty = dirty || Boolean(event.target.closest("main form:not(.filters)")); });
  const busy = () => dirty || (document.activeElement && document.activeElement.closest("main form"));

  // Parts of a page that hold no form are put in place also while somebody is writing beside them.
  function replace(old, fresh) {
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceChildren(...fresh.childNodes);
    const now = [...old.querySelectorAll("details")];
    if (now.length === open.length) now.forEach((one, place) => { one.open = open[place]; });
  }
  const parts = () => [...document.querySelectorAll("main [data-part]")];

  // What has the focus is found again in what is put in its place: the same link, button or heading, the same one of several.
  const FOCUS = "a[href], button, summary, input, select, textarea, [tabindex]";
  const likeness = (one) => [one.tagName, one.id, one.getAttribute("href") || one.name || one.textContent].join(" ");
  function keepFocus(put) {
    const focused = document.activeElement;
    const alike = () => [...document.querySelectorAll("main :is(" + FOCUS + ")")].filter((one) => likeness(one) === likeness(focused));
    const at = focused && focused.closest("main *") ? alike().indexOf(focused) : -1;
    put();
    const found = at >= 0 && document.activeElement !== focused ? alike()[at] : undefined;
    if (found) found.focus({ preventScroll: true });
  }

  async function refresh() {
    if (document.hidden || (busy() && parts().length === 0)) {
      line.textContent = words.live;
      return;
    }
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { "x-refresh": "1" } });
    if (!answer.ok || answer.redirected) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh && !busy()) {
      const at = items().indexOf(here());
      const isItem = here() && document.activeElement === here();
      keepFocus(() => replace(document.querySelector("main"), fresh));
      line.textContent = "";
      if (at >= 0 && isItem) go(at);
      else if (at >= 0 && items()[at]) items()[at].classList.add("here");
    } else if (fresh) {
      keepFocus(() => parts().forEach((part) => { const now = fresh.querySelector("#" + CSS.escape(part.id)); if (now) replace(part, now); }));
    }
  }

  // At most one each second, the last one always; a page that counts seconds asks by itself.
  let last = 0;
  let waits = 0;
  function soon() {
    if (waits) return;
    waits = setTimeout(() => { waits = 0; last = Date.now(); refresh().catch(() => {}); }, Math.max(0, last + 1000 - Date.now()));
  }
  setInterval(() => {
    const counting = document.querySelector("main [data-every]");
    if (counting && !document.hidden && Date.now() - last >= Number(counting.dataset.every) * 1000) soon();
  }, 1000);

  function connect() {
    const socket = new WebSocket("wss://" + location.host + "/console/live");
    socket.onopen = () => { wait = 1000; if (line.textContent === words.lost) { line.textContent = ""; refresh(); } };
    socket.onmessage = soon;
    socket.onclose = () => {
      line.textContent = words.lost;
      setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, 60000);
    };
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && line.textContent === words.live) {
      refresh().catch(() => {});
    }
  });
  connect();

  // Filters apply as they change; a text when it is done. Whoever chooses by the keyboard stays there.
  let isByKeys = false;
  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, () => { isByKeys = kind === "keydown"; }, true);
  }
  const filter = sessionStorage.getItem("filter");
  sessionStorage.removeItem("filter");
  const field = filter && document.querySelector("main form.filters [name=" + CSS.escape(filter) + "]");
  if (field) field.focus({ preventScroll: true });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form.filters");
    if (form && !event.target.closest("[data-tick]")) {
      if (isByKeys && event.target.matches("select, [type=checkbox]")) sessionStorage.setItem("filter", event.target.name);
      form.requestSubmit();
    }
    const all = event.target.closest("[data-tick-all]");
    if (all) document.querySelectorAll("main [data-tick]").forEach((box) => { box.checked = all.checked; });
    if (event.target.closest("[data-tick], [data-tick-all]")) count();
  });
  function count() {
    const ticked = document.querySelectorAll("main [data-tick]:checked").length;
    document.querySelectorAll("[data-ticked]").forEach((place) => { place.textContent = ticked; });
  }
  // A button that says what it will do, once something is chosen.
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form");
    const button = form && form.querySelector("[data-do]");
    if (!button || !button.dataset.says) return;
    const typed = form.querySelector("[name=other]");
    const chosen = form.querySelector("label.choice:has(input[type=radio]:checked) strong");
    const value = typed && typed.value.trim() ? typed.value.trim() : chosen && chosen.textContent;
    button.dataset.plain ??= button.textContent;
    button.textContent = value ? button.dataset.says.replace("{}", value) : button.dataset.plain;
  });
  // Fields that nobody filled make no part of an address.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get") form.querySelectorAll("input, select").forEach((field) => { if (field.name && !field.value) field.disabled = true; });
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form [disabled]").forEach((field) => { field.disabled = false; }); });

  // Files can be dropped on their form, which then sends them.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest && event.target.closest("form[data-drop]");
      if (!form || !event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || event.dataTransfer.files.length === 0) return;
      form.querySelector("input[type=file]").files = event.dataTransfer.files;
      form.requestSubmit();
    });
  }

  // A message goes by itself once there was time to read it and to take it back; not while somebody points at it, has the focus in
  // it, or is on another page. Each line of what was left gives more time.
  const TOAST_MS = 15000;
  const LINE_MS = 5000;
  for (const toast of document.querySelectorAll(".toast")) {
    let going = 0;
    const isHeld = () => document.hidden || toast.matches(":hover, :focus-within");
    const wait = () => {
      clearTimeout(going);
      going = setTimeout(() => { if (!isHeld()) toast.remove(); }, TOAST_MS + LINE_MS * toast.querySelectorAll("li").length);
    };
    toast.addEventListener("pointerleave", wait);
    toast.addEventListener("focusout", wait);
    document.addEventListener("visibilitychange", wait);
    wait();
  }

  // Menus close by a click beside them and by Escape.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.drop[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // Charts tell a column's figures when it is touched, or reached by the keyboard.
  for (const kind of ["mouseover", "focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      const column = event.target.closest && event.target.closest(".chart [data-said]");
      const output = column && column.closest(".chart").querySelector("output");
      if (output) output.textContent = column.dataset.said;
    });
  }

  // The keyboard: one thing of the list is the one that keys are about.
  const items = () => [...document.querySelectorAll("main [data-item]")].filter((item) => item.getClientRects().length > 0);
  const here = () => document.querySelector("main .here");
  function go(to) {
    const all = items();
    if (all.length === 0) return;
    const place = Math.max(0, Math.min(all.length - 1, to));
    all.forEach((item) => item.classList.remove("here"));
    all[place].classList.add("here");
    if (!all[place].hasAttribute("tabindex")) all[place].tabIndex = -1;
    all[place].focus({ preventScroll: true });
    all[place].scrollIntoView({ block: "nearest" });
  }
  function act(key) {
    const item = here();
    const first = (selector) => item && item.querySelector(selector);
    switch (key) {
      case "/": document.querySelector(".bar > [data-find], .bar > .find [data-find]").focus(); return true;
      case "?": document.getElementById("keys").showModal(); return true;
      case "j": go(items().indexOf(item) + 1); return true;
      case "k": go(items().indexOf(item) - 1); return true;
      case "Enter": { const link = first("a[href]"); if (link && document.activeElement === item) { link.click(); return true; } return false; }
      case "s": { const button = first("[data-do]"); if (button) { button.click(); return true; } return false; }
      case "x": { const box = first("[data-tick]"); if (box) { box.click(); return true; } return false; }
      case "u": { const button = first("[data-undo]") || document.querySelector(".toast [data-undo], main [data-undo]:not([data-item] *)"); if (button) { button.click(); return true; } return false; }
      default: {
        const choice = /^[1-9]$/.test(key) && item && item.querySelectorAll("input[type=radio]")[Number(key) - 1];
        if (!choice) return false;
        choice.checked = true;
        choice.dispatchEvent(new Event("input", { bubbles: true }));
        return true;
      }
    }
  }
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); act("/"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      document.querySelectorAll("details.drop[open]").forEach((menu) => { menu.open = false; });
      document.querySelectorAll(".toast").forEach((toast) => toast.remove());
      if (event.target.closest("input, textarea, select")) event.target.blur();
      return;
    }
    if (event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, dialog")) return;
    if (act(event.key)) event.preventDefault();
  });
  // A page that begins at a list has its first thing in hand.
  if (location.hash) {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const first = target && (target.matches("[data-item]") ? target : target.querySelector("[data-item]"));
    if (first) go(items().indexOf(first));
  }
})();
