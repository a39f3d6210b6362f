// One day of a phone in the browser, against a real server: node day.mjs ADDRESS CODE TOLD SHOTS
// Writes into TOLD which lot was last told which weight. The line goes through a gate of ours, which can be shut, and which
// can cut each connection after some bytes.
import { strict as assert } from "node:assert";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { launchLasting, until } from "./fake/browser.mjs";

const [address, code, toldFile, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

/// The line: `bytes` is how many a connection lets through, both ways together, before it is cut; none for a line that is
/// not there.
const line = { bytes: Infinity, cuts: 0 };
const sockets = new Set();
const gate = createServer((socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  if (line.bytes === 0) return socket.destroy();
  const { hostname, port } = new URL(address);
  const server = connect(Number(port), hostname);
  let left = line.bytes;
  const passOn = (to) => (part) => {
    to.write(part.subarray(0, left));
    left -= part.length;
    if (left <= 0) {
      line.cuts += 1;
      // What was let through arrives first.
      setImmediate(() => { socket.destroy(); server.end(); });
    }
  };
  server.on("error", () => socket.destroy()).on("end", () => socket.end()).on("data", passOn(socket));
  socket.on("data", passOn(server)).on("end", () => server.end()).on("close", () => server.end());
});
await new Promise((resolve) => gate.listen(0, "127.0.0.1", resolve));
const app = `http://localhost:${gate.address().port}/app/`;
function setLine(bytes) {
  line.bytes = bytes;
  if (bytes === 0) for (const socket of sockets) socket.destroy();
}

const browser = await launchLasting(["--lang=zh-CN", "--accept-lang=zh-CN"]);
let open = await browser.start();
const problems = [];
let page;

async function begin(path = "") {
  const page = await open.context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(app + path);
  await page.waitForSelector("main");
  await page.evaluate(async () => { window.core = (await import("./core.js")).core; });
  return page;
}

async function killed() {
  await open.kill();
  open = await browser.start();
}

process.on("uncaughtException", async (error) => {
  console.error(error, problems);
  await page?.screenshot({ path: join(shots, "app-failed.png") }).catch(() => undefined);
  await browser.remove().catch(() => undefined);
  process.exit(1);
});

const call = (page, method, args) => page.evaluate(([method, args]) => window.core.call(method, args), [method, args]);

// The morning: she opens the link, sees whom she joins, and joins.
page = await begin(`#${code}`);
await page.getByText("临县农社").first().waitFor();
await page.getByText("李家").first().waitFor();
await page.screenshot({ path: join(shots, "app-invitation.png") });
await page.locator(".action .main").click();
await until("the catalogue", async () => (await call(page, "catalogue", {}).catch(() => null))?.products.length === 1);
assert.equal((await call(page, "state", {})).householdName, "李家");
await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
await page.getByText("小米").first().waitFor();
await page.screenshot({ path: join(shots, "app-record.png") });

// All day there is no signal. The app is closed or killed ten times, and each time it begins without a line.
const told = {};
setLine(0);
const today = (await call(page, "state", {})).today;
async function record(grams, note) {
  const { id } = await call(page, "record", { draft: { product: "millet", grams, grade: "A", day: today, place: "", note } });
  told[id] = grams;
}
for (let opening = 0; opening < 10; opening += 1) {
  await record(20_000 + opening * 100, `第 ${opening + 1} 次`);
  const ids = Object.keys(told);
  const again = ids[opening % ids.length];
  await call(page, "correct", { id: again, edits: [{ field: "grams", value: told[again] + 7 }] });
  told[again] += 7;
  await record(9_000 + opening, "");
  if (opening % 3 === 0) await killed();
  else await page.close();
  page = await begin();
  const { count, rows } = await call(page, "lots", { limit: 100 });
  assert.equal(count, ids.length + 1, "all that was told is there");
  assert.ok(rows.every((row) => told[row.id] === row.grams && row.sent === false));
}
await page.getByText(/存在手机里/).first().waitFor();

// By a screen, as a person does: the product, 31 jin on the pad, one tap.
await page.goto(`${app}#/`);
await page.getByRole("button", { name: /小米/ }).first().click();
for (const digit of "31") await page.locator(".pad").getByRole("button", { name: digit, exact: true }).click();
await page.locator(".action .main").click();
await page.getByText("存在这部手机里了").first().waitFor();
await page.screenshot({ path: join(shots, "app-kept.png") });
const { rows } = await call(page, "lots", { limit: 100 });
const tapped = rows.find((row) => row.grams === 15_500);
assert.ok(tapped, "what was tapped is recorded");
told[tapped.id] = tapped.grams;

// In the evening a line comes for moments, and is cut again and again.
for (const bytes of [300, 700, 1_500]) {
  setLine(bytes);
  await page.evaluate(() => window.core.sync().catch(() => undefined));
}
assert.ok(line.cuts > 0, "the line was cut");
setLine(Infinity);
await until("everything with the co-operative", async () => {
  await page.evaluate(() => window.core.sync().catch(() => undefined));
  return (await call(page, "status", {})).unsent === 0;
});
const after = await call(page, "lots", { limit: 100 });
assert.equal(after.count, Object.keys(told).length);
assert.ok(after.rows.every((row) => row.sent && told[row.id] === row.grams));
await page.goto(`${app}#/harvest`);
await page.getByText(/31/).first().waitFor();
await page.screenshot({ path: join(shots, "app-harvest.png") });
assert.deepEqual(problems, []);

writeFileSync(toldFile, JSON.stringify(told));
await browser.remove();
gate.close();
for (const socket of sockets) socket.destroy();
console.log(`a day with ${Object.keys(told).length} lots, ten openings, ${line.cuts} cuts`);
process.exit(0);
