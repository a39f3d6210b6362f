// Yjs with Hocuspocus: a document for each book, its lots an array of maps.
import fs from 'node:fs';
import path from 'node:path';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { Server } from '@hocuspocus/server';
import WebSocket from 'ws';
import * as Y from 'yjs';

const count = (docs) => {
  const lots = docs.flatMap((doc) => doc.getArray('lots').toArray());
  return { records: lots.length, grams: lots.reduce((sum, lot) => sum + lot.get('grams'), 0) };
};
const push = (doc, record) => doc.transact(() => { doc.getArray('lots').push([new Y.Map(Object.entries(record))]); });

export async function serve(folder) {
  fs.mkdirSync(folder, { recursive: true });
  const file = (name) => path.join(folder, name);
  const server = new Server({
    port: 0,
    address: '127.0.0.1',
    quiet: true,
    debounce: 200,
    onLoadDocument: async ({ documentName, document }) => {
      if (fs.existsSync(file(documentName))) Y.applyUpdate(document, fs.readFileSync(file(documentName)));
      return document;
    },
    onStoreDocument: async ({ documentName, document }) => {
      fs.writeFileSync(file(documentName), Y.encodeStateAsUpdate(document));
    },
  });
  await server.listen();
  return {
    port: server.address.port,
    seed: async (books) => books.map((records, index) => {
      const doc = new Y.Doc();
      for (const record of records) push(doc, record);
      fs.writeFileSync(file(`book-${index}`), Y.encodeStateAsUpdate(doc));
      return `book-${index}`;
    }),
    state: async () => count([...server.hocuspocus.documents.values()]),
  };
}

export async function client() {
  const docs = new Map();
  const book = (name) => { if (!docs.has(name)) docs.set(name, new Y.Doc()); return docs.get(name); };
  let socket;
  let providers = [];
  return {
    know: async (names) => { names.forEach(book); },
    record: async (records) => { for (const record of records) push(book('book-0'), record); return ['book-0']; },
    edit: async (edits) => {
      const lots = book('book-0').getArray('lots');
      for (const [index, grams] of edits) lots.get(index).set('grams', grams);
    },
    connect: async (target) => {
      socket = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${target}`, WebSocketPolyfill: WebSocket });
      providers = [...docs].map(([name, document]) => {
        const provider = new HocuspocusProvider({ websocketProvider: socket, name, document });
        provider.attach();
        return provider;
      });
    },
    state: async () => count([...docs.values()]),
    disconnect: async () => { providers.forEach((provider) => provider.destroy()); socket?.destroy(); },
  };
}
