import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import {
  type PickleGlobal,
  PickleList,
  PickleTuple,
  type PickleValue,
  unpickle,
} from "../../model/pickle.ts";

/** Protocol 2, then those opcodes, written as Latin-1. */
const pickled = (opcodes: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(`\x80\x02${opcodes}`, (character) => character.charCodeAt(0));

const GLOBALS: readonly PickleGlobal[] = [
  { global: "builtins pair", call: (args) => new PickleTuple(args) },
  { global: "builtins mention" },
];

const load = (opcodes: string): PickleValue =>
  unpickle(pickled(opcodes), {
    name: "test",
    globals: new Map(GLOBALS.map((entry) => [entry.global, entry])),
    persistentLoad: (id) => new PickleTuple(["persistent", id]),
  });

Deno.test("unpickle() reads each kind of value as Python writes it", () => {
  assert.equal(load("N."), null);
  assert.equal(load("\x88."), true);
  assert.equal(load("\x89."), false);
  assert.equal(load("K\xff."), 255);
  assert.equal(load("M\xff\xff."), 65535);
  assert.equal(load("J\xfe\xff\xff\xff."), -2);
  assert.equal(load("\x8a\x00."), 0);
  assert.equal(load("\x8a\x01\xff."), -1);
  assert.equal(load("\x8a\x05\x00\x00\x00\x80\x00."), 2 ** 31);
  assert.equal(load("G\xbf\xf8\x00\x00\x00\x00\x00\x00."), -1.5);
  assert.equal(load("X\x03\x00\x00\x00\xc3\xa9!."), "é!");
  assert.deepEqual(load(")."), new PickleTuple([]));
  assert.deepEqual(load("K\x01K\x02K\x03\x87."), new PickleTuple([1, 2, 3]));
  assert.deepEqual(load("(K\x01K\x02t."), new PickleTuple([1, 2]));
  assert.deepEqual(load("](K\x01K\x02eK\x03a."), new PickleList([1, 2, 3]));
  assert.deepEqual(load("}(K\x01K\x02K\x03K\x04uK\x05K\x06s."), new Map([[1, 2], [3, 4], [5, 6]]));
});

Deno.test("unpickle() shares what is memoised", () => {
  for (const opcodes of ["]q\x05h\x05\x86.", "]r\x00\x00\x01\x00j\x00\x00\x01\x00\x86."]) {
    const both = load(opcodes);
    assert.ok(
      both instanceof PickleTuple && both.items[0] instanceof PickleList && both.items[0] === both.items[1],
    );
  }
});

Deno.test("unpickle() calls what it was handed, and loads persistent ids", () => {
  assert.deepEqual(load("cbuiltins\npair\nK\x01\x85R."), new PickleTuple([1]));
  assert.deepEqual(load("K\x07Q."), new PickleTuple(["persistent", 7]));
});

Deno.test("unpickle() refuses every other global by its name, and executes nothing", () => {
  for (
    const [module, name] of [["os", "system"], ["builtins", "eval"], ["torch", "load"], ["posix", "system"], [
      "",
      "",
    ]]
  ) {
    const pickle = `c${module}\n${name}\nX\x02\x00\x00\x00id\x85R.`;
    assert.throws(
      () => load(pickle),
      (error) =>
        error instanceof SottoError && error.code === "E_MODEL_FORMAT" &&
        error.message.includes(`"${module}.${name}"`),
    );
  }
});

Deno.test("unpickle() refuses what is malformed", () => {
  const refusals: [string, RegExp][] = [
    ["", /cut/],
    ["N", /cut/],
    [".", /stack runs empty/],
    ["K", /cut/],
    ["(.", /stack runs empty/],
    ["K\x01(\x85.", /stack runs empty/],
    ["t.", /a mark is missing/],
    ["h\x07.", /memo 7 is empty/],
    ["q\x00.", /stack runs empty/],
    ["K\x01K\x02a.", /appends to something else/],
    ["]K\x01K\x02s.", /something else than a dict/],
    ["}(K\x01u.", /something else than a dict/],
    ["}NNs.", /key is neither/],
    ["}(K\x01NK\x01Nu.", /duplicate key 1/],
    ["]}b.", /only a dict may be given state/],
    ["cbuiltins\nmention\n)R.", /cannot be called/],
    ["cbuiltins\npair\nNR.", /cannot be called/],
    ["K\x01)R.", /cannot be called/],
    ["cbuiltins", /cut/],
    ["X\xff\xff\xff\x7f.", /at most 4096 bytes, got 2147483647/],
    ["X\x01\x00\x00\x00\xff.", /not UTF-8/],
    ["\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01.", /at most 8 bytes/],
    ["\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", /passes 2\^53/],
    ["\x80\x04N.", /protocol must be 2, got 4/],
  ];
  // Of opcodes: those that import by value, build instances, or belong to other protocols.
  for (
    const opcode of [
      "i",
      "o",
      "\x81",
      "\x92",
      "\x93",
      "\x82",
      "P",
      "I",
      "S",
      "U",
      "T",
      "V",
      "l",
      "d",
      "p",
      "g",
      "0",
      "1",
      "2",
      "\x94",
      "\x95",
      "\x00",
    ]
  ) {
    refusals.push([`${opcode}.`, /is not one that torch\.save writes/]);
  }
  for (const [pickle, message] of refusals) {
    assert.throws(
      () => load(pickle),
      (error) => error instanceof SottoError && message.test(error.message),
      pickle,
    );
  }
});

Deno.test("unpickle() takes time linear in the pickle, however values are shared", () => {
  // Each tuple holds the one before twice: written out, 2^10000 items.
  const bomb = pickled(`]q\x00${"h\x00\x86q\x00".repeat(10_000)}.`);
  const value = unpickle(bomb, { name: "bomb", globals: new Map(), persistentLoad: () => null });
  assert.ok(value instanceof PickleTuple && value.items.length === 2);
});
