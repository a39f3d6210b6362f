// Reads and writes a WebAssembly module as `web/split.mjs` needs it: its sections, and the functions that each function
// names. What it doesn't know is an error, never skipped.

const MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
/// Sections by their number, in the order in which a module has them.
const SECTION = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8, element: 9, dataCount: 12, code: 10, data: 11 };
export const KIND = { function: 0, table: 1, memory: 2, global: 3 };

export function u32(value) {
  const bytes = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) | (rest > 0 ? 128 : 0));
    value = rest;
  } while (value > 0);
  return Buffer.from(bytes);
}

/// A number with a sign, as constants have it.
export function s32(value) {
  const bytes = [];
  for (;;) {
    const part = value & 127;
    value >>= 7;
    const isLast = (value === 0 && !(part & 64)) || (value === -1 && (part & 64));
    bytes.push(isLast ? part : part | 128);
    if (isLast) return Buffer.from(bytes);
  }
}

const text = (value) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const vector = (items) => Buffer.concat([u32(items.length), ...items]);

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  byte() {
    if (this.at >= this.bytes.length) throw new Error("the module is cut");
    return this.bytes[this.at++];
  }

  u32() {
    let [value, scale] = [0, 1];
    for (;;) {
      const part = this.byte();
      value += (part & 127) * scale;
      if (part < 128) return value;
      scale *= 128;
    }
  }

  /// Passes a number of any length.
  pass() {
    while (this.byte() >= 128);
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Error("the module is cut");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return this.take(this.u32()).toString();
  }

  vector(read) {
    return Array.from({ length: this.u32() }, () => read(this));
  }

  /// The bytes that `read` passes.
  span(read) {
    const begin = this.at;
    read(this);
    return this.bytes.subarray(begin, this.at);
  }
}

const limits = (reader) => {
  const flags = reader.byte();
  if (flags > 1) throw new Error(`limits of kind ${flags}`);
  return { least: reader.u32(), most: flags ? reader.u32() : null };
};
const limitsBytes = ({ least, most }) => (most === null ? Buffer.concat([u32(0), u32(least)]) : Buffer.concat([u32(1), u32(least), u32(most)]));

/// The bytes of a type, less its form: what a table or a global holds.
const valueType = (reader) => reader.span(() => reader.byte());

function readImport(reader) {
  const [module, name, kind] = [reader.text(), reader.text(), reader.byte()];
  if (kind !== KIND.function) throw new Error(`an import of kind ${kind}`);
  return { module, name, kind, type: u32(reader.u32()) };
}

/// A constant expression, with its end.
const constant = (reader) => reader.span(() => {
  for (let code = reader.byte(); code !== 0x0b; code = reader.byte()) {
    if (code === 0x41 || code === 0x42 || code === 0x23 || code === 0xd0) reader.pass();
    else throw new Error(`a constant of ${code}`);
  }
});

function readElement(reader) {
  const flags = reader.u32();
  if (flags === 0) return { table: 0, offset: offsetOf(constant(reader)), functions: reader.vector(() => reader.u32()) };
  if (flags !== 2) throw new Error(`elements of kind ${flags}`);
  const [table, offset] = [reader.u32(), offsetOf(constant(reader))];
  if (reader.byte() !== 0) throw new Error("elements that are no functions");
  return { table, offset, functions: reader.vector(() => reader.u32()) };
}

function offsetOf(bytes) {
  if (bytes[0] !== 0x41) throw new Error("elements at an offset that is no constant");
  return new Reader(bytes.subarray(1)).u32();
}

function elementBytes({ table, offset, functions }) {
  const place = Buffer.concat([Buffer.from([0x41]), s32(offset), Buffer.from([0x0b])]);
  const list = vector(functions.map(u32));
  return table === 0 ? Buffer.concat([u32(0), place, list]) : Buffer.concat([u32(2), u32(table), place, Buffer.from([0]), list]);
}

/// Names of functions by their index.
function readNames(bytes) {
  const reader = new Reader(bytes);
  while (reader.at < bytes.length) {
    const kind = reader.byte();
    const part = new Reader(reader.take(reader.u32()));
    if (kind === 1) return new Map(part.vector(() => [part.u32(), part.text()]));
  }
  return new Map();
}

/// A module as its parts. `bodies` and `functions` (their types) are the functions of its own, after those imported.
export function read(bytes) {
  if (!bytes.subarray(0, 8).equals(MAGIC)) throw new Error("no WebAssembly");
  const module = {
    types: [], imports: [], functions: [], tables: [], memories: [], globals: [], exports: [], elements: [], bodies: [],
    dataCount: null, data: null, names: new Map(),
  };
  const all = new Reader(bytes);
  all.at = 8;
  while (all.at < bytes.length) {
    const kind = all.byte();
    const reader = new Reader(all.take(all.u32()));
    const list = (one) => reader.vector(one);
    if (kind === 0) {
      if (reader.text() === "name") module.names = readNames(reader.bytes.subarray(reader.at));
    } else if (kind === SECTION.type) {
      module.types = list(() => reader.span(() => {
        if (reader.byte() !== 0x60) throw new Error("a type that is no function");
        for (let side = 0; side < 2; side += 1) reader.take(reader.u32());
      }));
    } else if (kind === SECTION.import) module.imports = list(readImport);
    else if (kind === SECTION.function) module.functions = list(() => reader.u32());
    else if (kind === SECTION.table) module.tables = list(() => ({ of: valueType(reader), ...limits(reader) }));
    else if (kind === SECTION.memory) module.memories = list(() => limits(reader));
    else if (kind === SECTION.global) module.globals = list(() => ({ type: reader.take(2), value: constant(reader) }));
    else if (kind === SECTION.export) module.exports = list(() => ({ name: reader.text(), kind: reader.byte(), index: reader.u32() }));
    else if (kind === SECTION.element) module.elements = list(readElement);
    else if (kind === SECTION.dataCount) module.dataCount = reader.bytes;
    else if (kind === SECTION.code) module.bodies = list(() => reader.take(reader.u32()));
    else if (kind === SECTION.data) module.data = reader.bytes;
    else throw new Error(`a section ${kind}`);
  }
  return module;
}

/// The bytes of a module; `isNamed` with the names of its functions.
export function write(module, { isNamed = false } = {}) {
  const section = (kind, bytes) => Buffer.concat([Buffer.from([kind]), u32(bytes.length), bytes]);
  const lists = {
    type: module.types,
    import: module.imports.map(({ module: from, name, kind, type }) => Buffer.concat([text(from), text(name), Buffer.from([kind]), type])),
    function: module.functions.map(u32),
    table: module.tables.map((table) => Buffer.concat([table.of, limitsBytes(table)])),
    memory: module.memories.map(limitsBytes),
    global: module.globals.map(({ type, value }) => Buffer.concat([type, value])),
    export: module.exports.map(({ name, kind, index }) => Buffer.concat([text(name), Buffer.from([kind]), u32(index)])),
    element: module.elements.map(elementBytes),
    dataCount: module.dataCount,
    code: module.bodies.map((body) => Buffer.concat([u32(body.length), body])),
    data: module.data,
  };
  const parts = [MAGIC];
  for (const [name, kind] of Object.entries(SECTION)) {
    const content = lists[name];
    if (!content || content.length === 0) continue;
    parts.push(section(kind, Array.isArray(content) ? vector(content) : content));
  }
  if (isNamed) {
    const names = vector([...module.names].map(([index, name]) => Buffer.concat([u32(index), text(name)])));
    parts.push(section(0, Buffer.concat([text("name"), section(1, names)])));
  }
  return Buffer.concat(parts);
}

/// How a memory, a table or a global is imported by another module that shares it.
export const shared = {
  table: (table) => Buffer.concat([table.of, limitsBytes(table)]),
  memory: limitsBytes,
  global: ({ type }) => type,
};

const isMemoryAccess = (code) => code >= 0x28 && code <= 0x3e;
const isPlain = (code) => code <= 0x01 || code === 0x05 || code === 0x0b || code === 0x0f || code === 0x1a || code === 0x1b ||
  (code >= 0x45 && code <= 0xc4) || code === 0xd1;
/// How many numbers follow the operations that have two bytes; those that name a piece of data are not among them.
const LONG = new Map([...Array.from({ length: 8 }, (_, code) => [code, 0]), [10, 2], [11, 1], [14, 2], [15, 1], [16, 1], [17, 1]]);

/// Passes one operation; gives its code.
function passOperation(reader) {
  const code = reader.byte();
  if (isPlain(code)) return code;
  if (isMemoryAccess(code) || code === 0x11) {
    reader.pass();
    reader.pass();
  } else if ((code >= 0x02 && code <= 0x04) || code === 0x0c || code === 0x0d || (code >= 0x20 && code <= 0x26) || code === 0x3f || code === 0x40 || code === 0x41 || code === 0x42 || code === 0xd0) {
    reader.pass();
  } else if (code === 0x0e) {
    for (let count = reader.u32(); count >= 0; count -= 1) reader.pass();
  } else if (code === 0x1c) reader.take(reader.u32());
  else if (code === 0x43) reader.take(4);
  else if (code === 0x44) reader.take(8);
  else if (code === 0xfc) {
    const numbers = LONG.get(reader.u32());
    if (numbers === undefined) throw new Error("a long operation that is not known");
    for (let number = 0; number < numbers; number += 1) reader.pass();
  } else if (code !== 0x10) throw new Error(`an operation ${code.toString(16)}`);
  return code;
}

/// The body with each call written anew: `call(index)` gives the bytes of a call of that function. `first` stands before all.
export function rewrite(body, call, first = Buffer.alloc(0)) {
  const reader = new Reader(body);
  for (let groups = reader.u32(); groups > 0; groups -= 1) {
    reader.pass();
    valueType(reader);
  }
  const parts = [body.subarray(0, reader.at), first];
  let begin = reader.at;
  while (reader.at < body.length) {
    const at = reader.at;
    if (passOperation(reader) !== 0x10) continue;
    parts.push(body.subarray(begin, at), call(reader.u32()));
    begin = reader.at;
  }
  parts.push(body.subarray(begin));
  return Buffer.concat(parts);
}
