// Makes the README's pictures of the console, from the demo, as users would: two phones of one household correct one
// lot offline, both sync, and a coordinator opens the console. It takes about a minute.
//
//   node tests/browser/pictures.mjs [PROGRAM] [FOLDER]
//
// PROGRAM is the `granary` program (target/debug/granary), FOLDER is where the pictures go (docs/pictures).
import { strict as assert } from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const pictures = resolve(process.argv[3] ?? join(root, "docs/pictures"));
const BYTES_MAX = 150_000;
const WIDTH = 1_280;
const work = mkdtempSync(join(tmpdir(), "granary-pictures-"));
const folder = join(work, "demo");

const granary = (...words) => execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const phone = (name, ...words) => granary("phone", "--folder", join(work, name), ...words);

function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); });
  });
}

// Starts the demo; gives its process and the two links that it prints.
async function demo() {
  const words = ["demo", "--folder", folder, "--port", String(await freePort())];
  const server = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const links = {};
  for await (const line of createInterface({ input: server.stdout })) {
    links.console ??= line.match(/https:\S+/)?.[0];
    links.phone ??= line.match(/granary:[^']+/)?.[0];
    if (links.console && links.phone) return { server, links };
  }
  throw new Error("the demo ended before it printed its links");
}

// Two phones of one household, which correct the weight of one lot without knowing of each other.
function makeConflict(link) {
  phone("first", "enrol", "--yes", link, "--name", "秀英 · mother");
  const role = granary("devices", "--folder", folder).match(/household:\S+/)[0];
  const invitation = granary("invite", "--folder", folder, "--role", role).match(/granary:\S+/)[0];
  phone("second", "enrol", "--yes", invitation, "--name", "二虎 · son");
  ["first", "second"].forEach((name) => phone(name, "sync"));
  const lot = phone("first", "list").match(/Recorded\s+(\w{4}-\w{4}-\w{4})/)[1];
  phone("first", "correct", lot, "--grams", "18500");
  phone("second", "correct", lot, "--grams", "15800");
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

// A picture as WebP, which is half of the same PNG. The browser itself converts it.
async function take(page, name, options) {
  const png = await page.screenshot({ animations: "disabled", ...options });
  const blank = await page.context().newPage();
  const url = await blank.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.9);
  }, png.toString("base64"));
  await blank.close();
  const bytes = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
  assert.ok(bytes.length <= BYTES_MAX, `${name} has ${bytes.length} bytes`);
  writeFileSync(join(pictures, `${name}.webp`), bytes);
  console.log(`${name}.webp: ${bytes.length} bytes`);
}

const { server, links } = await demo();
try {
  const lot = makeConflict(links.phone);
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
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
  server.kill("SIGINT");
  await new Promise((done) => server.once("exit", done));
  rmSync(work, { recursive: true, force: true });
}
