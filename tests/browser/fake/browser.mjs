// A browser for the tests, and the few things that they all do with it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const launch = (more = []) => chromium.launch({ executablePath: "/usr/bin/chromium", args: [...ARGS, ...more] });

/// A browser with a folder of its own that can be killed and started again.
export async function launchLasting(more = []) {
  const folder = mkdtempSync(join(tmpdir(), "granary-browser-"));
  let killLast = async () => undefined;
  async function start() {
    const child = spawn("/usr/bin/chromium", [...ARGS, ...more, `--user-data-dir=${folder}`, "--remote-debugging-port=0", "about:blank"], { stdio: ["ignore", "ignore", "pipe"], detached: true });
    const address = await new Promise((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (part) => {
        said += part;
        const found = said.match(/DevTools listening on (\S+)/);
        if (found) resolve(found[1]);
      });
      child.on("exit", () => reject(new Error(said)));
    });
    const browser = await chromium.connectOverCDP(address);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const kill = async () => {
      // All its processes: one that lives on writes into the folder that is removed.
      try { process.kill(-child.pid, "SIGKILL"); } catch { /* It has ended. */ }
      await ended;
    };
    killLast = kill;
    return { context: browser.contexts()[0], kill };
  }
  const remove = async () => {
    await killLast();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { start, remove };
}

export async function until(what, check) {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const value = await check();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came: ${what}`);
}

/// A tab with the app in it.
export async function tab(context, world, path = "") {
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.text().includes("Content Security Policy") && page.problems.push(message.text()));
  await page.goto(world.url + path);
  await ready(page);
  return page;
}

export async function ready(page) {
  await page.waitForFunction(() => window.started !== undefined);
  await page.evaluate(() => window.started);
}

/// Calls a method of `core`: `{ok}` or `{error}`.
export const core = (page, method, ...args) => page.evaluate(async ([method, args]) => {
  try {
    return { ok: await window.core[method](...args) };
  } catch (error) {
    return { error: error.code ?? String(error) };
  }
}, [method, args]);

export const call = (page, method, args) => core(page, "call", method, args);
export const record = (page, note) => call(page, "record", { draft: { note } });
export const notes = async (page) => (await call(page, "lots")).ok.map((lot) => lot.note).sort();
export const eventsOf = (page, name) => page.evaluate((name) => window.events.filter((event) => event[0] === name).map((event) => event[1]), name);
export const current = (page) => page.evaluate(() => window.core.profile.id);
