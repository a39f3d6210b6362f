// Makes the README's pictures, from the demo, as users would: a phone in the browser joins and records a lot; two phones of
// one household correct one lot offline, both sync, and a coordinator opens the console. It takes about a minute.
//
//   node tests/browser/pictures.mjs [PROGRAM] [FOLDER]
//
// PROGRAM is the `granary` program (target/debug/granary), FOLDER is where the pictures go (docs/pictures).
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startDemo } from "./demo.mjs";
import { launch } from "./fake/browser.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const pictures = resolve(process.argv[3] ?? join(root, "docs/pictures"));
const BYTES_MAX = 150_000;
const WIDTH = 1_280;
const work = mkdtempSync(join(tmpdir(), "granary-pictures-"));
const folder = join(work, "demo");

const granary = (...words) => execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const phone = (name, ...words) => granary("phone", "--folder", join(work, name), ...words);

// Two phones of one household, which correct the weight of one lot without knowing of each other.
function makeConflict(link) {
  phone("first", "enrol", "--yes", link, "--name", "秀英 · mother");
  const own = granary("devices", "--folder", folder).split("\n").find((line) => line.includes("秀英"));
  const role = own.match(/household:[0-9a-f-]+/)[0];
  const invitation = granary("invite", "--folder", folder, "--role", role).match(/granary:\S+/)[0];
  phone("second", "enrol", "--yes", invitation, "--name", "二虎 · son");
  ["first", "second"].forEach((name) => phone(name, "sync"));
  const lot = phone("first", "list").match(/recorded\s+(\w{4}-\w{4}-\w{4})/i)[1];
  phone("first", "correct", lot, "--grams", "18500", "--yes");
  phone("second", "correct", lot, "--grams", "15800", "--yes");
  ["first", "second", "first"].forEach((name) => phone(name, "sync"));
  return lot;
}

async function until(what, check) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await check()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`never came: ${what}`);
}

const shot = (page, options) => page.screenshot({ animations: "disabled", ...options });
const take = async (page, name, options) => keep(page, name, [await shot(page, options)]);

// Pictures beside each other as one WebP, which is half of the same PNG. The browser itself converts them.
async function keep(page, name, pngs) {
  const blank = await page.context().newPage();
  const url = await blank.evaluate(async (parts) => {
    const images = await Promise.all(parts.map((base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      return createImageBitmap(new Blob([bytes], { type: "image/png" }));
    }));
    const gap = 24;
    const width = images.reduce((sum, image) => sum + image.width, gap * (images.length - 1));
    const canvas = Object.assign(document.createElement("canvas"), { width, height: Math.max(...images.map((image) => image.height)) });
    let left = 0;
    for (const image of images) {
      canvas.getContext("2d").drawImage(image, left, 0);
      left += image.width + gap;
    }
    return canvas.toDataURL("image/webp", 0.9);
  }, pngs.map((png) => png.toString("base64")));
  await blank.close();
  const bytes = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
  assert.ok(bytes.length <= BYTES_MAX, `${name} has ${bytes.length} bytes`);
  writeFileSync(join(pictures, `${name}.webp`), bytes);
  console.log(`${name}.webp: ${bytes.length} bytes`);
}

// The phone in the browser: what was harvested, how much, and that it is kept.
async function takeApp(browser, link) {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 360, height: 700 }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(link);
  const main = page.locator(".action .main");
  await page.getByText("临县山货合作社").first().waitFor();
  await main.click();
  const millet = page.getByRole("button", { name: /小米/ }).first();
  await millet.waitFor();
  await page.getByText(/都送到合作社了/).first().waitFor();
  const pngs = [await shot(page)];
  await millet.click();
  for (const digit of "62") await page.locator(".pad").getByRole("button", { name: digit, exact: true }).click();
  // A phone that has just joined knows no grade of hers.
  await page.locator(".choice label").first().click();
  pngs.push(await shot(page));
  await main.click();
  await page.getByText("存在这部手机里了").or(page.getByText("合作社收到了")).first().waitFor();
  pngs.push(await shot(page));
  await keep(page, "app", pngs);
  await context.close();
}

const { links, stop } = await startDemo(program, folder);
try {
  const lot = makeConflict(links.phone);
  mkdirSync(pictures, { recursive: true });
  const browser = await launch();
  await takeApp(browser, links.app);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: WIDTH, height: 720 } });
  const page = await context.newPage();
  await page.goto(links.console);
  await Promise.all([page.waitForNavigation(), page.locator("main button").click()]);
  const at = (path) => new URL(`/console${path}`, links.console).href;
  await until("the conflict", async () => {
    await page.goto(at("/cases?kind=field"));
    return (await page.locator("article.case").count()) > 0;
  });
  await page.goto(at(""));
  // Down to the chart of the days.
  await take(page, "overview", { fullPage: true, clip: { x: 0, y: 0, width: WIDTH, height: 1_045 } });
  await page.goto(at("/harvests?conflicts=yes"));
  await page.locator(`tbody a[href*="${lot}"]`).first().click();
  await page.locator("article.case").waitFor();
  await take(page, "conflict", { fullPage: true });
  await browser.close();
} finally {
  await stop();
  rmSync(work, { recursive: true, force: true });
}
