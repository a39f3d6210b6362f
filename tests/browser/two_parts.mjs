// The built app on its first day, while the core's second part doesn't come: node two_parts.mjs ADDRESS CODE
// She joins, records, sees her lot with the co-operative, and closes and opens the app. Then the second part comes, and she
// corrects the lot.
import { strict as assert } from "node:assert";
import { launch, until } from "./fake/browser.mjs";

const worked = [];
const [address, code] = process.argv.slice(2);
const browser = await launch(["--lang=zh-CN", "--accept-lang=zh-CN"]);
process.on("uncaughtException", async (error) => {
  console.error(error, worked, await page?.locator("body").innerText().catch(() => ""));
  await browser.close().catch(() => undefined);
  process.exit(1);
});
const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
let page;
let isHeld = true;
let asked = 0;
await context.route("**/granary_web_more.wasm", (route) => {
  asked += 1;
  return isHeld ? route.abort() : route.continue();
});
async function begin(path = "") {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  // Of a worker that had to be replaced since a function was not there, the page's console tells.
  page.on("console", (message) => { if (message.text().includes("the phone's worker ends")) worked.push(message.text()); });
  await page.goto(`${address}/app/${path}`);
  await page.waitForSelector("main");
  await page.evaluate(async () => { window.core = (await import("./core.js")).core; });
  return page;
}
const call = (page, method, args = {}) => page.evaluate(([method, args]) => window.core.call(method, args), [method, args]);

page = await begin(`#${code}`);
await page.getByText("李家").first().waitFor();
await page.locator(".action .main").click();
await page.getByRole("button", { name: /小米/ }).first().click();
for (const digit of "31") await page.locator(".pad").getByRole("button", { name: digit, exact: true }).click();
await page.locator(".action .main").click();
await page.getByText("存在这部手机里了").or(page.getByText("合作社收到了")).first().waitFor();
await page.locator(".kept-where", { hasText: "合作社收到了" }).waitFor();
await page.close();

page = await begin();
const { rows } = await call(page, "lots");
assert.deepEqual(rows.map(({ grams, sent }) => [grams, sent]), [[15_500, true]]);
assert.ok(asked > 0, "the second part was asked for");
assert.deepEqual(worked, [], "the first part has what the first harvest needs; if not: node web/first_use.mjs, then web/build");
const correct = () => call(page, "correct", { id: rows[0].id, edits: [{ field: "grams", value: 16_000 }] });
assert.equal(await correct().then(() => "corrected", (error) => (/not-whole|Object/.test(String(error)) ? "refused" : String(error))), "refused");

isHeld = false;
await until("the second part", () => correct().then(() => true, () => false));
assert.equal((await call(page, "lots")).rows[0].grams, 16_000);
assert.deepEqual(worked, []);
await browser.close();
process.exit(0);
