// A short story of a phone in the browser: node bytes.mjs APP CODE LOTS. It joins, records lots without a line, sends them, and fetches
// what is new. After each step it says which, and goes on when a line comes in.
import { createInterface } from "node:readline";
import { launch, until } from "./fake/browser.mjs";

const [app, code, lots] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await launch(["--lang=zh-CN", "--accept-lang=zh-CN"]);
process.on("uncaughtException", async (error) => {
  console.error(error);
  await browser.close().catch(() => undefined);
  process.exit(1);
});
const page = await (await browser.newContext({ viewport: { width: 360, height: 740 } })).newPage();
page.setDefaultTimeout(20_000);
// Nothing is sent but when this story says so.
await page.routeWebSocket(/./, () => undefined);
await page.goto(app);
await page.waitForSelector("main");
await page.evaluate(async () => { window.core = (await import("./core.js")).core; });
const call = (method, args) => page.evaluate(([method, args]) => window.core.call(method, args), [method, args]);
const sync = () => page.evaluate(() => window.core.sync());
const told = async (step) => { console.log(step); await lines.next(); };

await page.evaluate(async (code) => { await window.core.enrol(code, "李家"); }, code);
// It syncs by itself once it has joined, and once the line is back. One that is asked for as well might be one more.
await until("the catalogue", async () => (await call("catalogue", {})).products.length === 1);
await told("joined");

await page.context().setOffline(true);
const { today } = await call("state", {});
for (let lot = 0; lot < Number(lots); lot += 1) {
  await call("record", { draft: { product: "millet", grams: 20_000 + lot * 100, grade: "A", day: today, place: "", note: `第 ${lot} 批` } });
}
await page.context().setOffline(false);
await until("the lots are with the co-operative", async () => (await call("status", {})).unsent === 0);
await told("lots");

await sync();
await told("price");
await browser.close();
process.exit(0);
