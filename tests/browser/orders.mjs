// A day's orders in the demo, as a coordinator has them: a file of Douyin is dropped, its refused rows are seen, a name that nobody
// knows is mapped, the file is taken and its orders are listed; then the demo's live-stream is started and watched until it is sold out.
//
//   node tests/browser/orders.mjs [PROGRAM] [FOLDER]
//
// PROGRAM is the `granary` program (target/debug/granary). With FOLDER, pictures of what was seen are kept in it, at a phone's width.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startDemo } from "./demo.mjs";
import { launch, until } from "./fake/browser.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const pictures = process.argv[3] ? resolve(process.argv[3]) : undefined;
const work = mkdtempSync(join(tmpdir(), "granary-orders-"));
if (pictures) mkdirSync(pictures, { recursive: true });

// As Douyin writes it: ids behind tabs, so that a spreadsheet keeps their digits.
const HEADS = "主订单编号,子订单编号,选购商品,商品规格,商品数量,商品ID,商家编码,订单应付金额,收件人,收件人手机号,详细地址,订单提交时间,订单状态,售后状态";
const order = (number, code, packs, money, state) => {
  const id = `692100000000000${number}`;
  return `${id}\t,${id}\t,临县小米,5斤,${packs},1\t,${code},${money},##tok,##tok,##tok,2026-11-20 20:00:00,${state},`;
};
const douyin = "\ufeff" + [HEADS, order("0001", "XM-05", 2, "79.80", "待发货"), order("0002", "HT-001", 1, "22.90", "待发货"),
  order("0003", "XM-05", 0, "39.90", "待发货"), order("0004", "XM-05", 1, "39.90", "神秘状态"), order("0005", "XM-05", 1, "39.90", "待支付"), ""].join("\r\n");

const { links, stop } = await startDemo(program, join(work, "demo"));
const browser = await launch();
const at = (path) => new URL(`/console${path}`, links.console).href;
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "zh-CN", viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("status of 4")) problems.push(message.text()); });
  const text = () => page.locator("main").innerText();
  const leads = (doing) => Promise.all([page.waitForNavigation(), doing]);
  const seen = async (name) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} scrolls sideways by ${wide} px`);
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  };
  await page.goto(links.console);
  await leads(page.locator("main button").click());

  // The file is dropped, which sends it.
  await page.goto(at("/orders/files"));
  await seen("files");
  await leads(page.evaluate((content) => {
    const files = new DataTransfer();
    files.items.add(new File([content], "抖店订单.csv", { type: "text/csv" }));
    document.querySelector("form[data-drop]").dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
  }, douyin));
  assert.match(await text(), /quantity-bad/);
  assert.match(await text(), /status-unknown/);
  assert.match(await text(), /HT-001/);
  await seen("file");
  await page.locator("#unmapped select[name=sku]").selectOption("HT-500");
  await leads(page.locator("#unmapped button").click());
  assert.equal(await page.locator("#unmapped").count(), 0, "it is mapped once for all");
  await leads(page.locator("form[action$=take] button").click());
  assert.match(await text(), /新订单 2/);
  await seen("files-taken");
  await until("the orders", async () => { await page.goto(at("/orders?search=6921")); return /6921000000000000002/.test(await text()); });
  await seen("orders");
  await leads(page.locator("tbody a[href*='/orders/']").first().click());
  assert.match(await text(), /收件人是加密的/);
  await seen("order");

  // Whoever chooses in a filter by the keyboard stays in it, and gets to the choices that come after.
  await page.goto(at("/orders"));
  await page.locator("select[name=shop]").focus();
  await leads(page.keyboard.press("ArrowDown"));
  assert.equal(await page.evaluate(() => document.activeElement.name), "shop");

  // The demo's stream, until the first pack is sold out.
  await page.goto(at("/streams"));
  await seen("streams");
  await leads(page.locator("form[action$=demo] button[value=short]").click());
  await page.waitForFunction(() => Number(document.querySelector("#desk .tile .figure")?.innerText.replace(/\D/g, "")) > 0, undefined, { timeout: 60_000 });
  await seen("desk");
  // The page is not loaded again: its figures are put in place.
  await page.evaluate(() => { window.isStillHere = true; });
  // What has the focus keeps it while they do.
  const orders = () => page.evaluate(() => document.querySelector("#desk .tile .figure").innerText);
  await page.locator("nav.trail a").focus();
  const told = await orders();
  await until("more orders", async () => (await orders()) !== told);
  assert.ok(await page.evaluate(() => document.activeElement.matches("nav.trail a")), "the focus is lost");
  await page.waitForFunction(() => document.getElementById("desk").innerText.includes("卖完了"), undefined, { timeout: 120_000 });
  assert.ok(await page.evaluate(() => window.isStillHere), "the figures renew themselves");
  await seen("sold-out");
  assert.deepEqual(problems, []);
  console.log("a file was taken, a stream was sold out");
} finally {
  await browser.close();
  await stop();
  rmSync(work, { recursive: true, force: true });
}
