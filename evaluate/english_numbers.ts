/**
 * Numbers in words → numbers in digits, in the way of openai-whisper's English normalizer
 * (`whisper/normalizers/english.py`): `twenty four` → 24, `one oh one` → 101, `two dollars and five cents` → $2.05.
 *
 * @module
 */

/** A number and what is written behind it: `4`, `4th`, `4s`. */
interface Suffixed {
  readonly value: bigint;
  readonly suffix: string;
}

const ZEROS = new Set(["o", "oh", "zero"]);
const ONES = new Map(
  ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
    "eighteen nineteen").split(" ").map((name, i) => [name, BigInt(i + 1)]),
);
const TENS = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((
    name,
    i,
  ) => [name, BigInt(10 * (i + 2))]),
);
const POWERS =
  "thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion";
const MULTIPLIERS = new Map([
  ["hundred", 100n] as const,
  ...POWERS.split(" ").map((name, i) => [name, 1000n ** BigInt(i + 1)] as const),
]);

const suffixed = (
  numbers: ReadonlyMap<string, bigint>,
  suffix: string,
  spell: (name: string) => string,
): [string, Suffixed][] => Array.from(numbers, ([name, value]) => [spell(name), { value, suffix }]);

const ORDINAL_NAMES: Readonly<Record<string, string>> = {
  ...{ one: "first", two: "second", three: "third", five: "fifth", twelve: "twelfth" },
};
const ORDINAL_SUFFIXES: Readonly<Record<string, string>> = { first: "st", second: "nd", third: "rd" };

const ONES_SUFFIXED = new Map<string, Suffixed>([
  ...suffixed(ONES, "s", (name) => name === "six" ? "sixes" : `${name}s`),
  ["zeroth", { value: 0n, suffix: "th" }],
  ...Array.from(ONES, ([name, value]): [string, Suffixed] => {
    const ordinal = ORDINAL_NAMES[name] ?? (name.endsWith("t") ? `${name}h` : `${name}th`);
    return [ordinal, { value, suffix: ORDINAL_SUFFIXES[ordinal] ?? "th" }];
  }),
]);
const TENS_SUFFIXED = new Map<string, Suffixed>([
  ...suffixed(TENS, "s", (name) => name.replace("y", "ies")),
  ...suffixed(TENS, "th", (name) => name.replace("y", "ieth")),
]);
const MULTIPLIERS_SUFFIXED = new Map<string, Suffixed>([
  ...suffixed(MULTIPLIERS, "s", (name) => `${name}s`),
  ...suffixed(MULTIPLIERS, "th", (name) => `${name}th`),
]);
const SIGNS: ReadonlyMap<string, string> = new Map([
  ["minus", "-"],
  ["negative", "-"],
  ["plus", "+"],
  ["positive", "+"],
]);
const CURRENCIES: ReadonlyMap<string, string> = new Map([
  ["pound", "£"],
  ["pounds", "£"],
  ["euro", "€"],
  ["euros", "€"],
  ["dollar", "$"],
  ["dollars", "$"],
  ["cent", "¢"],
  ["cents", "¢"],
]);
const PREFIXES = new Set([...SIGNS.values(), ...CURRENCIES.values()]);
const DECIMALS = new Set([...ONES.keys(), ...TENS.keys(), ...ZEROS]);
const WORDS = new Set([
  ...[...ZEROS, ...ONES.keys(), ...ONES_SUFFIXED.keys(), ...TENS.keys(), ...TENS_SUFFIXED.keys()],
  ...[...MULTIPLIERS.keys(), ...MULTIPLIERS_SUFFIXED.keys(), ...SIGNS.keys(), ...CURRENCIES.keys()],
  ...["per", "percent", "and", "double", "triple", "point"],
]);

const isNumeric = (word: string | undefined): boolean => word !== undefined && /^\d+(\.\d+)?$/.test(word);

/** A decimal number times a whole one; null unless that is whole. */
function timesWhole(decimal: string, factor: bigint): bigint | null {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(decimal);
  if (match === null || (match[1] + (match[2] ?? "")) === "") return null;
  const digits = match[2] ?? "";
  const product = BigInt(match[1] + digits) * factor;
  const scale = 10n ** BigInt(digits.length);
  return product % scale === 0n ? product / scale : null;
}

/** A number on its way: counted as long as it adds up, then digits in a row; null: none. */
type Value = bigint | string | null;

/** Reads the words of a text one after the other. */
class NumberReader {
  readonly #words: readonly string[];
  readonly #written: string[] = [];
  #prefix = "";
  #value: Value = null;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  read(): string[] {
    for (let i = 0; i < this.#words.length; i++) {
      if (this.#readWord(this.#words[i], this.#words[i - 1], this.#words[i + 1])) i++;
    }
    this.#flush();
    return this.#written;
  }

  /** Returns whether the next word was read too. */
  #readWord(word: string, before: string | undefined, next: string | undefined): boolean {
    const hasPrefix = PREFIXES.has([...word][0]);
    const bare = hasPrefix ? word.slice(1) : word;
    if (isNumeric(bare)) this.#digits(word, bare, hasPrefix);
    else if (!WORDS.has(word)) this.#plain(word);
    else if (ZEROS.has(word)) this.#value = `${this.#digitsSoFar()}0`;
    else if (ONES.has(word)) this.#value = this.#withOnes(ONES.get(word)!, before);
    else if (ONES_SUFFIXED.has(word)) this.#finishOnes(ONES_SUFFIXED.get(word)!, before);
    else if (TENS.has(word)) this.#value = this.#withTens(TENS.get(word)!);
    else if (TENS_SUFFIXED.has(word)) {
      const { value, suffix } = TENS_SUFFIXED.get(word)!;
      this.#finish(`${this.#withTens(value)}${suffix}`);
    } else if (MULTIPLIERS.has(word)) this.#multiply(MULTIPLIERS.get(word)!);
    else if (MULTIPLIERS_SUFFIXED.has(word)) this.#finishMultiplied(MULTIPLIERS_SUFFIXED.get(word)!);
    else if (SIGNS.has(word)) {
      this.#flush();
      if (isNumeric(next) || (next !== undefined && WORDS.has(next))) this.#prefix = SIGNS.get(word)!;
      else this.#write(word);
    } else if (CURRENCIES.has(word)) {
      if (this.#value === null) this.#write(word);
      else {
        this.#prefix = CURRENCIES.get(word)!;
        this.#flush();
      }
    } else if (word === "per" || word === "percent") return this.#percent(word, next);
    else return this.#special(word, before, next);
    return false;
  }

  #digits(word: string, bare: string, hasPrefix: boolean): void {
    if (typeof this.#value === "string" && this.#value.endsWith(".")) {
      this.#value += word; // decimals, or parts of an address
      return;
    }
    this.#flush();
    if (hasPrefix) this.#prefix = word[0];
    this.#value = timesWhole(bare, 1n) ?? bare;
  }

  #withOnes(ones: bigint, before: string | undefined): bigint | string {
    const value = this.#value;
    if (value === null) return ones;
    if (typeof value === "string" || (before !== undefined && ONES.has(before))) {
      const digits = String(value);
      return before !== undefined && TENS.has(before) && ones < 10n
        ? digits.slice(0, -1) + ones // in place of the zero of the tens
        : digits + ones;
    }
    return value % (ones < 10n ? 10n : 100n) === 0n ? value + ones : `${value}${ones}`;
  }

  #finishOnes({ value, suffix }: Suffixed, before: string | undefined): void {
    this.#finish(`${this.#withOnes(value, before)}${suffix}`);
  }

  #withTens(tens: bigint): bigint | string {
    const value = this.#value;
    if (value === null) return tens;
    return typeof value === "bigint" && value % 100n === 0n ? value + tens : `${value}${tens}`;
  }

  #multiply(multiplier: bigint): void {
    const value = this.#value;
    if (value === null) this.#value = multiplier;
    else if (typeof value === "string" || value === 0n) {
      const product = timesWhole(String(value), multiplier);
      if (product === null) this.#flush();
      this.#value = product ?? multiplier;
    } else {
      this.#value = value / 1000n * 1000n + value % 1000n * multiplier;
    }
  }

  #finishMultiplied({ value: multiplier, suffix }: Suffixed): void {
    const value = this.#value;
    if (value === null) this.#finish(`${multiplier}${suffix}`);
    else if (typeof value === "string") {
      const product = timesWhole(value, multiplier);
      if (product === null) this.#flush();
      this.#finish(`${product ?? multiplier}${suffix}`);
    } else {
      this.#finish(`${value / 1000n * 1000n + value % 1000n * multiplier}${suffix}`);
    }
  }

  #percent(word: string, next: string | undefined): boolean {
    if (this.#value === null) {
      this.#write(word);
      return false;
    }
    if (word === "percent" || next === "cent") {
      this.#finish(`${this.#value}%`);
      return word === "per";
    }
    this.#plain(word);
    return false;
  }

  /** `and`, `double`, `triple`, `point`, which mean something only before a number. */
  #special(word: string, before: string | undefined, next: string | undefined): boolean {
    if (!isNumeric(next) && !(next !== undefined && WORDS.has(next))) {
      this.#plain(word);
    } else if (word === "and") {
      if (before === undefined || !MULTIPLIERS.has(before)) this.#plain(word);
    } else if (word === "point") {
      if (isNumeric(next) || DECIMALS.has(next!)) this.#value = `${this.#digitsSoFar()}.`;
    } else if (ONES.has(next!) || ZEROS.has(next!)) {
      this.#value = this.#digitsSoFar() + String(ONES.get(next!) ?? 0n).repeat(word === "double" ? 2 : 3);
      return true;
    } else {
      this.#plain(word);
    }
    return false;
  }

  #digitsSoFar(): string {
    return this.#value === null || this.#value === 0n ? "" : String(this.#value);
  }

  #plain(word: string): void {
    this.#flush();
    this.#write(word);
  }

  #flush(): void {
    if (this.#value !== null) this.#finish(String(this.#value));
  }

  #finish(number: string): void {
    this.#write(number);
    this.#value = null;
  }

  #write(text: string): void {
    this.#written.push(this.#prefix + text);
    this.#prefix = "";
  }
}

/** `two and a half` → `two point five`; letters and digits apart, but for suffixes. */
function preprocess(text: string): string {
  const parts = text.split(/\band\s+a\s+half\b/);
  const joined: string[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.trim() === "") continue;
    joined.push(part);
    if (i === parts.length - 1) continue;
    const last = part.trim().split(/\s+/).at(-1)!;
    joined.push(DECIMALS.has(last) || MULTIPLIERS.has(last) ? "point five" : "and a half");
  }
  return joined.join(" ")
    .replaceAll(/([a-z])([0-9])/g, "$1 $2")
    .replaceAll(/([0-9])([a-z])/g, "$1 $2")
    .replaceAll(/([0-9])\s+(st|nd|rd|th|s)\b/g, "$1$2");
}

/** `$2 and ¢7` → `$2.07`; a lone 1 stays a word. */
function postprocess(text: string): string {
  return text
    .replaceAll(
      /([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b/g,
      (_, currency, whole, cents) => `${currency}${whole}.${String(Number(cents)).padStart(2, "0")}`,
    )
    .replaceAll(/[€£$]0.([0-9]{1,2})\b/g, (_, cents) => `¢${Number(cents)}`)
    .replaceAll(/\b1(s?)\b/g, "one$1");
}

/** A text without case and marks, with its numbers in digits. */
export function normalizeNumbers(text: string): string {
  const words = preprocess(text).split(/\s+/).filter((word) => word !== "");
  return postprocess(new NumberReader(words).read().join(" "));
}
