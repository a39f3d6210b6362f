// What both ways of using automerge-repo share. Strings are written as scalars, which is the smaller way.
import { ImmutableString } from '@automerge/automerge';
import { Repo } from '@automerge/automerge-repo';
import { WebSocketClientAdapter, WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket';
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs';
import { WebSocketServer } from 'ws';

export function flat(record) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) =>
    [name, typeof value === 'string' ? new ImmutableString(value) : value]));
}

const loaded = (handles) => handles.filter((handle) => handle.isReady()).map((handle) => handle.doc()).filter(Boolean);

export async function serveRepo(folder, fill, count) {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((done) => sockets.once('listening', done));
  const repo = new Repo({
    network: [new WebSocketServerAdapter(sockets)],
    storage: new NodeFSStorageAdapter(folder),
    // Clients ask for what they want; the server offers nothing by itself.
    sharePolicy: async () => false,
  });
  return {
    port: sockets.address().port,
    seed: async (books) => { const names = fill(repo, books); await repo.flush(); return names; },
    state: async () => count(loaded(Object.values(repo.handles))),
  };
}

export async function clientRepo(count, ways) {
  const repo = new Repo({ sharePolicy: async () => true });
  const handles = [];
  let known = [];
  let adapter;
  return {
    know: async (names) => { known = names; },
    record: async (records) => ways.record(repo, handles, records),
    edit: async (edits) => ways.edit(handles, edits),
    connect: async (target) => {
      adapter = new WebSocketClientAdapter(`ws://127.0.0.1:${target}`);
      repo.networkSubsystem.addNetworkAdapter(adapter);
      // A document that is asked for before the line stands is given up as unavailable, so it is asked for again.
      for (const name of known) {
        const find = async () => {
          for (;;) {
            try { handles.push(await repo.find(name)); return; } catch { await new Promise((done) => setTimeout(done, 500)); }
          }
        };
        find();
      }
      known = [];
    },
    state: async () => count(loaded(handles)),
    disconnect: async () => { if (adapter) repo.networkSubsystem.removeNetworkAdapter(adapter); adapter = undefined; },
  };
}
