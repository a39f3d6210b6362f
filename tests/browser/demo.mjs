// The demo, for programs that look at it as its users would.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createServer } from "node:net";

// A stop finishes the requests in progress, which takes seconds.
const STOP_MILLIS_MAX = 60_000;

function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); });
  });
}

/// Starts the demo in a folder; gives the links that it prints (into the console, for a phone, for a phone in the browser),
/// and what stops it.
export async function startDemo(program, folder) {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const started = await startOnce(program, folder);
    if (started) return started;
  }
  throw new Error("the demo ended before it printed its links");
}

// None where it ended at once: somebody else took the port between the look and the start.
async function startOnce(program, folder) {
  const words = ["demo", "--folder", folder, "--port", String(await freePort())];
  const server = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => server.once("exit", done));
  // A program that fails before its end must not leave the demo behind, which holds the streams that its caller reads.
  process.once("exit", () => server.kill("SIGKILL"));
  const stop = async () => {
    server.kill("SIGINT");
    const late = setTimeout(() => server.kill("SIGKILL"), STOP_MILLIS_MAX);
    await ended;
    clearTimeout(late);
    if (server.signalCode) throw new Error("the demo did not stop");
  };
  const links = {};
  for await (const line of createInterface({ input: server.stdout })) {
    links.console ??= line.match(/https:\S+\/once\/\S+/)?.[0];
    links.phone ??= line.match(/granary:[^']+/)?.[0];
    links.app ??= line.match(/http:\S+\/app\/#\S+/)?.[0];
    if (links.console && links.phone && links.app) return { links, stop };
  }
  return undefined;
}
