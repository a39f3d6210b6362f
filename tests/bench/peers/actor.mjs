// One side of a peer, as a process: commands come as lines of JSON on stdin, answers go as lines of JSON
// to stdout. `node actor.mjs <peer> server <folder>` or `node actor.mjs <peer> clients`.
import readline from 'node:readline';
import * as automergeOne from './automerge_one.mjs';
import * as automergeEach from './automerge_each.mjs';
import * as pouch from './pouch.mjs';
import * as yjs from './yjs.mjs';

const peers = { 'automerge-repo, one doc': automergeOne, 'automerge-repo, doc each': automergeEach, pouchdb: pouch, 'yjs+hocuspocus': yjs };
const [, , name, side, folder] = process.argv;
const peer = peers[name];
const stdout = process.stdout.write.bind(process.stdout);
// Libraries that print to stdout would be taken for answers.
process.stdout.write = (chunk, ...rest) => process.stderr.write(chunk, ...rest);
const answer = (what) => stdout(JSON.stringify(what) + '\n');
process.on('uncaughtException', (error) => console.error('uncaught', error.message));
process.on('unhandledRejection', (error) => console.error('unhandled', error?.message));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const same = (have, want) => have.records === want.records && have.grams === want.grams;

/** Until `state()` gives what is wanted, or the time is over. */
async function until(state, want, seconds) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (same(await state(), want)) return true;
    await pause(10);
  }
  return false;
}

const commands = {
  async server() {
    const server = await peer.serve(folder);
    answer({ port: server.port });
    return {
      seed: async ({ books }) => ({ names: await server.seed(books) }),
      wait: async ({ want, seconds }) => ({ ok: await until(() => server.state(), want, seconds) }),
    };
  },
  async clients() {
    let clients = [];
    answer({ ready: true });
    return {
      open: async ({ count }) => { for (let made = 0; made < count; made++) clients.push(await peer.client()); return {}; },
      know: async ({ names }) => { for (const client of clients) await client.know(names); return {}; },
      record: async ({ client, records }) => ({ names: await clients[client].record(records) }),
      edit: async ({ client, edits }) => { await clients[client].edit(edits); return {}; },
      sync: async ({ chosen, target, want, seconds }) => {
        const these = chosen.map((index) => clients[index]);
        await Promise.all(these.map((client) => client.connect(target)));
        const done = await Promise.all(these.map((client) => want ? until(() => client.state(), want, seconds) : true));
        return { ok: done.every(Boolean) };
      },
      disconnect: async ({ chosen }) => { for (const index of chosen) await clients[index].disconnect(); return {}; },
    };
  },
};

const handlers = await commands[side]();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    answer(await handlers[command.do](command));
  } catch (error) {
    console.error(error);
    answer({ error: String(error?.message ?? error) });
  }
}
process.exit(0);
