/**
 * The parts that a container is packed from, as the MLIR-AIE toolchain leaves them beside a PDI: three JSON files, with
 * numbers written as JSON numbers or as text (`"0x901"`, `"2048"`). What is missing or of another kind is refused by
 * its place, such as `kernels.ps-kernels.kernels[0].name`.
 *
 * @module
 */

import { refusePacking } from "./refuse.ts";

/** A value of a JSON file, with its place in it for messages. */
export class JsonPart {
  readonly #value: unknown;
  readonly #place: string;

  /** A parsed JSON text; `place` names it, such as `kernels`. */
  constructor(value: unknown, place: string) {
    this.#value = value;
    this.#place = place;
  }

  /** Parses a text. @throws {SottoError} E_XCLBIN if it is not JSON. */
  static parse(text: string, place: string): JsonPart {
    try {
      return new JsonPart(JSON.parse(text), place);
    } catch (error) {
      refusePacking(`${place} must be JSON`, error instanceof Error ? error.message : error);
    }
  }

  /** Whether it is there at all. */
  get present(): boolean {
    return this.#value !== undefined;
  }

  /** A member of an object. */
  get(key: string): JsonPart {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refusePacking(`${this.#place} must be an object`, this.#shown);
    }
    const member = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    return new JsonPart(member, `${this.#place}.${key}`);
  }

  /** The elements of an array; none of a missing one. */
  list(): JsonPart[] {
    if (this.#value === undefined) return [];
    if (!Array.isArray(this.#value)) refusePacking(`${this.#place} must be an array`, this.#shown);
    return this.#value.map((element, index) => new JsonPart(element, `${this.#place}[${index}]`));
  }

  /** The elements of an array that must have some. */
  someList(): JsonPart[] {
    const elements = this.list();
    if (elements.length === 0) refusePacking(`${this.#place} must have an element`, "none");
    return elements;
  }

  /** Text; `otherwise` where it is missing, if given. */
  text(otherwise?: string): string {
    const value = this.#value === undefined ? otherwise : this.#value;
    if (typeof value !== "string") refusePacking(`${this.#place} must be text`, this.#shown);
    return value;
  }

  /** Text that is not empty. */
  someText(): string {
    const value = this.text();
    if (value === "") refusePacking(`${this.#place} must not be empty`, '""');
    return value;
  }

  /** A whole number of at most `bits` bits; `otherwise` where it is missing, if given. */
  integer(bits: number, otherwise?: bigint): bigint {
    const value = this.#value === undefined ? otherwise : this.#value;
    let number = -1n;
    if (typeof value === "bigint") number = value;
    if (typeof value === "number" && Number.isSafeInteger(value)) number = BigInt(value);
    if (typeof value === "string" && /^(0[xX][0-9a-fA-F]+|\d+)$/.test(value)) number = BigInt(value);
    if (number < 0n || number >= 1n << BigInt(bits)) {
      refusePacking(`${this.#place} must be a whole number of ${bits} bits`, this.#shown);
    }
    return number;
  }

  /** One of the names of `choices`, or the number of one. @returns Its number. */
  choice(choices: readonly string[]): number {
    const value = String(this.#value);
    const index = choices.findIndex((name) => name.toLowerCase() === value.toLowerCase());
    if (index >= 0) return index;
    if (/^\d+$/.test(value) && Number(value) < choices.length) return Number(value);
    refusePacking(`${this.#place} must be one of ${choices.join(", ")}`, this.#shown);
  }

  get #shown(): string {
    return this.#value === undefined ? "nothing" : JSON.stringify(this.#value).slice(0, 80);
  }
}
