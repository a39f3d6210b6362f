// Each page in each of four looks: nothing wider than the screen, no sentence missing, nothing small to press, axe content.
//
//   node --test tests/browser/looks.test.mjs
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { QUESTIONS } from "./fake/questions.js";
import { main, open } from "./screen.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  ["questions", { questions: QUESTIONS }, "#/questions"],
  ["recording while something is asked", { questions: QUESTIONS }, ""],
  ["start", { enrolled: false }, ""], ["look", { enrolled: false }, "#7KQ2-M9XT-4B0F"],
  ["choose", {}, "#/record"], ["weigh", {}, "#/record", (page) => page.locator(".tiles button").nth(2).click()],
  ["place and note", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator(".days .more").click(); }],
  ["other day", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator(".days .chip").nth(2).click(); }],
  ["asked back", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("1250"); await main(page).click(); await page.getByRole("dialog").waitFor(); }],
  ["kept", { offline: true }, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); await main(page).click(); await page.locator(".kept-lot").waitFor(); }],
  ["harvest", { lots: 200 }, "#/harvest"], ["conflict", {}, "#/harvest", (page) => page.locator(".lot:has(.ask) a").first().click()],
  ["lot weighed twice", { weighedTwice: true }, "#/harvest?only=received", (page) => page.locator(".lot a").first().click()], ["weighed lot", {}, "#/harvest?only=received", (page) => page.locator(".lot a").first().click()], ["lot sent back", {}, "#/harvest?only=rejected", (page) => page.locator(".lot a").first().click()],
  ["correct", {}, "#/harvest", async (page) => { await page.locator(".lot a").first().click(); await page.locator(".correct").nth(1).click(); await page.locator(".pad").waitFor(); }],
  ["prices", {}, "#/prices"], ["owed", {}, "#/owed"], ["status", {}, "#/status"],
  ["status with troubles", { revoked: true, wrongDate: "2026-10-03", nearlyFull: true, stopped: true, quarantined: ["一项改动读不出来"], heldBack: { code: "x", sentence: "文件太大" } }, "#/status"],
  ["settings", {}, "#/settings"], ["people", {}, "#/people"], ["hand over", {}, "#/handover"], ["leave", {}, "#/leave"],
  ["receive", { role: "packer" }, "#/receive"], ["weigh in without a grade", { role: "packer" }, "#/receive", async (page) => { await page.locator(".lot a").first().click(); await page.locator("#weighed").fill("12.5"); await main(page).click(); await page.getByRole("alert").waitFor(); }],
  ["weigh in", { role: "packer" }, "#/receive", (page) => page.locator(".lot a").first().click()],
  ["for whom", { role: "recorder" }, "#/record"],
  ["recording for somebody", { role: "recorder" }, "#/for/48217391", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); }],
  ["kept for somebody", { role: "recorder", offline: true }, "#/for/48217391", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); await main(page).click(); await page.locator(".kept-lot").waitFor(); }],
  ["lots of a recorder", { role: "recorder" }, "#/harvest"],
  ["lock", { pin: "1234" }, "#/harvest"],
];
const LOOKS = [
  ["Chinese, light, 360 px", { language: "zh" }, {}],
  ["English, dark, large letters, 360 px", { language: "en", large: true }, { dark: true }],
  ["English, light, 768 px", { language: "en" }, { viewport: { width: 768, height: 1024 } }],
  ["Chinese, dark, large letters, landscape", { language: "zh", large: true }, { dark: true, viewport: { width: 740, height: 360 } }],
];
const TOUCH_MIN_PX = 55;
for (const [look, wishes, how] of LOOKS) {
  test(`every page is sound: ${look}`, async (context) => {
    for (const [name, world, path, act] of PAGES) {
      await context.test(name, () => open({ ...world, ...wishes }, path, async (page) => {
        await page.locator("h1").waitFor();
        if (act) await act(page);
        await page.waitForFunction(() => document.getAnimations().every((one) => one.playState === "finished"));
        const found = await page.evaluate((least) => ({
          wide: document.documentElement.scrollWidth > innerWidth,
          missing: document.body.innerText.match(/⟨[^⟩]*⟩/g),
          small: [...document.querySelectorAll("button, a[href], input:not([type=radio]):not([hidden])")]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1 && one.getBoundingClientRect().height < least).map((one) => one.outerHTML.slice(0, 120)),
        }), TOUCH_MIN_PX);
        assert.deepEqual(found, { wide: false, missing: null, small: [] });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes[0].html}`), []);
      }, how));
    }
  });
}
