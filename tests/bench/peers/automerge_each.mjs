// automerge-repo with its WebSocket server: a document for each record.
import { flat, serveRepo, clientRepo } from './automerge_repo.mjs';

const count = (docs) => ({ records: docs.length, grams: docs.reduce((sum, doc) => sum + (doc.grams ?? 0), 0) });
const fill = (repo, books) => books.flat().map((record) => repo.create(flat(record)).url);

export const serve = (folder) => serveRepo(folder, fill, count);

export const client = () => clientRepo(count, {
  record(repo, handles, records) {
    for (const record of records) handles.push(repo.create(flat(record)));
    return handles.map((handle) => handle.url);
  },
  edit(handles, edits) {
    for (const [index, grams] of edits) handles[index].change((doc) => { doc.grams = grams; });
  },
});
