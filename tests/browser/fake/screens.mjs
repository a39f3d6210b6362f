// Serves the app's screens over the fake core, with the headers of the real server, so that a breach of its policy shows here.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const app = fileURLToPath(new URL("../../../web/app/", import.meta.url));
const fake = fileURLToPath(new URL("./", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
  + "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** Files of the fake core stand in the place of the app's own of the same name. */
async function fileOf(path) {
  const name = normalize(path).replace(/^(\.\.[/\\])+/, "");
  if (["core.js", "world.js"].includes(name)) return readFile(join(fake, name));
  return readFile(join(app, name));
}

export async function serve() {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname).replace(/^\/app\//, "") || "index.html";
    try {
      const bytes = await fileOf(path);
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-security-policy": POLICY, "permissions-policy": "camera=(self)", "cache-control": "no-store" });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://localhost:${server.address().port}/app/`, close: () => new Promise((done) => server.close(done)) };
}
