// Keeps an open page up to date: when the server says that something changed, the page's content is
// asked for again, unless somebody is writing in it; then a line says that there is something new.
"use strict";
(() => {
  const words = document.currentScript.dataset;
  if (!document.body || document.body.dataset.session !== "yes") {
    return;
  }
  const line = document.getElementById("live");
  let dirty = false;
  let wait = 1000;
  document.addEventListener("input", () => { dirty = true; });

  const busy = () => dirty || (document.activeElement && document.activeElement.closest("main form"));

  async function refresh() {
    if (busy() || document.hidden) {
      line.textContent = words.live;
      return;
    }
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh && !busy()) {
      document.querySelector("main").replaceChildren(...fresh.childNodes);
      line.textContent = "";
    }
  }

  function connect() {
    const socket = new WebSocket("wss://" + location.host + "/console/live");
    socket.onopen = () => { wait = 1000; if (line.textContent === words.lost) { line.textContent = ""; refresh(); } };
    socket.onmessage = () => { refresh().catch(() => {}); };
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
})();
