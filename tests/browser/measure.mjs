// Measures the phone in the browser against a demo, on this machine, for docs/FIGURES.md:
//
//   node tests/browser/measure.mjs [PROGRAM]
//
// From the tap to 'kept', with the page slowed down sixfold; the memory of the browser's process with 1,500 lots; how long
// such a phone takes to open; how evenly its list is drawn while it is scrolled.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { startDemo } from "./demo.mjs";
import { launch } from "./fake/browser.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = resolve(process.argv[2] ?? join(root, "target/debug/granary"));
const work = mkdtempSync(join(tmpdir(), "granary-measure-"));
const LOTS = 1_500;
const TAPS = 20;
const FRAMES = 240;
const share = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];
const median = (values) => share(values, 0.5);

const { links, stop } = await startDemo(program, join(work, "demo"));
const browser = await launch();
try {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  await page.goto(links.app);
  const main = page.locator(".action .main");
  await page.getByText("临县山货合作社").first().waitFor();
  await main.click();
  const millet = page.getByRole("button", { name: /小米/ }).first();
  await millet.waitFor();
  await page.evaluate(async () => { window.core = (await import("./core.js")).core; });
  const session = await context.newCDPSession(page);

  const keep = async () => {
    await page.goto(`${new URL(links.app).origin}/app/#/`);
    await millet.click();
    for (const digit of "62") await page.locator(".pad").getByRole("button", { name: digit, exact: true }).click();
    await page.locator(".choice label").first().click();
    return page.evaluate(() => new Promise((done) => {
      const isKept = () => /存在这部手机里了|合作社收到了/.test(document.querySelector("main")?.textContent ?? "");
      let began;
      new MutationObserver((_, observer) => {
        if (isKept()) {
          observer.disconnect();
          done(performance.now() - began);
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
      began = performance.now();
      document.querySelector(".action .main").click();
    }));
  };
  for (const rate of [1, 6]) {
    await session.send("Emulation.setCPUThrottlingRate", { rate });
    const taps = [];
    for (let tap = 0; tap < TAPS; tap += 1) taps.push(await keep());
    console.log(`tap to kept, page slowed down ${rate} times: median ${median(taps).toFixed(0)} ms, worst ${Math.max(...taps).toFixed(0)} ms`);
  }
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });

  await page.evaluate(async (lots) => {
    const { today } = await window.core.call("state", {});
    for (let lot = 0; lot < lots; lot += 1) {
      await window.core.call("record", { draft: { product: "millet", grams: 20_000 + lot, grade: "A", day: today, place: "", note: "" } });
    }
  }, LOTS - 2 * TAPS);
  await page.close();
  const again = await context.newPage();
  const began = Date.now();
  await again.goto(new URL(links.app).origin + "/app/");
  await again.getByRole("button", { name: /小米/ }).first().waitFor();
  console.log(`opening with ${LOTS} lots: ${Date.now() - began} ms`);
  await again.goto(`${new URL(links.app).origin}/app/#/harvest`);
  await again.getByText(/20/).first().waitFor();
  const slowed = await context.newCDPSession(again);
  await slowed.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  const frames = await again.evaluate((count) => new Promise((done) => {
    const [times, way] = [[], document.documentElement.scrollHeight / count];
    const draw = (now) => {
      times.push(now);
      scrollTo(0, times.length * way);
      if (times.length <= count) requestAnimationFrame(draw);
      else done(times.slice(1).map((time, at) => time - times[at]));
    };
    requestAnimationFrame(draw);
  }), FRAMES);
  console.log(`from frame to frame while the list is scrolled, page slowed down 6 times: median ${median(frames).toFixed(1)} ms, of 95 in 100 at most ${share(frames, 0.95).toFixed(1)} ms, worst ${Math.max(...frames).toFixed(1)} ms`);
  await slowed.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  const resident = readdirSync("/proc").filter((id) => /^\d+$/.test(id)).flatMap((id) => {
    try {
      if (!readFileSync(`/proc/${id}/cmdline`, "utf8").includes("--type=renderer")) return [];
      return [Number(readFileSync(`/proc/${id}/smaps_rollup`, "utf8").match(/Private_Dirty:\s+(\d+)/)[1])];
    } catch { return []; }
  });
  console.log(`memory of its process with ${LOTS} lots: ${Math.round(Math.max(...resident) / 1024)} MB`);
  console.log(`its files: ${execFileSync("du", ["-sb", join(root, "web/dist")], { encoding: "utf8" }).split("\t")[0]} bytes`);
} finally {
  await browser.close();
  await stop();
  rmSync(work, { recursive: true, force: true });
}
