// A stand-in for the core in WebAssembly, with the same border: enough of a phone to see what the workers, the store
// and the service worker do at each fault. It counts nothing and merges nothing. Rows: `l ID` a lot, `o ID` the same
// lot in the outbox, `i` the identity; a record writes the first two, and a lot without its outbox row was sent.

const text = new TextEncoder();
const plain = new TextDecoder();

/// True when the second part was loaded, without which a note that says so traps.
let isWhole = false;

export default async function init({ module_or_path }) {
  await module_or_path.arrayBuffer();
  return { came: () => { isWhole = true; } };
}

function refuse(code, sentence = code) {
  return Object.assign(new Error(JSON.stringify({ code, field: null, sentence })));
}

export class Loader {
  rows = new Map();
  put(key, value) {
    this.rows.set(plain.decode(key), plain.decode(value));
  }
  open(language) {
    if (!isWhole && [...this.rows.values()].includes("opening needs the rest")) throw new WebAssembly.RuntimeError("null function");
    return new Phone(this.rows, language);
  }
}

class Phone {
  writes = [];
  constructor(rows, language) {
    Object.assign(this, { rows, words: language });
  }
  language(code) {
    this.words = code;
  }
  set(key, value) {
    if (value === null) this.rows.delete(key);
    else this.rows.set(key, value);
    this.writes.push(text.encode(key), value === null ? null : text.encode(value));
  }
  takeWrites() {
    return this.writes.splice(0);
  }
  list(kind) {
    return [...this.rows.keys()].filter((key) => key.startsWith(`${kind} `)).map((key) => key.slice(2));
  }
  call(json) {
    const { method, ...args } = JSON.parse(json);
    switch (method) {
      case "state":
        return ok({ enrolled: this.rows.has("i"), householdName: this.rows.get("n") ?? this.rows.get("i") ?? null, cooperative: this.rows.has("i") ? "Qinghe" : null });
      case "status":
        return ok({ state: "idle", unsent: this.list("o").length, language: this.words });
      case "record": {
        if (args.draft.note.includes("needs the rest") && !isWhole) throw new WebAssembly.RuntimeError("null function");
        const id = crypto.randomUUID();
        this.set(`l ${id}`, args.draft.note);
        this.set(`o ${id}`, args.draft.note);
        return ok({ id });
      }
      case "lots":
        return ok(this.list("l").map((id) => ({ id, note: this.rows.get(`l ${id}`), sent: !this.rows.has(`o ${id}`) })));
      case "fill":
        // What can't be compressed.
        this.set(`x ${args.name}`, Array.from({ length: args.bytes / 8 }, () => Math.random().toString(36).slice(2, 10)).join(""));
        return ok({});
      case "leave":
        if (this.list("o").length > 0 && !args.force) return refusal("not-delivered");
        for (const key of [...this.rows.keys()]) this.set(key, null);
        return ok({});
      case "trap":
        throw new WebAssembly.RuntimeError("unreachable");
      case "hang":
        for (;;);
      default:
        return refusal("no-such-method");
    }
  }
  begin(kind, json) {
    const args = JSON.parse(json);
    if (kind === "sync" && !this.rows.has("i")) throw refuse("not-enrolled");
    return new Work(this, kind, args);
  }
}

const ok = (value) => JSON.stringify({ ok: value });
const refusal = (code) => JSON.stringify({ error: { code, field: null, sentence: code } });

class Work {
  step = "sign";
  parts = [];
  result = null;
  constructor(phone, kind, args) {
    Object.assign(this, { phone, kind, args });
  }
  next() {
    if (this.step === "send") {
      const path = { enrol: "/enrol", look: "/look" }[this.kind] ?? "/s";
      return JSON.stringify({ do: "send", method: "POST", path, headers: { "x-signature": btoa(String.fromCharCode(...this.signature)) } });
    }
    return JSON.stringify({ do: this.step });
  }
  toSign() {
    return this.content();
  }
  content() {
    return text.encode(JSON.stringify({ kind: this.kind, ...this.args, lots: this.phone.list("o") }));
  }
  signed(signature) {
    if (signature.length !== 64) throw refuse("bad-signature");
    this.signature = signature;
    this.step = this.kind === "listen" || this.kind === "outbox" ? "done" : "send";
    this.result = ok({});
  }
  body() {
    return this.content();
  }
  answerBegins(status) {
    this.status = status;
    this.parts = [];
  }
  chunk(bytes) {
    this.parts.push(...bytes);
  }
  answerEnds() {
    const answer = plain.decode(new Uint8Array(this.parts));
    if (answer === "trap") throw new WebAssembly.RuntimeError("unreachable");
    if (answer === "hang") for (;;);
    if (this.status !== 200) return this.fail(answer);
    if (this.kind === "enrol") this.phone.set("i", this.args.name);
    // The household's particulars come with a sync.
    const { named } = JSON.parse(answer);
    if (named && named !== this.phone.rows.get("n")) this.phone.set("n", named);
    for (const id of JSON.parse(answer).taken ?? []) this.phone.set(`o ${id}`, null);
    this.step = "done";
    this.result = ok(JSON.parse(answer));
  }
  broke(reason) {
    this.fail(reason);
  }
  fail(code) {
    this.step = "failed";
    this.result = refusal(code);
  }
  traffic() {}
  outcome() {
    return this.result;
  }
  bytes() {
    return this.content();
  }
  free() {}
}
