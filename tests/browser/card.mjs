// A household's card as the console prints it, held before the camera of a phone in the browser: node card.mjs CONSOLE APP CODE NAME SHOTS
// CONSOLE is a link that signs in once, CODE a recorder's invitation, NAME a household of hers.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, until } from "./fake/browser.mjs";
import { filmOf } from "./fake/camera.mjs";

const [link, app, code, name, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "granary-card-"));
const film = join(folder, "camera.y4m");
let browser;
process.on("uncaughtException", async (error) => {
  console.error(error);
  await browser?.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
});

// The coordinator makes the sheet of cards; one of them is photographed.
browser = await launch();
const desk = await (await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 800 } })).newPage();
await desk.goto(link);
await Promise.all([desk.waitForNavigation(), desk.locator("main button").click()]);
await desk.goto(new URL("/console/households/cards?phone=", link).href);
const card = desk.locator("article.paper", { hasText: name });
const number = (await card.locator(".digits").innerText()).trim();
writeFileSync(film, await filmOf(desk, await card.locator(".qr").screenshot()));
await browser.close();

// The recorder joins, holds the card before the camera, and records for that household.
browser = await launch(["--lang=zh-CN", "--accept-lang=zh-CN", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`]);
const page = await (await browser.newContext({ viewport: { width: 360, height: 740 }, locale: "zh-CN" })).newPage();
page.setDefaultTimeout(20_000);
const problems = [];
page.on("pageerror", (error) => problems.push(error.message));
await page.goto(`${app}#${code}`);
await page.getByRole("button", { name: "对，加入" }).click();
await page.getByRole("heading", { name: "替谁记？" }).waitFor();
await page.locator(".way", { hasText: name }).waitFor();
assert.match(await page.locator(".way", { hasText: name }).innerText(), new RegExp(number));
await page.getByRole("button", { name: "扫卡片" }).click();
await page.locator(".whom", { hasText: name }).waitFor();
await page.screenshot({ path: join(shots, "app-card.png") });
await page.getByRole("button", { name: /小米/ }).first().click();
for (const digit of "24") await page.locator(".pad").getByRole("button", { name: digit, exact: true }).click();
await page.locator(".choice label").first().click();
await page.locator(".action .main").click();
await page.locator(".kept-lot", { hasText: name }).waitFor();
await page.evaluate(async () => { window.core = (await import("./core.js")).core; });
await until("the lot with the co-operative", async () => page.evaluate(async () => {
  await window.core.sync().catch(() => undefined);
  return (await window.core.call("status", {})).unsent === 0;
}));
assert.deepEqual(problems, []);
await browser.close();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
