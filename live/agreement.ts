/**
 * Which words of a growing recording's text are certain: those that two readings in a row agree on (local agreement; Liu,
 * Spanakis and Niehues 2020, "Low-latency sequence-to-sequence speech recognition and translation by partial hypothesis
 * selection").
 *
 * @module
 */

/** A word of a reading. */
export interface ReadWord {
  /** With the space before it. */
  readonly text: string;
  readonly tokens: readonly number[];
}

/** Words that are certain, and the last reading of what follows them. */
export class Agreement {
  #committed: ReadWord[] = [];
  #last: readonly ReadWord[] = [];

  /** Words that are certain. */
  get committed(): readonly ReadWord[] {
    return this.#committed;
  }

  /** Tokens of the words that are certain: what the next reading begins with. */
  get prefix(): number[] {
    return this.#committed.flatMap(({ tokens }) => tokens);
  }

  /**
   * Takes a reading of what follows the certain words.
   *
   * @param settled How many of its words lie so far back that no further sound can change them.
   * @returns The words that it makes certain.
   */
  add(reading: readonly ReadWord[], settled: number = reading.length): readonly ReadWord[] {
    let agreed = 0;
    while (
      agreed < Math.min(reading.length, this.#last.length) && isSame(reading[agreed], this.#last[agreed])
    ) agreed++;
    // The last word may still be in the speaker's mouth.
    const certain = reading.slice(0, Math.min(agreed, settled, reading.length - 1));
    this.#committed.push(...certain);
    this.#last = reading.slice(certain.length);
    return certain;
  }

  /** Begins with words that are certain from before. */
  restart(committed: readonly ReadWord[] = []): void {
    this.#committed = [...committed];
    this.#last = [];
  }
}

function isSame(a: ReadWord, b: ReadWord): boolean {
  return a.tokens.length === b.tokens.length && a.tokens.every((token, i) => token === b.tokens[i]);
}
