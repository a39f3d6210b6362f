// automerge-repo with its WebSocket server: a document for each book, its lots a list of maps.
import { flat, serveRepo, clientRepo } from './automerge_repo.mjs';

const empty = { lots: [] };
const push = (record) => (doc) => { doc.lots.push(flat(record)); };
const count = (docs) => ({
  records: docs.reduce((sum, doc) => sum + doc.lots.length, 0),
  grams: docs.reduce((sum, doc) => sum + doc.lots.reduce((all, lot) => all + lot.grams, 0), 0),
});

function fill(repo, books) {
  return books.map((records) => {
    const handle = repo.create(structuredClone(empty));
    for (const record of records) handle.change(push(record));
    return handle.url;
  });
}

export const serve = (folder) => serveRepo(folder, fill, count);

export const client = () => clientRepo(count, {
  record(repo, handles, records) {
    if (handles.length === 0) handles.push(repo.create(structuredClone(empty)));
    for (const record of records) handles[0].change(push(record));
    return [handles[0].url];
  },
  edit(handles, edits) {
    for (const [index, grams] of edits) handles[0].change((doc) => { doc.lots[index].grams = grams; });
  },
});
