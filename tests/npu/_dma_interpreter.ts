/**
 * Carries out an instruction stream's DMA, word by word, straight from the registers it writes: which words of which
 * buffer pass which channel, in which order. Written apart from `kernels/npu`, by the hardware's register map alone, so
 * that it can judge what is made there.
 *
 * @module
 */

/** A word of a buffer. */
export interface Access {
  readonly argument: number;
  /** Index of the 32-bit word in the buffer. */
  readonly word: number;
}

/** Accesses by channel, `column/s2mm0` and so on, in order. */
export type Accesses = Map<string, Access[]>;

/** Channels by the register that a push writes. */
const QUEUES: Readonly<Record<number, string>> = {
  0x1d204: "s2mm0",
  0x1d20c: "s2mm1",
  0x1d214: "mm2s0",
  0x1d21c: "mm2s1",
};

/** What a stream writes outside the shim tiles, and what passes their channels. */
export interface Interpretation {
  readonly accesses: Accesses;
  /** Register writes that are neither descriptors nor queues nor channel controls: `address` → value. */
  readonly others: ReadonlyMap<number, number>;
  /** Tokens asked for and waits, by channel. */
  readonly tokens: ReadonlyMap<string, { asked: number; waited: number }>;
}

/** Interprets the words of a stream in encoding 1.0. */
export function interpret(words: Uint32Array): Interpretation {
  if ((words[0] & 0xffff) !== 0x0001) throw new Error("the interpreter knows encoding 1.0");
  const registers = new Map<number, number>();
  const patches = new Map<number, Access>();
  const accesses: Accesses = new Map();
  const others = new Map<number, number>();
  const tokens = new Map<string, { asked: number; waited: number }>();
  const token = (key: string) => {
    if (!tokens.has(key)) tokens.set(key, { asked: 0, waited: 0 });
    return tokens.get(key)!;
  };

  const write = (address: number, value: number) => {
    registers.set(address, value);
    const register = address & 0x1ffffff;
    const column = address >>> 25;
    if (register in QUEUES) {
      const key = `${column}/${QUEUES[register]}`;
      if (value >>> 31 === 1) token(key).asked++;
      const base = (column << 25) + 0x1d000 + 0x20 * (value & 15);
      const bd = Array.from({ length: 8 }, (_, i) => registers.get(base + 4 * i) ?? 0);
      const start = patches.get(base + 4);
      if (start === undefined || bd[7] !== 0x02000000) {
        throw new Error(`descriptor ${value & 15} is not set up`);
      }
      if (!accesses.has(key)) accesses.set(key, []);
      const list = accesses.get(key)!;
      const wrap0 = bd[3] >>> 20 & 1023;
      const wrap1 = bd[4] >>> 20 & 1023;
      const steps = [3, 4, 5, 6].map((i) => (bd[i] & 0xfffff) + 1);
      const iterations = (bd[6] >>> 20 & 63) + 1;
      for (let run = 0; run <= (value >>> 16 & 255); run++) {
        for (let i = 0; i < bd[0]; i++) {
          const i0 = wrap0 === 0 ? i : i % wrap0;
          const above = wrap0 === 0 ? 0 : Math.floor(i / wrap0);
          const i1 = wrap1 === 0 ? above : above % wrap1;
          const i2 = wrap1 === 0 ? 0 : Math.floor(above / wrap1);
          const offset = i0 * steps[0] + i1 * steps[1] + i2 * steps[2] + run % iterations * steps[3];
          list.push({ argument: start.argument, word: start.word + offset });
        }
      }
    } else if (register < 0x1d000 || register > 0x1d218) {
      others.set(address, value);
    }
  };

  let at = 4;
  for (let operation = 0; operation < words[2]; operation++) {
    const [opcode, a, b, c] = words.subarray(at);
    if (opcode === 0) {
      write(a, b);
      at += 3;
    } else if (opcode === 3) {
      registers.set(a, (registers.get(a) ?? 0) & ~c | b & c);
      at += 4;
    } else if (opcode === 1) {
      for (let i = 3; i < b / 4; i++) write(a + 4 * (i - 3), words[at + i]);
      at += b / 4;
    } else if (opcode === 0x81) {
      patches.set(b, { argument: c, word: words[at + 4] / 4 });
      at += a / 4;
    } else if (opcode === 0x80) {
      const direction = (b & 255) === 0 ? "s2mm" : "mm2s";
      token(`${b >>> 16 & 255}/${direction}${c >>> 24}`).waited++;
      at += a / 4;
    } else throw new Error(`operation 0x${opcode.toString(16)}`);
  }
  if (at !== words.length) throw new Error("words are left over");
  return { accesses, others, tokens };
}
