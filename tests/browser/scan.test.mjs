// Joining by the camera: a browser whose camera sees the square code of an invitation, and one whose person says no.
//
//   node --test tests/browser/scan.test.mjs
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { film } from "./fake/camera.mjs";
import { serve } from "./fake/screens.mjs";

// `7KQ2-M9XT-4B0F` as a QR code.
const CODE = [
  "#######....##.#######", "#.....#..#.##.#.....#", "#.###.#.#.##..#.###.#", "#.###.#.#.###.#.###.#", "#.###.#.#..##.#.###.#",
  "#.....#.#...#.#.....#", "#######.#.#.#.#######", "........#####........", "#.#####...#.#.#####..", ".##.##.#.##.##.....##",
  "..#..##..#.#.###.####", "...###.#.....####.#..", "..#.#####.##..##...#.", "........#####..#...#.", "#######...#.#....##..",
  "#.....#.#.###....#.##", "#.###.#.#...###..###.", "#.###.#.###.#...#.#..", "#.###.#.#..#...##....", "#.....#..#.......#..#", "#######.#..#....#.#..",
];
const [WIDTH, HEIGHT, MODULE] = [320, 240, 8];

/** What the camera sees: the code in the middle of a white sheet. */
function invitation() {
  const light = Buffer.alloc(WIDTH * HEIGHT, 235);
  const [left, top] = [(WIDTH - CODE.length * MODULE) / 2, (HEIGHT - CODE.length * MODULE) / 2];
  CODE.forEach((row, y) => [...row].forEach((module, x) => {
    if (module !== "#") return;
    for (let line = 0; line < MODULE; line += 1) light.fill(16, (top + y * MODULE + line) * WIDTH + left + x * MODULE, (top + y * MODULE + line) * WIDTH + left + (x + 1) * MODULE);
  }));
  return film(light, WIDTH, HEIGHT);
}

const folder = mkdtempSync(join(tmpdir(), "granary-camera-"));
let site;
before(async () => {
  writeFileSync(join(folder, "camera.y4m"), invitation());
  site = await serve();
});
after(async () => {
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function scanning(camera, run, prepare = () => undefined) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", ...camera],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 }, locale: "zh-CN" });
    page.setDefaultTimeout(15_000);
    await page.addInitScript(() => { localStorage.setItem("fake.world", JSON.stringify({ enrolled: false })); });
    await page.addInitScript(prepare);
    await page.goto(site.address);
    await page.getByRole("button", { name: "扫码" }).click();
    await run(page);
  } finally {
    await browser.close();
  }
}

test("the camera reads the invitation, and what it is for is shown", () => scanning(
  ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${join(folder, "camera.y4m")}`],
  async (page) => {
    await page.getByText("太行小米合作社").waitFor();
    await page.goBack();
    await page.getByLabel("邀请码").waitFor();
  },
));

test("the browser's own detector reads it where there is one, and only where it knows such codes", async () => {
  const camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${join(folder, "camera.y4m")}`];
  for (const formats of [["qr_code"], ["ean_13"]]) {
    let own = false;
    await scanning(camera, async (page) => {
      await page.getByText("太行小米合作社").waitFor();
      own = await page.evaluate(() => window.detected > 0);
    }, `window.detected = 0;
      window.BarcodeDetector = class {
        static async getSupportedFormats() { return ${JSON.stringify(formats)}; }
        async detect() { window.detected += 1; return window.detected < 3 ? [] : [{ rawValue: "7KQ2-M9XT-4B0F" }]; }
      };`);
    assert.equal(own, formats.includes("qr_code"), String(formats));
  }
});

test("without a camera the code can be typed", () => scanning(["--deny-permission-prompts"], async (page) => {
  await page.getByText("可以手打邀请码").waitFor();
  await page.getByRole("button", { name: "改为手打" }).click();
  await page.getByLabel("邀请码").waitFor();
}));
