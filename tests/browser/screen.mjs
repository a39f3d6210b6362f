// The app in a real browser over a core in memory, for the tests of its screens. Who imports it has one browser and one server from
// before the first test to after the last.
import { strict as assert } from "node:assert";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "./fake/screens.mjs";

const PHONE = { width: 360, height: 740 };
let site;
let browser;

before(async () => {
  site = await serve();
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

// Opens the app over a world; ends with a failure if the page had an error or broke its policy.
export async function open(world, path, run, { viewport = PHONE, dark = false, lastGrade = "A" } = {}) {
  const context = await browser.newContext({ viewport, locale: world.language === "en" ? "en-GB" : "zh-CN", colorScheme: dark ? "dark" : "light", hasTouch: true });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  await page.addInitScript(([json, lastGrade]) => {
    if (localStorage.getItem("fake.world") === null) {
      localStorage.setItem("fake.world", json);
      // As after a season: each product had a grade once.
      for (const code of lastGrade ? ["millet", "chestnut", "chilli", "potato"] : []) localStorage.setItem(`granary.grade.p1.${code}`, lastGrade);
    }
    window.buzzes = [];
    navigator.vibrate = (millis) => { window.buzzes.push(millis); return true; };
  }, [JSON.stringify(world), lastGrade]);
  try {
    await page.goto(`${site.address}${path}`);
    await page.waitForSelector("main, progress");
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

export const main = (page) => page.locator(".action .main");
export const key = (page, name) => page.locator(".pad").getByRole("button", { name, exact: true });
export async function type(page, digits, tap = (locator) => locator.click()) {
  for (const digit of digits) await tap(key(page, digit === "." ? /小数点|Point/ : digit));
}
export const told = (page, sentence) => page.waitForFunction((wanted) => document.getElementById("said").textContent.includes(wanted), sentence);
