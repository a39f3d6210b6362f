// The app's store in a real browser, for whoever asks by lines of JSON: `open` kills the browser, starts it again, and gives the rows
// that are durable; `write` makes writes durable in one transaction. Keys and values are hexadecimal.
import { createInterface } from "node:readline";
import { launchLasting } from "./fake/browser.mjs";
import { serve } from "./fake/serve.mjs";

const site = await serve();
const browser = await launchLasting();
let open = null;
let page = null;
let openings = 0;

async function opened() {
  await open?.kill();
  open = await browser.start();
  page = await open.context.newPage();
  // A page of the app's origin and policy; the app itself stays out of the way.
  await page.goto(`${site.origin}/app/manifest.webmanifest`);
  openings += 1;
  return page.evaluate(async () => {
    const { ProfileStore } = await import("/app/store.js");
    const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const { store, rows } = await ProfileStore.open("conformance");
    window.store = store;
    return rows.map(([key, value]) => [hex(key), hex(value)]);
  });
}

const written = (writes) => page.evaluate(async (writes) => {
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  await window.store.write(writes.flatMap(([key, value]) => [bytes(key), value === null ? null : bytes(value)]));
  return "durable";
}, writes);

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.do === "end") break;
  const answer = asked.do === "open" ? await opened() : asked.do === "write" ? await written(asked.writes) : openings;
  console.log(JSON.stringify(answer));
}
await browser.remove();
site.stop();
process.exit(0);
