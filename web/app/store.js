// The durable store of one profile: rows of the core in IndexedDB, with the key pair and a few notes beside them.
// What one call wrote goes into one transaction, with the call's answer, so that a call that is asked again after a
// broken worker is answered and not carried out twice. The latest opening alone may write: an older worker that
// wakes up late finds another number and writes nothing.

/// Grows when rows of an older app can't be read any more.
const SCHEMA = 1;
/// Answers that are kept for a call that is asked again; a page has far fewer under way.
const ANSWERS_MAX = 64;
/// The site's data counts as nearly full with less than this left, in bytes.
const LEFT_BYTES_MIN = 10_000_000;

/// What went wrong with the store, with a code that a page has words for.
export class StoreError extends Error {
  constructor(code, cause) {
    super(`${code}: ${cause?.name ?? ""} ${cause?.message ?? cause ?? ""}`);
    this.code = code;
  }
}

function named(cause) {
  if (cause instanceof StoreError) return cause;
  if (cause?.name === "QuotaExceededError") return new StoreError("storage-full", cause);
  // Thrown where the browser forbids storing (private windows), or the person has cleared the site's data.
  if (["SecurityError", "InvalidStateError"].includes(cause?.name)) return new StoreError("storage-gone", cause);
  if (cause?.name === "VersionError") return new StoreError("newer-store", cause);
  return new StoreError("storage", cause);
}

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(named(request.error));
});

const finished = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(named(transaction.error ?? "aborted"));
});

const databaseName = (profile) => `granary-${profile}`;

function openDatabase(profile) {
  return new Promise((resolve, reject) => {
    let request;
    try {
      request = indexedDB.open(databaseName(profile), 1);
    } catch (error) {
      reject(named(error));
      return;
    }
    request.onupgradeneeded = () => {
      request.result.createObjectStore("rows");
      request.result.createObjectStore("meta");
      request.result.createObjectStore("answers", { autoIncrement: true }).createIndex("call", "call");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(named(request.error));
    // Another tab with an older version has it open; it closes as soon as it hears `versionchange`.
    request.onblocked = () => undefined;
  });
}

/// Removes all that a profile has on this phone.
export async function removeStore(profile) {
  await result(indexedDB.deleteDatabase(databaseName(profile)));
}

/// How much the browser grants and what is used of it, in bytes.
export async function readStorage() {
  const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  const persisted = (await navigator.storage?.persisted?.()) ?? false;
  return { usage, quota, persisted, nearlyFull: quota > 0 && quota - usage < LEFT_BYTES_MIN };
}

export class ProfileStore {
  #database;
  #opening;
  #claimed = false;
  /// Called when the browser takes the store away while it is open.
  onGone = () => undefined;

  /// Opens the store as its only writer. Gives the store and its rows as `[key, value]` pairs.
  static async open(profile) {
    const store = new ProfileStore();
    store.#database = await openDatabase(profile);
    store.#database.onversionchange = () => store.#lose();
    store.#database.onclose = () => store.#lose();
    try {
      return { store, rows: await store.#read("readwrite") };
    } catch (error) {
      if (error.code === "storage-full") return { store, rows: await store.#read("readonly") };
      store.close();
      throw error;
    }
  }

  /// Reads all rows, and claims the store in the same transaction. Where there is no room even for that, the first
  /// write that finds room claims it.
  async #read(mode) {
    const transaction = this.#begin(["rows", "meta"], mode);
    const done = finished(transaction);
    // A failed request aborts the transaction; its own error is enough.
    done.catch(() => undefined);
    const [rows, meta] = [transaction.objectStore("rows"), transaction.objectStore("meta")];
    const [schema, opening = 0, keys, values] = await Promise.all([
      result(meta.get("schema")), result(meta.get("opening")), result(rows.getAllKeys()), result(rows.getAll()),
    ]);
    if (schema !== undefined && schema > SCHEMA) throw new StoreError("newer-store", `schema ${schema}`);
    this.#opening = opening;
    this.#claimed = mode === "readwrite";
    if (this.#claimed) {
      this.#opening += 1;
      meta.put(SCHEMA, "schema");
      meta.put(this.#opening, "opening");
    }
    await done;
    return keys.map((key, index) => [new Uint8Array(key), values[index]]);
  }

  #lose() {
    this.close();
    this.onGone();
  }

  #begin(names, mode) {
    try {
      return this.#database.transaction(names, mode, { durability: "strict" });
    } catch (error) {
      throw named(error);
    }
  }

  /// Runs `fill` in one strict transaction, which is durable when this returns. Nothing of it is kept when it fails.
  async #write(names, fill) {
    const transaction = this.#begin([...new Set([...names, "meta"])], "readwrite");
    const done = finished(transaction);
    const meta = transaction.objectStore("meta");
    const opening = meta.get("opening");
    let superseded = false;
    let thrown;
    opening.onsuccess = () => {
      superseded = (opening.result ?? 0) !== this.#opening;
      try {
        if (superseded) transaction.abort();
        else fill(transaction);
        if (!superseded && !this.#claimed) meta.put(this.#opening + 1, "opening");
      } catch (error) {
        thrown = error;
        transaction.abort();
      }
    };
    try {
      await done;
      if (!this.#claimed) this.#opening += 1;
      this.#claimed = true;
    } catch (error) {
      if (superseded) throw new StoreError("superseded", error);
      throw thrown ? named(thrown) : error;
    }
  }

  /// Makes the writes of one call durable: key, value, key, value; a null value removes. `answer` is what the call
  /// `call` will be told, now and when it is asked again.
  async write(writes, call = null, answer = null) {
    await this.#write(["rows", "answers"], (transaction) => {
      const rows = transaction.objectStore("rows");
      for (let at = 0; at < writes.length; at += 2) {
        if (writes[at + 1] == null) rows.delete(writes[at]);
        else rows.put(writes[at + 1], writes[at]);
      }
      if (call === null) return;
      const answers = transaction.objectStore("answers");
      const added = answers.add({ call, answer });
      added.onsuccess = () => answers.delete(IDBKeyRange.upperBound(added.result - ANSWERS_MAX));
    });
  }

  /// What a call was answered that was carried out already; undefined for one that was not.
  async answered(call) {
    const answers = this.#begin(["answers"], "readonly").objectStore("answers");
    return (await result(answers.index("call").get(call)))?.answer;
  }

  /// A note beside the rows; undefined when there is none.
  async note(name) {
    return result(this.#begin(["meta"], "readonly").objectStore("meta").get(name));
  }

  /// Keeps a note durably.
  async keepNote(name, value) {
    await this.#write(["meta"], (transaction) => transaction.objectStore("meta").put(value, name));
  }

  close() {
    this.#database?.close();
  }
}
