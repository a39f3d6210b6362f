// Draws the app's icons from its one drawing, into web/app/icons. Run by hand when the drawing changes.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./fake/browser.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../web/app/icons");
const drawing = readFileSync(join(folder, "granary.svg"), "utf8");
const browser = await launch();
// A maskable icon is cut to any shape: its ground fills the square, and what is drawn keeps to the middle.
const maskable = drawing.replace('rx="96" ', "").replace(/(<rect[^>]*>)([\s\S]*)<\/svg>/, '$1<g transform="translate(51 51) scale(0.8)">$2</g></svg>');
for (const [name, size, svg] of [["granary-192", 192, drawing], ["granary-512", 512, drawing], ["granary-maskable", 512, maskable]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`);
  await page.screenshot({ path: join(folder, `${name}.png`), omitBackground: true });
}
await browser.close();
