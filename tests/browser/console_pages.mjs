// Every page of the console, looked at: pictures in both languages, at three widths, light and dark, into a folder; and on each
// page: no sideways scroll, nothing that axe finds wrong, at most 60 kB compressed with its style and script, no error.
//
//   node tests/browser/console_pages.mjs [PROGRAM] [FOLDER] [FILTER]
//
// PROGRAM is the `granary` program (target/debug/granary); without FOLDER no picture is kept. FILTER is a piece of a page's name.
// QUICK=1 in the environment looks at each page twice only, as the tests do. It starts the demo, makes what its pages need, and ends with status 1 if anything was found.
import { readFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { startDemo } from "./demo.mjs";
import { launch } from "./fake/browser.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const pictures = process.argv[3] ? resolve(process.argv[3]) : undefined;
const only = process.argv[4] ?? "";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BYTES_MAX = 60_000;
const WIDTHS = [360, 768, 1280];
const LANGUAGES = ["zh-CN", "en-GB"];
const ALL = WIDTHS.flatMap((width) => LANGUAGES.flatMap((locale) => ["light", "dark"].map((scheme) => ({ width, locale, scheme }))));
const LOOKS = process.env.QUICK ? [{ width: 360, locale: "zh-CN", scheme: "light" }, { width: 1280, locale: "en-GB", scheme: "dark" }] : ALL;
const faults = [];

/// Addresses of pages below /console: those of the navigation, and one of each kind of thing.
async function addresses(page, at) {
  await page.goto(at(""));
  const found = new Map();
  const links = await page.locator("header a[href^='/console']").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  for (const link of links) found.set(link.replace("/console", "").replace(/^\//, "") || "overview", link);
  const follow = async (name, from, selector) => {
    await page.goto(at(from));
    const link = page.locator(selector).first();
    if (await link.count()) found.set(name, await link.getAttribute("href"));
    else faults.push(`no ${name} is linked on ${from}`);
  };
  await follow("lot", "/harvests", "tbody a[href*='/lots/']");
  await follow("lot-received", "/harvests?state=received", "tbody a[href*='/lots/']");
  await follow("household", "/households", "tbody a[href*='/households/']");
  await follow("order", "/orders", "tbody a[href*='/orders/']");
  await follow("stock-product", "/stock", "tbody a[href*='/stock/']");
  await follow("holding", "/stock/millet?grade=A", "tbody a[href*='/holdings/']");
  await follow("sku", "/catalogue/millet", "#skus tbody a");
  found.set("order-files", "/console/orders/files");
  found.set("harvests-filtered", "/console/harvests?product=millet&sort=weight&state=received");
  found.set("harvests-none", "/console/harvests?search=nothing-like-this");
  found.set("cases-weight", "/console/cases?kind=weight");
  found.set("cases-settled", "/console/cases?state=settled");
  found.set("search", "/console/search?q=fan");
  found.set("not-found", "/console/nothing");
  for (const [name, address] of Object.entries(MORE)) found.set(name, address);
  await follow("product", "/catalogue", "main a[href*='/catalogue/']");
  return new Map([...found].filter(([name]) => name.includes(only)));
}
/// Pages that nothing above leads to.
const MORE = {};

async function look(page, name, address, options) {
  const { locale, scheme, width, isFirst } = options;
  const fault = (text) => faults.push(`${name} ${locale} ${scheme} ${width}: ${text}`);
  const answer = await page.goto(address);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) fault(`scrolls sideways by ${wide} px`);
  if (isFirst && locale === "zh-CN") {
    const bytes = gzipSync(await answer.body()).length;
    if (bytes > BYTES_MAX) fault(`${bytes} bytes`);
  }
  if (width !== 768) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of found.violations) fault(`${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary ?? ""}`).join(" | ")}`);
  }
  if (pictures) {
    const file = join(pictures, `${name.replaceAll("/", "-")}.${locale.slice(0, 2)}.${scheme}.${width}.png`);
    await page.screenshot({ path: file, fullPage: true, animations: "disabled", clip: undefined });
  }
}

const work = mkdtempSync(join(tmpdir(), "granary-console-"));
const { links, stop } = await startDemo(program, join(work, "demo"));
const browser = await launch();
try {
  if (pictures) mkdirSync(pictures, { recursive: true });
  const at = (path) => new URL(`/console${path}`, links.console).href;
  const first = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1280, height: 800 } });
  const start = await first.newPage();
  await start.goto(links.console);
  await Promise.all([start.waitForNavigation(), start.locator("main button").click()]);
  const pages = await addresses(start, at);
  const style = await start.locator("link[rel=stylesheet]").getAttribute("href");
  const script = await start.locator("script[src]").getAttribute("src");
  for (const file of [style, script]) {
    const body = await (await first.request.get(new URL(file, links.console).href)).body();
    console.log(`${file}: ${brotliCompressSync(body).length} bytes compressed`);
  }
  const state = await first.storageState();
  for (const { width, locale, scheme } of LOOKS) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, colorScheme: scheme, storageState: state, viewport: { width, height: width === 360 ? 740 : 800 }, hasTouch: width === 360 });
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
    page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("status of 4")) faults.push(`${page.url()}: ${message.text()}`); });
    for (const [name, address] of pages) {
      await look(page, name, new URL(address, links.console).href, { locale, scheme, width, isFirst: width === WIDTHS[0] && scheme === "light" });
    }
    await context.close();
  }
  console.log(`${pages.size} pages, ${LOOKS.length} looks`);
} finally {
  await browser.close();
  await stop();
  rmSync(work, { recursive: true, force: true });
}
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
