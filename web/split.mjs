// Splits the core in two. What runs until the first harvest is recorded comes first; all else comes behind it, in a
// second module over the same memory, so that on 2G the phone is of use after two thirds of the wait.
//
//   node web/split.mjs IN FIRST-USE FIRST SECOND [--named]
//
// FIRST-USE holds what `web/first_use.mjs` found: the hashes of the names of the functions that come first. One that is
// not in it comes second: it is called through a place in the table that is empty until then, and a call of an empty place
// traps, after which the worker starts anew with both (web/app/keeper.js).
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KIND, read, rewrite, s32, shared, u32, write } from "./module.mjs";

/// What the second module calls the first.
const FIRST = "first";
const FUNCTION_TABLE = 0x70;

/// The hash of a function's name, less what differs from build to build.
export const hashOf = (name) => createHash("sha256").update((name ?? "").replace(/\[[0-9a-f]{16}\]/g, "").replace(/::h[0-9a-f]{16}$/, "")).digest("hex").slice(0, 8);

/// What runs or not by what the data are, digits and lengths of texts among them: no trial finds all of it.
const ALWAYS = [
  /^(?!.*(automerge|granary|hexane|serde|ciborium|jiff|wasm_bindgen))(<*(core|alloc)(\[\w+\])?::(fmt|num|str|char|unicode|string|raw_vec)\b|<.* as core(\[\w+\])?::fmt::|(compiler_builtins|memchr|dlmalloc)\b)/,
  /^<*core(\[\w+\])?::slice::sort::/, /^<*hashbrown/, /^(ZSTD|HUF|FSE|HIST|XXH)/,
];

/// Which functions come first: those named, those that JavaScript calls, and those of [`ALWAYS`].
function chosen(module, names) {
  const first = new Set(module.exports.filter(({ kind }) => kind === KIND.function).map(({ index }) => index));
  for (let own = 0; own < module.bodies.length; own += 1) {
    const index = module.imports.length + own;
    const name = module.names.get(index) ?? "";
    if (ALWAYS.some((kind) => kind.test(name)) || names.has(hashOf(name))) first.add(index);
  }
  return first;
}

/// Both modules.
export function split(module, names) {
  const imported = module.imports.length;
  const own = module.bodies.map((_, at) => imported + at);
  const inFirst = chosen(module, names);
  const isFirst = (index) => index < imported || inFirst.has(index);
  const typeOf = (index) => module.functions[index - imported];
  const tableAt = module.tables.findIndex(({ of }) => of[0] === FUNCTION_TABLE);
  const tables = module.tables.map((table) => ({ ...table }));

  // Every function that comes second and is called from the first has a place in the table.
  const places = new Map();
  for (const { table, offset, functions } of module.elements) {
    if (table !== tableAt) throw new Error("elements of another table");
    functions.forEach((index, at) => { if (!isFirst(index)) places.set(index, offset + at); });
  }
  const placeOf = (index) => {
    if (!places.has(index)) {
      places.set(index, tables[tableAt].least);
      tables[tableAt].least += 1;
      if (tables[tableAt].most !== null) tables[tableAt].most += 1;
    }
    return places.get(index);
  };

  const firsts = own.filter(isFirst);
  const numberInFirst = new Map([...module.imports.keys(), ...firsts].map((index, at) => [index, at]));
  const throughTable = (index) => Buffer.concat([
    Buffer.from([0x41]), s32(placeOf(index)), Buffer.from([0x11]), u32(typeOf(index)), u32(tableAt),
  ]);
  const direct = (number) => Buffer.concat([Buffer.from([0x10]), u32(number)]);
  const body = (index) => module.bodies[index - imported];
  const firstBodies = firsts.map((index) => rewrite(body(index), (callee) => (isFirst(callee) ? direct(numberInFirst.get(callee)) : throughTable(callee))));

  // What the second calls of the first, in the order in which it is met.
  const seconds = own.filter((index) => !isFirst(index));
  const borrowed = new Map();
  const calls = seconds.map((index) => {
    const met = [];
    rewrite(body(index), (callee) => { met.push(callee); return direct(0); });
    return met;
  });
  for (const callee of calls.flat()) if (isFirst(callee) && !borrowed.has(callee)) borrowed.set(callee, borrowed.size);
  const numberInSecond = new Map([...borrowed.keys(), ...seconds].map((index, at) => [index, at]));
  const secondBodies = seconds.map((index) => rewrite(body(index), (callee) => direct(numberInSecond.get(callee))));

  const short = (prefix, number) => `${prefix}${number.toString(36)}`;
  const borrowedType = (index) => (index < imported ? module.imports[index].type : u32(typeOf(index)));
  const lend = [];
  const borrow = [];
  for (const [index, number] of borrowed) {
    lend.push({ name: short("f", number), kind: KIND.function, index: numberInFirst.get(index) });
    borrow.push({ module: FIRST, name: short("f", number), kind: KIND.function, type: borrowedType(index) });
  }
  // All of these, so that they keep their numbers.
  for (const [prefix, kind, list] of [["t", "table", tables], ["m", "memory", module.memories], ["g", "global", module.globals]]) {
    list.forEach((one, index) => {
      lend.push({ name: short(prefix, index), kind: KIND[kind], index });
      borrow.push({ module: FIRST, name: short(prefix, index), kind: KIND[kind], type: shared[kind](one) });
    });
  }

  const first = {
    ...module, tables, functions: firsts.map(typeOf), bodies: firstBodies,
    exports: [...module.exports.map((one) => (one.kind === KIND.function ? { ...one, index: numberInFirst.get(one.index) } : one)), ...lend],
    elements: module.elements.flatMap((segment) => runs(segment, isFirst, numberInFirst)),
    names: renamed(module, numberInFirst),
  };
  const more = {
    types: module.types, imports: borrow, functions: seconds.map(typeOf), tables: [], memories: [], globals: [], exports: [],
    elements: filled(places, tableAt, numberInSecond), bodies: secondBodies, dataCount: null, data: null, names: renamed(module, numberInSecond),
  };
  return { first, more };
}

const renamed = (module, numbers) => new Map([...numbers].filter(([index]) => module.names.has(index)).map(([index, number]) => [number, module.names.get(index)]));

/// The parts of a segment without the functions that come second.
function runs({ table, offset, functions }, isFirst, numbers) {
  const parts = [];
  let run = null;
  functions.forEach((index, at) => {
    if (!isFirst(index)) {
      run = null;
      return;
    }
    if (!run) parts.push((run = { table, offset: offset + at, functions: [] }));
    run.functions.push(numbers.get(index));
  });
  return parts;
}

/// The segments that put the second's functions into their places.
function filled(places, table, numbers) {
  const parts = [];
  for (const [index, place] of [...places].sort(([, one], [, other]) => one - other)) {
    const last = parts.at(-1);
    if (last && last.offset + last.functions.length === place) last.functions.push(numbers.get(index));
    else parts.push({ table, offset: place, functions: [numbers.get(index)] });
  }
  return parts;
}

/// The module, each function of which first calls `first.ran` with its index.
export function instrumented(module) {
  const imported = module.imports.length;
  const moved = (index) => (index < imported ? index : index + 1);
  const call = (index) => Buffer.concat([Buffer.from([0x10]), u32(moved(index))]);
  const ran = (index) => Buffer.concat([Buffer.from([0x41]), s32(index), Buffer.from([0x10]), u32(imported)]);
  return {
    ...module,
    types: [...module.types, Buffer.from([0x60, 1, 0x7f, 0])],
    imports: [...module.imports, { module: FIRST, name: "ran", kind: KIND.function, type: u32(module.types.length) }],
    exports: module.exports.map((one) => (one.kind === KIND.function ? { ...one, index: moved(one.index) } : one)),
    elements: module.elements.map((segment) => ({ ...segment, functions: segment.functions.map(moved) })),
    bodies: module.bodies.map((body, at) => rewrite(body, call, ran(imported + at))),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [from, list, first, second, named] = process.argv.slice(2);
  const parts = split(read(readFileSync(from)), new Set(readFileSync(list, "utf8").split("\n").filter(Boolean)));
  writeFileSync(first, write(parts.first, { isNamed: named === "--named" }));
  writeFileSync(second, write(parts.more, { isNamed: named === "--named" }));
}
