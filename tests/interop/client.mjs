// A client of automerge-repo. It takes commands as lines of JSON: find a document, edit it, wait for a content. `node client.mjs <websocket URL>`.
import readline from 'node:readline';
import { Repo } from '@automerge/automerge-repo';
import { WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket';

const repo = new Repo({ network: [new WebSocketClientAdapter(process.argv[2], 500)] });
let handle;

const value = (name, value) => typeof value === 'bigint' ? Number(value) : value;
const plain = (doc) => JSON.parse(JSON.stringify(doc, value));
const grams = (doc) => doc.lots.map((lot) => Number(lot.grams));
const until = async (holds, seconds = 20) => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (holds()) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
};

const commands = {
  find: async ({ url, seconds = 20 }) => {
    try {
      handle = await repo.find(url, { signal: AbortSignal.timeout(seconds * 1000) });
      return { found: true, doc: plain(handle.doc()) };
    } catch (error) {
      return { found: false, why: String(error.message) };
    }
  },
  record: async ({ lot }) => { handle.change((doc) => { doc.lots.push(lot); }); return {}; },
  note: async ({ index, text }) => { handle.change((doc) => { doc.lots[index].note = text; }); return {}; },
  correct: async ({ index, to }) => { handle.change((doc) => { doc.lots[index].grams = to; }); return {}; },
  wait: async ({ want }) => ({ came: await until(() => JSON.stringify(grams(handle.doc())) === JSON.stringify(want)), doc: plain(handle.doc()) }),
};

console.log(JSON.stringify({ ready: true }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  console.log(JSON.stringify(await commands[command.do](command)));
}
process.exit(0);
