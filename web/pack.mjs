// Packs the app: writes the list of its files into the service worker, its version into version.js, its modules into
// index.html, and each file as brotli alone into web/dist. The same sources give the same bytes. `web/build` calls it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const app = join(web, "app");
const dist = join(web, "dist");
const made = join(web, "../target/web");

/// What must come before a phone can join and record, compressed: 80 seconds at 50 kbit/s.
const FIRST_BYTES_MAX = 500_000;
/// That and what comes right behind it, after which the app needs no line. It must not grow.
const BYTES_MAX = 735_000;
/// What comes behind: the core's second part, pages that the first harvest needs not (web/app/app.js), what sends for others, and the service worker.
const BEHIND = /^(wasm\/granary_web_more\.wasm|pages\/(correct|handover|harvest|leave|lock|lot|owed|prices|questions|receive|settings|status)\.js|parts\/pinyin\.js|words_more\.js|others\.js|sw\.js)$/;
/// What is loaded and kept when it is first needed: libraries for what some browsers lack, pictures for launchers.
const LATER = /^(lib\/(noble-ed25519|jsqr)\b|icons\/.*\.png$)/;

const sha256 = (bytes, form) => createHash("sha256").update(bytes).digest(form);
const under = (folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name))
  .filter((path) => statSync(path).isFile()).map((path) => relative(folder, path)).sort();

/// Puts `value` at a mark; a mark that is not there is a fault of the sources.
function put(text, mark, value) {
  if (!mark.test(text)) throw new Error(`no mark ${mark}`);
  return text.replace(mark, () => value);
}

/// A module without the lines that hold a comment alone: a sixth of what is sent. They stay as empty lines, so that a
/// stack trace names the line of the source. Others' libraries keep theirs, which hold their licences.
function withoutComments(path, bytes) {
  if (!path.endsWith(".js") || path.startsWith("lib/")) return bytes;
  let isInside = false;
  const lines = bytes.toString().split("\n").map((line) => {
    const begins = /^\s*\/\*\*/.test(line);
    if (!isInside && !begins) return /^\s*\/\//.test(line) ? "" : line;
    isInside = !line.includes("*/");
    if (!isInside && !line.trimEnd().endsWith("*/")) throw new Error(`${path}: a comment ends before code: ${line}`);
    return "";
  });
  if (isInside) throw new Error(`${path}: a comment doesn't end`);
  return Buffer.from(lines.join("\n"));
}

/// All files of the app by path, with those of the WebAssembly.
export function stage(wasm) {
  const files = new Map(under(app).map((path) => [path, withoutComments(path, readFileSync(join(app, path)))]));
  for (const [path, bytes] of wasm) files.set(`wasm/${path}`, bytes);
  const paths = [...files.keys()].filter((path) => path !== "sw.js").sort();
  const modules = paths.filter((path) => path.endsWith(".js") && path !== "boot.js" && path !== "app.js" && !LATER.test(path) && !BEHIND.test(path));
  const links = modules.map((path) => `<link rel="modulepreload" href="${path}">`).join("\n");
  const edit = (path, mark, value) => files.set(path, Buffer.from(put(files.get(path).toString(), mark, value)));
  // Fetched at once, not one after the other as each names the next: on 2G each step would cost a third of a second.
  edit("index.html", /<!--MODULES-->/, links);
  const all = paths.filter((path) => path !== "version.js").map((path) => `${path} ${sha256(files.get(path), "hex")}\n`).join("");
  const version = sha256(all + sha256(files.get("sw.js"), "hex"), "hex").slice(0, 12);
  edit("version.js", /"dev"/, JSON.stringify(version));
  edit("version.js", /CORE_BYTES = 0/, `CORE_BYTES = ${files.get("wasm/granary_web_bg.wasm")?.length ?? 0}`);
  const list = (wanted) => JSON.stringify(Object.fromEntries(paths.filter(wanted).map((path) => [path, sha256(files.get(path), "base64")])), null, 1);
  edit("sw.js", /\/\*FILES\*\/.*\/\*FILES\*\//, list((path) => !LATER.test(path)));
  edit("sw.js", /\/\*LATER\*\/.*\/\*LATER\*\//, list((path) => LATER.test(path)));
  edit("sw.js", /\/\*VERSION\*\/.*\/\*VERSION\*\//, JSON.stringify(version));
  return new Map([...files].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const compress = (bytes) => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});

/// The WebAssembly as it is kept.
function keptWasm() {
  const folder = join(dist, "wasm");
  if (!existsSync(folder)) return new Map();
  return new Map(under(folder).map((path) => [path.replace(/\.br$/, ""), brotliDecompressSync(readFileSync(join(folder, path)))]));
}

function freshWasm() {
  const folder = join(made, "wasm");
  return new Map(under(folder).map((path) => [path, readFileSync(join(folder, path))]));
}

const readLine = (path) => (existsSync(path) ? readFileSync(path, "utf8").trim() : null);

/// Says what differs between what is kept and what these sources give, all but the WebAssembly itself.
function check(coreHash) {
  const problems = [];
  const kept = readLine(join(dist, "SOURCES"));
  if (kept !== coreHash) problems.push("the WebAssembly was made from other sources");
  const staged = stage(keptWasm());
  const there = new Set(existsSync(dist) ? under(dist) : []);
  for (const [path, bytes] of staged) {
    if (!there.delete(`${path}.br`)) problems.push(`${path} is missing`);
    else if (!brotliDecompressSync(readFileSync(join(dist, `${path}.br`))).equals(bytes)) problems.push(`${path} differs`);
  }
  there.delete("SOURCES");
  problems.push(...[...there].map((path) => `${path} is left over`));
  for (const problem of problems) console.error(`web/dist: ${problem}`);
  if (problems.length > 0) {
    console.error("run web/build and commit web/dist");
    process.exit(1);
  }
  console.log("web/dist was made from these sources");
}

function pack() {
  const isFresh = existsSync(join(made, "core"));
  const files = stage(isFresh ? freshWasm() : keptWasm());
  const core = isFresh ? readLine(join(made, "core")) : readLine(join(dist, "SOURCES"));
  if (!files.has("wasm/granary_web_bg.wasm")) throw new Error("there is no WebAssembly yet: run web/build without --without-wasm");
  rmSync(dist, { recursive: true, force: true });
  let [total, first] = [0, 0];
  for (const [path, bytes] of files) {
    const packed = compress(bytes);
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    writeFileSync(join(dist, `${path}.br`), packed);
    const isLater = LATER.test(path);
    const isBehind = BEHIND.test(path);
    if (!isLater) total += packed.length;
    if (!isLater && !isBehind) first += packed.length;
    console.log(`${String(bytes.length).padStart(9)} ${String(packed.length).padStart(8)}  ${path}${isLater ? "  (when needed)" : isBehind ? "  (behind)" : ""}`);
  }
  writeFileSync(join(dist, "SOURCES"), `${core}\n`);
  console.log(`${first} bytes before the first use, of ${FIRST_BYTES_MAX} at most; ${total} in all, of ${BYTES_MAX} at most`);
  if (first > FIRST_BYTES_MAX || total > BYTES_MAX) process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "--check") check(process.argv[3]);
  else pack();
}
