// PouchDB against express-pouchdb: a document for each record, in memory on the client.
import express from 'express';
import expressPouch from 'express-pouchdb';
import PouchDB from 'pouchdb';
import os from 'node:os';
import fs from 'node:fs';
import path from 'node:path';

const count = async (db) => {
  const { rows } = await db.allDocs({ include_docs: true });
  return { records: rows.length, grams: rows.reduce((sum, row) => sum + row.doc.grams, 0) };
};
const name = (index) => `lot-${String(index).padStart(6, '0')}`;

export async function serve(folder) {
  const Stored = PouchDB.defaults({ prefix: folder + path.sep });
  const app = express();
  app.use('/', expressPouch(Stored, { mode: 'minimumForPouchDB', inMemoryConfig: true }));
  const listening = app.listen(0, '127.0.0.1');
  await new Promise((done) => listening.once('listening', done));
  const db = new Stored('lots');
  await db.info();
  return {
    port: listening.address().port,
    seed: async (books) => {
      const docs = books.flat().map((record, index) => ({ _id: name(index), ...record }));
      for (let from = 0; from < docs.length; from += 1000) await db.bulkDocs(docs.slice(from, from + 1000));
      return [];
    },
    state: () => count(db),
  };
}

export async function client() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'granary-bench-pouch-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const db = new PouchDB(path.join(folder, 'lots'));
  let sync;
  return {
    know: async () => {},
    record: async (records) => {
      for (const [index, record] of records.entries()) await db.put({ _id: name(index), ...record });
      return [];
    },
    edit: async (edits) => {
      for (const [index, grams] of edits) await db.put({ ...(await db.get(name(index))), grams });
    },
    connect: async (target) => {
      const remote = new PouchDB(`http://127.0.0.1:${target}/lots`, { skip_setup: true });
      sync = db.sync(remote, { live: true, retry: true });
      sync.on('error', (error) => console.error('pouch', error.message));
    },
    state: () => count(db),
    disconnect: async () => { sync?.cancel(); },
  };
}
