// Serves `web/app` over a stand-in for core and server, for one test: with the app's own policy, and with what the
// tests need to do to it: another version, a cut line, a portal, a fault in front of the worker.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const app = join(here, "../../../web/app");
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json" };

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
}

/// The app's files by path; the page is a bare one that puts `core` where tests reach it.
function appFiles() {
  const files = new Map(filesUnder(app).map((path) => [relative(app, path), readFileSync(path)]));
  files.set("wasm/granary_web.js", readFileSync(join(here, "granary_web.js")));
  // The stand-in reads no WebAssembly, but it is loaded as the real one.
  files.set("wasm/granary_web_bg.wasm", Buffer.from("a stand-in"));
  // Its second part: a module that calls `first.came` when it is loaded.
  files.set("wasm/granary_web_more.wasm", Buffer.from("0061736d01000000010401600000020e01056669727374" + "0463616d650000" + "080100", "hex"));
  files.set("app.css", Buffer.from(""));
  files.set("app.js", Buffer.from(`import { core } from "./core.js";
    window.core = core; window.events = [];
    for (const name of ["status", "changed", "trap", "update", "storage", "locked", "profile"]) core.on(name, (value) => window.events.push([name, value]));
    window.started = core.start({ patience: Number(new URLSearchParams(location.search).get("patience") ?? 600) }).then(() => { document.getElementById("app").textContent = "ready"; });`));
  return files;
}

export async function serve() {
  const files = appFiles();
  const state = {
    /// Files that differ from the kept ones, by path.
    changed: new Map(),
    /// Files that are served otherwise than sw.js says.
    stale: new Map(),
    /// The version that sw.js has, with all files in it; null serves it as it stands in the tree.
    version: null,
    /// Put in front of worker.js, of every worker or of the next ones in turn.
    beforeWorker: "",
    beforeNextWorkers: [],
    /// Paths that don't come.
    missing: new Set(),
    /// "ok", "cut" (no answer), "down" (every connection is cut), "portal", "redirect", "trap", "hang", or a status.
    line: "ok",
    /// How the household is called, which a phone learns by a sync.
    named: "",
    requests: [],
    sockets: new Set(),
    taken: new Map(),
  };
  const contentOf = (path) => state.changed.get(path) ?? files.get(path);

  function serviceWorker() {
    let source = contentOf("sw.js").toString();
    if (state.version === null) return source;
    const list = {};
    const later = {};
    for (const path of [...files.keys()].sort()) {
      const hash = createHash("sha256").update(contentOf(path)).digest("base64");
      if (path !== "sw.js") (path.startsWith("lib/noble") ? later : list)[path] = hash;
    }
    for (const [mark, value] of Object.entries({ FILES: list, LATER: later, VERSION: state.version })) {
      source = source.replace(new RegExp(`/\\*${mark}\\*/.*/\\*${mark}\\*/`), JSON.stringify(value));
    }
    return source;
  }

  function answerApp(path, response) {
    let content = state.stale.get(path) ?? contentOf(path);
    if (path === "sw.js") content = serviceWorker();
    const planted = path === "worker.js" ? (state.beforeNextWorkers.shift() ?? state.beforeWorker) : "";
    if (planted) content = `${planted}\n${content}`;
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-security-policy": POLICY, "cache-control": "no-cache" });
    response.end(content);
  }

  function answerPhone(path, body, response) {
    // Some of the server's own answers are plain text.
    const type = state.line === "plain" ? "text/plain; charset=utf-8" : "application/octet-stream";
    const reply = (status, answer) => response.writeHead(status, { "content-type": type }).end(answer);
    switch (state.line) {
      case "cut": return response.destroy();
      case "portal": return response.writeHead(200, { "content-type": "text/html" }).end("<html>sign in</html>");
      case "redirect": return response.writeHead(302, { location: "/portal" }).end();
      case "trap": case "hang": return reply(200, state.line);
      case "ok": case "plain": break;
      default: return reply(Number(state.line), "refused");
    }
    const asked = JSON.parse(body);
    if (path === "/look") return reply(200, JSON.stringify({ cooperative: "Qinghe" }));
    for (const id of asked.lots) state.taken.set(id, (state.taken.get(id) ?? 0) + 1);
    return reply(200, JSON.stringify({ taken: asked.lots, named: asked.kind === "sync" ? state.named : "" }));
  }

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (state.line === "down") return response.destroy();
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    state.requests.push({ method: request.method, path: pathname, body });
    if (request.method === "POST") return answerPhone(pathname, body, response);
    if (state.missing.has(pathname.slice(5))) return response.destroy();
    if (!pathname.startsWith("/app/")) return response.writeHead(404).end();
    answerApp(pathname.slice(5) || "index.html", response);
  });
  server.on("upgrade", (request, socket) => {
    if (state.line === "down") return socket.destroy();
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    state.sockets.add(socket);
    socket.on("close", () => state.sockets.delete(socket));
    socket.on("error", () => undefined);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://localhost:${server.address().port}`;
  return Object.assign(state, {
    origin, url: `${origin}/app/`,
    original: (path) => files.get(path),
    /// Says that there is something new, as the live socket does: one frame of one byte.
    nudge() {
      for (const socket of state.sockets) socket.write(Buffer.from([0x82, 1, 0x6e]));
    },
    stop() {
      for (const socket of state.sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  });
}
