// Finds out which of the core's functions run until the first harvest is recorded and sent, for `web/split.mjs`:
//
//   node web/first_use.mjs [PROGRAM]
//
// PROGRAM is the `granary` program (target/debug/granary), whose demo the phone joins. It takes the core that `web/build`
// made last (target/web) and writes web/first-use.txt: of each function the hash of its name. What changed since then
// comes second, and works; run this again, and `web/build` after it, when the first part no longer carries the first
// harvest, which tests/browser/two_parts.mjs tells.
import { execFileSync } from "node:child_process";
import { webcrypto } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startDemo } from "../tests/browser/demo.mjs";
import { drive } from "./app/line.js";
import { read, write } from "./module.mjs";
import { hashOf, instrumented } from "./split.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const made = join(root, "target/web");
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const work = mkdtempSync(join(tmpdir(), "granary-first-use-"));

const named = read(readFileSync(join(made, "granary_web.named.wasm")));
const ran = new Set();
// The glue knows nothing of what the instrumented core calls.
const glue = readFileSync(join(made, "bound/granary_web.js"), "utf8");
const imports = "const imports = __wbg_get_imports();";
if (!glue.includes(imports)) throw new Error("wasm-bindgen's glue has changed");
writeFileSync(join(work, "core.mjs"), glue.replaceAll(imports, `${imports} imports.first = { ran: globalThis.ran };`));
globalThis.ran = (index) => ran.add(index);
const { initSync, Loader } = await import(join(work, "core.mjs"));
initSync({ module: write(instrumented(named)) });

const { links, stop } = await startDemo(program, join(work, "demo"));
const { origin, hash } = new URL(links.app);
const rows = new Map();
let key;
let publicKey;
let phone;

async function makeKey() {
  key = await webcrypto.subtle.generateKey("Ed25519", false, ["sign"]);
  publicKey = Buffer.from(await webcrypto.subtle.exportKey("raw", key.publicKey)).toString("base64");
}

function keep() {
  const writes = phone.takeWrites();
  for (let at = 0; at < writes.length; at += 2) {
    const row = Buffer.from(writes[at]).toString("hex");
    if (writes[at + 1] === null) rows.delete(row);
    else rows.set(row, writes[at + 1]);
  }
}

function open(language) {
  const loader = new Loader();
  for (const [row, value] of rows) loader.put(Buffer.from(row, "hex"), value);
  phone = loader.open(language);
  keep();
}

function call(method, args = {}) {
  const answer = JSON.parse(phone.call(JSON.stringify({ ...args, method })));
  keep();
  if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.ok;
}

async function carryOut(kind, args = {}, fetch = (path, how) => globalThis.fetch(new URL(path, origin), how)) {
  const turn = async (job) => {
    const value = job();
    keep();
    return value;
  };
  const sign = async (bytes) => new Uint8Array(await webcrypto.subtle.sign("Ed25519", key.privateKey, bytes));
  const work = await turn(() => phone.begin(kind, JSON.stringify({ ...args, origin, key: publicKey }), undefined));
  const outcome = await drive(work, { turn, sign, fetch });
  if (kind === "listen") work.bytes();
  work.free();
  return outcome;
}

function record(product, grams) {
  const { today } = call("state");
  const draft = { product, grams, grade: "A", day: today, place: "", note: "东坡地" };
  for (const unit of ["kg", "jin"]) for (const text of ["12.5", "31", "1000"]) call("readWeight", { text, unit });
  for (const unit of ["kg", "jin"]) call("unusual", { draft, unit });
  const { id } = call("record", { draft });
  call("lot", { id });
}

// As the pages ask.
function look() {
  const { today, household } = call("state");
  for (const method of ["status", "catalogue", "lots", "questions"]) call(method);
  call("lots", { from: today, to: today, household, limit: 1 });
  call("lots", { household, state: "recorded", limit: 1 });
  for (const search of ["", "东坡", "D1JR"]) call("lots", { search, limit: 60, offset: 0 });
  call("questions", { state: "open" });
}

async function firstHarvest(code) {
  await makeKey();
  rows.clear();
  open("zh");
  call("state");
  call("status");
  await carryOut("look", { link: "0000-0000-0000" });
  await carryOut("look", { link: code });
  if ((await carryOut("enrol", { link: code, name: "秀英" })).error) throw new Error("the demo did not take this phone");
  for (const method of ["state", "status", "catalogue", "lots"]) call(method);
  await carryOut("listen");
  const sync = async () => {
    const { error } = await carryOut("sync");
    if (error) throw new Error(`sync: ${JSON.stringify(error)}`);
  };
  await sync();
  look();
  const [one, other, ...more] = call("catalogue").products;
  record(one.code, 12_500);
  await sync();
  for (const [place, { code }] of more.entries()) record(code, 3_000 + 450 * place);
  // Unusual: she is asked back.
  record(other.code, 1_250_000);
  await carryOut("sync", {}, () => Promise.reject(new Error("no line")));
  look();
  await sync();
  look();
  phone.language("en");
  // The next morning, before the second part has come.
  phone.free();
  open("zh");
  look();
  record(one.code, 8_000);
  await sync();
  look();
}

try {
  await firstHarvest(hash.slice(1));
  const invite = (household) => execFileSync(program, ["invite", "--folder", join(work, "demo"), "--role", `household:${household}`], { encoding: "utf8" })
    .match(/granary:.*\/([0-9A-Z-]{14})#/)[1];
  const { household } = call("state");
  // A household without a lot yet; the next ones in the demo; and a second phone of the last, which finds lots of the first.
  await firstHarvest(invite("new"));
  for (const end of ["01", "02", "03", "03"]) await firstHarvest(invite(household.replace(/..$/, end)));
  // What ran in an earlier trial, and is still there, comes first as before: what runs depends a little on the data.
  const list = join(root, "web/first-use.txt");
  const before = new Set(existsSync(list) ? readFileSync(list, "utf8").split("\n") : []);
  const lines = new Set([...ran].map((index) => hashOf(named.names.get(index))));
  for (const name of named.names.values()) if (before.has(hashOf(name))) lines.add(hashOf(name));
  writeFileSync(list, [...lines].sort().join("\n") + "\n");
  console.log(`${ran.size} of ${named.bodies.length} functions run until the first harvest is sent`);
} finally {
  await stop();
  rmSync(work, { recursive: true, force: true });
}
