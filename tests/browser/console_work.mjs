// A coordinator's daily work in the demo, done as a person would, with every click, key and page counted; ends with status 1 where
// a task takes more than it should, or does not do what it says.
//
//   node tests/browser/console_work.mjs [PROGRAM]
//
// PROGRAM is the `granary` program (target/debug/granary). A typed text counts a key for each letter. Seconds are the machine's.
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startDemo } from "./demo.mjs";
import { launch, until } from "./fake/browser.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const work = mkdtempSync(join(tmpdir(), "granary-work-"));
const { links, stop } = await startDemo(program, join(work, "demo"));
const browser = await launch();
const at = (path) => new URL(`/console${path}`, links.console).href;
const told = [];

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "zh-CN", viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("status of 4")) problems.push(message.text()); });
  await page.goto(links.console);
  await Promise.all([page.waitForNavigation(), page.locator("main button").click()]);

  let clicks = 0;
  let keys = 0;
  const click = (locator) => { clicks += 1; return locator.click(); };
  const press = (key) => { keys += 1; return page.keyboard.press(key); };
  const write = (text) => { keys += [...text].length; return page.keyboard.type(text); };
  const leads = (doing) => Promise.all([page.waitForNavigation(), doing]);
  const text = () => page.locator("main").innerText();

  async function task(name, most, doing) {
    await page.goto(at(""));
    clicks = 0;
    keys = 0;
    const began = performance.now();
    await doing();
    const seconds = (performance.now() - began) / 1000;
    told.push({ name, clicks, keys, seconds });
    assert.ok(clicks + keys <= most, `${name}: ${clicks} clicks and ${keys} keys, at most ${most}`);
  }

  const open = at("/harvests?state=recorded");
  await page.goto(open);
  const household = (await page.locator("tbody tr td:nth-child(2)").first().innerText()).split(" · ")[0];

  await task("find a lot by its household's name", 12, async () => {
    await press("/");
    await write("fxy 小米");
    await leads(press("Enter"));
    await page.locator("tbody a[href*='/lots/']").first().waitFor();
    await press("j");
    await leads(press("Enter"));
    assert.match(await text(), /樊秀英|小米/);
  });

  await task("receive a lot", 24, async () => {
    await press("/");
    await write(household);
    await leads(press("Enter"));
    if (page.url().includes("/search")) await leads(click(page.locator("main a[href*='/households/']").first()));
    if (!(await page.locator("main a[href*='/lots/']").count())) await leads(click(page.locator("main a[href*='/harvests?household=']").first()));
    const lot = page.locator("tbody tr", { hasNotText: "已入库" }).locator("a[href*='/lots/']").first();
    await leads(click(lot));
    await click(page.locator("form[action$=receipt] [name=state][value=received]"));
    await click(page.locator("form[action$=receipt] [name=grams]"));
    const recorded = await page.locator("form[action$=correct] [name=grams]").inputValue();
    await write(recorded);
    await leads(press("Enter"));
    await until("the receipt", async () => { await page.reload(); return /已入库/.test(await text()); });
  });

  await task("settle a conflict", 4, async () => {
    const first = async () => page.locator("article.case").first().getAttribute("id");
    await leads(click(page.locator("main a[href='/console/cases']").first()));
    const was = await first();
    await press("j");
    await leads(press("s"));
    assert.notEqual(await first(), was, "the next one is shown");
    await page.locator(".toast", { hasText: "已处理" }).waitFor();
    await leads(press("u"));
    await page.locator(".toast", { hasText: "已撤销" }).waitFor();
  });

  await task("change a price", 12, async () => {
    await leads(click(page.locator("header a[href='/console/catalogue']")));
    await leads(click(page.locator("main a[href='/console/catalogue/millet']").first()));
    const price = page.locator("main input[name^='price:']").first();
    clicks += 1;
    await price.click({ clickCount: 3 });
    const value = Number(await price.inputValue());
    await write((value + 0.1).toFixed(2));
    await leads(press("Enter"));
    await page.locator(".toast", { hasText: "已保存" }).waitFor();
  });

  await task("ten cases by keyboard", 40, async () => {
    await leads(click(page.locator("main a[href='/console/cases']").first()));
    for (let done = 0; done < 10; done += 1) {
      await press("j");
      await press("1");
      await leads(press("s"));
      if (!(await page.locator("article.case").count())) break;
    }
    assert.equal(clicks, 1, "only the way there was a click");
  });

  // A message goes by itself after a while, but not from under the focus or the pointer.
  const timed = await context.newPage();
  await timed.clock.install();
  await timed.goto(at("/catalogue/millet"));
  await timed.locator("form[action='/console/catalogue'] input[name=en]").first().fill("Foxtail millet");
  await Promise.all([timed.waitForNavigation(), timed.keyboard.press("Enter")]);
  const toast = timed.locator(".toast", { hasText: "已保存" });
  await toast.waitFor();
  await timed.clock.fastForward(12_000);
  assert.equal(await toast.count(), 1, "there is time to take it back");
  await toast.locator("button").focus();
  await timed.clock.fastForward(20_000);
  assert.equal(await toast.count(), 1, "it has the focus");
  await toast.hover();
  await timed.evaluate(() => document.activeElement.blur());
  await timed.clock.fastForward(20_000);
  assert.equal(await toast.count(), 1, "somebody points at it");
  await timed.mouse.move(1, 1);
  await timed.clock.fastForward(16_000);
  assert.equal(await toast.count(), 0);
  await timed.close();

  // The help tells the keys, and closes.
  await page.keyboard.press("?");
  await page.locator("dialog#keys").getByText("j k").waitFor();
  await page.keyboard.press("Escape");
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
  await stop();
  rmSync(work, { recursive: true, force: true });
}
for (const { name, clicks, keys, seconds } of told) console.log(`${name}: ${clicks} clicks, ${keys} keys, ${seconds.toFixed(1)} s`);
