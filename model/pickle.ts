/**
 * A safe subset of Python's pickle protocol 2: the opcodes that torch.save writes (CPython: `pickletools.py` specifies
 * them). Nothing is imported or executed: a pickle may name only the globals that the caller hands over, and calling
 * one runs the caller's own function.
 *
 * Work and memory are linear in the length of the pickle: values are shared, never copied.
 *
 * @module
 */

import { SottoError } from "../errors.ts";

/** What a pickle may hold. Dicts and OrderedDicts are Maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | object;

/** A Python dict. */
export type PickleDict = Map<string | number, PickleValue>;

/** A Python list. */
export class PickleList {
  /** @param items Its items; the pickle may append to them. */
  constructor(readonly items: PickleValue[] = []) {}
}

/** A Python tuple. */
export class PickleTuple {
  /** @param items Its items. */
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A function or class that a pickle may name. */
export interface PickleGlobal {
  /** Module and name, such as `collections OrderedDict`. */
  readonly global: string;
  /** What stands in for calling it; absent where it is only mentioned. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
}

/** Options of {@linkcode unpickle}. */
export interface PickleOptions {
  /** For messages. */
  readonly name: string;
  /** The globals a pickle may name, by module and name with one space between. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What a persistent id stands for. */
  readonly persistentLoad: (id: PickleValue) => PickleValue;
}

/** Longest pickle accepted, in bytes; large-v3 has 0.3 MB. */
export const MAX_PICKLE_BYTES: number = 16 * 2 ** 20;

/** Longest string accepted, in bytes. */
const MAX_STRING_BYTES = 4096;

/** Opcodes by the letters of `pickletools.py`, or their code where they have none. */
const OP = {
  PROTO: 0x80,
  STOP: 0x2e,
  MARK: 0x28,
  NONE: 0x4e,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  LONG1: 0x8a,
  BINFLOAT: 0x47,
  BINUNICODE: 0x58,
  EMPTY_TUPLE: 0x29,
  TUPLE: 0x74,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  APPENDS: 0x65,
  EMPTY_DICT: 0x7d,
  SETITEM: 0x73,
  SETITEMS: 0x75,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  GLOBAL: 0x63,
  REDUCE: 0x52,
  BUILD: 0x62,
  BINPERSID: 0x51,
} as const;

/**
 * The value a pickle stands for.
 *
 * @throws {SottoError} E_MODEL_FORMAT if it uses another opcode or names another global, is cut, or is malformed.
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, options: PickleOptions): PickleValue {
  return new Unpickler(bytes, options).run();
}

class Unpickler {
  readonly #view: DataView;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #options: PickleOptions;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#options = options;
  }

  run(): PickleValue {
    if (this.#bytes.length > MAX_PICKLE_BYTES) {
      throw this.#refuse(`at most ${MAX_PICKLE_BYTES} bytes, got ${this.#bytes.length}`);
    }
    while (true) {
      const opcode = this.#bytes[this.#take(1)];
      if (opcode === OP.STOP) return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case OP.PROTO: {
        const version = this.#bytes[this.#take(1)];
        if (version !== 2) throw this.#refuse(`protocol must be 2, got ${version}`);
        return;
      }
      case OP.NONE:
        stack.push(null);
        return;
      case OP.NEWTRUE:
        stack.push(true);
        return;
      case OP.NEWFALSE:
        stack.push(false);
        return;
      case OP.BININT:
        stack.push(this.#view.getInt32(this.#take(4), true));
        return;
      case OP.BININT1:
        stack.push(this.#bytes[this.#take(1)]);
        return;
      case OP.BININT2:
        stack.push(this.#view.getUint16(this.#take(2), true));
        return;
      case OP.LONG1:
        stack.push(this.#long(this.#bytes[this.#take(1)]));
        return;
      case OP.BINFLOAT:
        stack.push(this.#view.getFloat64(this.#take(8), false)); // the one big-endian number
        return;
      case OP.BINUNICODE:
        stack.push(this.#text(this.#view.getUint32(this.#take(4), true)));
        return;

      case OP.MARK:
        this.#marks.push(stack.length);
        return;
      case OP.EMPTY_TUPLE:
        stack.push(new PickleTuple([]));
        return;
      case OP.TUPLE:
        stack.push(new PickleTuple(this.#popMarked()));
        return;
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        stack.push(new PickleTuple(this.#popMany(opcode - OP.TUPLE1 + 1)));
        return;
      case OP.EMPTY_LIST:
        stack.push(new PickleList());
        return;
      case OP.APPEND:
        this.#append([this.#pop()]);
        return;
      case OP.APPENDS:
        this.#append(this.#popMarked());
        return;
      case OP.EMPTY_DICT:
        stack.push(new Map());
        return;
      case OP.SETITEM:
        this.#setItems(this.#popMany(2));
        return;
      case OP.SETITEMS:
        this.#setItems(this.#popMarked());
        return;

      case OP.BINPUT:
        this.#memo.set(this.#bytes[this.#take(1)], this.#top());
        return;
      case OP.LONG_BINPUT:
        this.#memo.set(this.#view.getUint32(this.#take(4), true), this.#top());
        return;
      case OP.BINGET:
        stack.push(this.#recall(this.#bytes[this.#take(1)]));
        return;
      case OP.LONG_BINGET:
        stack.push(this.#recall(this.#view.getUint32(this.#take(4), true)));
        return;

      case OP.GLOBAL:
        stack.push(this.#global(`${this.#line()} ${this.#line()}`));
        return;
      case OP.REDUCE: {
        const [callee, args] = this.#popMany(2);
        stack.push(this.#call(callee, args));
        return;
      }
      case OP.BUILD: {
        // The state of an OrderedDict: torch hangs version numbers of the modules on it, which say nothing here.
        const state = this.#pop();
        if (!(state instanceof Map) || !(this.#top() instanceof Map)) {
          throw this.#refuse("only a dict may be given state");
        }
        return;
      }
      case OP.BINPERSID:
        stack.push(this.#options.persistentLoad(this.#pop()));
        return;
      default:
        throw this.#refuse(
          `opcode 0x${opcode.toString(16).padStart(2, "0")} is not one that torch.save writes`,
        );
    }
  }

  /** Consumes bytes; answers where they begin. */
  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) throw this.#refuse("it is cut");
    this.#at += count;
    return start;
  }

  #text(length: number): string {
    if (length > MAX_STRING_BYTES) {
      throw this.#refuse(`a string of at most ${MAX_STRING_BYTES} bytes, got ${length}`);
    }
    const start = this.#take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.#refuse("a string is not UTF-8");
    }
  }

  /** Text up to a line feed. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#refuse("it is cut");
    const text = this.#text(end - this.#at);
    this.#take(1);
    return text;
  }

  /** A two's-complement integer of that many bytes, little-endian. */
  #long(length: number): number {
    if (length > 8) throw this.#refuse(`an integer of at most 8 bytes, got ${length}`);
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]);
    const integer = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(integer)) throw this.#refuse("an integer passes 2^53");
    return integer;
  }

  #top(): PickleValue {
    return this.#peekMany(1)[0];
  }

  #pop(): PickleValue {
    return this.#popMany(1)[0];
  }

  /** The last values, which must lie above the last mark. */
  #peekMany(count: number): PickleValue[] {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) throw this.#refuse("its stack runs empty");
    return this.#stack.slice(-count);
  }

  #popMany(count: number): PickleValue[] {
    const values = this.#peekMany(count);
    this.#stack.length -= count;
    return values;
  }

  #popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#refuse("a mark is missing");
    return this.#stack.splice(mark);
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#refuse(`memo ${index} is empty`);
    return value;
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!(list instanceof PickleList)) throw this.#refuse("it appends to something else than a list");
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) {
      throw this.#refuse("it sets items of something else than a dict");
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== "string" && typeof key !== "number") {
        throw this.#refuse("a key is neither text nor number");
      }
      if (dict.has(key)) throw this.#refuse(`duplicate key ${JSON.stringify(key).slice(0, 200)}`);
      dict.set(key, items[i + 1]);
    }
  }

  #global(name: string): PickleGlobal {
    const known = this.#options.globals.get(name);
    if (!known) {
      throw this.#refuse(
        `it names ${JSON.stringify(name.slice(0, 200).replace(" ", "."))}, which is not allowed`,
      );
    }
    return known;
  }

  #call(callee: PickleValue, args: PickleValue): PickleValue {
    const known = [...this.#options.globals.values()].find((global) => global === callee);
    if (!known?.call || !(args instanceof PickleTuple)) {
      throw this.#refuse("it calls something that cannot be called");
    }
    return known.call(args.items);
  }

  #refuse(rule: string): SottoError {
    return new SottoError(
      "E_MODEL_FORMAT",
      `Cannot read the pickle of ${this.#options.name}: ${rule} (byte ${this.#at})`,
      {
        hint:
          "Only what torch.save writes for a Whisper checkpoint is read; nothing in a pickle is executed.",
      },
    );
  }
}
