// The service worker: everything the app needs is cached before the app uses it, so that from the second start on it
// works without a line. Only GETs of the app's own files are answered here; nothing that is sent to the server passes
// through (on some phones a service worker empties what is posted).

// `web/build` puts the files here with the SHA-256 of each, in base64: those needed before the first use, and those
// that are loaded and then kept when they are first needed. Without a build both are empty, and all comes from the line.
const FILES = /*FILES*/ {} /*FILES*/;
const LATER = /*LATER*/ {} /*LATER*/;
const VERSION = /*VERSION*/ "dev" /*VERSION*/;

const HOME = "index.html";
const CACHE = `granary-${VERSION}`;
/// Where a cache keeps which files it holds.
const LIST = "sw-files.json";
/// Files that are fetched at once: most are small, and each costs a slow line's delay.
const AT_ONCE = 6;
const scope = new URL("./", self.location);
const addressOf = (path) => new URL(path === HOME ? "./" : path, scope);

/// The path of a request within the app; null for everything else.
function pathOf(request) {
  const url = new URL(request.url);
  if (url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return null;
  return url.pathname.slice(scope.pathname.length) || HOME;
}

/// Fetches a file of exactly this version: a server that is being updated gives none that doesn't fit the others.
async function fetchFile(path, hash, how = "no-cache") {
  const integrity = `sha256-${hash}`;
  try {
    const answer = await fetch(addressOf(path), { cache: how, integrity, credentials: "omit", redirect: "error" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer;
  } catch (error) {
    if (how === "reload") throw error;
    return fetchFile(path, hash, "reload");
  }
}

/// The caches of this and older versions, each with the files that it holds.
async function kept() {
  const names = (await caches.keys()).filter((name) => name.startsWith("granary-"));
  return Promise.all(names.map(async (name) => {
    const cache = await caches.open(name);
    const list = await cache.match(new URL(LIST, scope));
    return { name, cache, files: list ? await list.json() : {} };
  }));
}

async function install() {
  const cache = await caches.open(CACHE);
  const others = await kept();
  const own = others.find(({ name }) => name === CACHE)?.files ?? {};
  const keep = async (path, answer, hash) => {
    await cache.put(addressOf(path), answer);
    own[path] = hash;
    await cache.put(new URL(LIST, scope), new Response(JSON.stringify(own)));
  };
  const find = async (path, hash) => {
    const other = others.find(({ files }) => files[path] === hash);
    return other?.cache.match(addressOf(path));
  };
  // Each is kept at once: a cut line costs the files that were under way, and the next try goes on after them.
  const wanted = Object.entries(FILES).filter(([path, hash]) => own[path] !== hash);
  const work = async () => {
    for (let next = wanted.shift(); next; next = wanted.shift()) {
      const [path, hash] = next;
      await keep(path, (await find(path, hash)) ?? (await fetchFile(path, hash)), hash);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const [path, hash] of Object.entries(LATER)) {
    const before = own[path] === hash ? null : await find(path, hash);
    if (before) await keep(path, before, hash);
  }
}

async function activate() {
  for (const { name } of await kept()) if (name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

async function answer(path) {
  const cache = await caches.open(CACHE);
  const address = addressOf(path);
  const found = await cache.match(address);
  if (found) return found;
  const hash = FILES[path] ?? LATER[path];
  // The browser has thrown the cache away, or it is a file that is kept when it is first needed.
  const fetched = await fetchFile(path, hash);
  await cache.put(address, fetched.clone()).catch(() => undefined);
  return fetched;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "apply") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const path = pathOf(event.request);
  if (path === null) return;
  if (event.request.mode === "navigate" && FILES[HOME]) event.respondWith(answer(HOME));
  else if (FILES[path] ?? LATER[path]) event.respondWith(answer(path));
});

// The line is back (Background Sync). An open app sends by itself. Without one nothing can be sent from here: the core
// runs in the page's worker, which alone may open the store; the badge goes on saying what waits.
self.addEventListener("sync", (event) => event.waitUntil((async () => {
  const open = await self.clients.matchAll({ type: "window" });
  for (const client of open) client.postMessage("sync");
  if (open.length === 0) await self.navigator.setAppBadge?.();
})()));
