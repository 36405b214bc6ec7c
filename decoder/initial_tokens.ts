/**
 * The tokens a window begins with: hot words, previous text, start sequence, prefix.
 *
 * @module
 */

import type { ResolvedDecodeOptions, RunControls } from "./options.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Most tokens of a start sequence: start, language, task, no timestamps. */
const START_TOKENS = 4;

/** Most tokens before the start sequence: half the context, less `<|startofprev|>`. */
export function promptRoom(contextLength: number): number {
  return Math.floor(contextLength / 2) - 1;
}

/** Most tokens of a prefix: behind the longest prompt and start sequence it leaves room to write one token. */
function prefixRoom(contextLength: number): number {
  return contextLength - (1 + promptRoom(contextLength)) - START_TOKENS - 1;
}

/** The last `count` of some tokens. */
function lastOf(tokens: readonly number[], count: number): readonly number[] {
  return count > 0 ? tokens.slice(-count) : [];
}

/**
 * The prompt of a window, cut to what the context has room for: of hot words the first count, of previous text and
 * prefix the last.
 *
 * @param language Code.
 */
export function initialTokens(
  options: ResolvedDecodeOptions,
  language: string,
  { tokenizer, contextLength }: { readonly tokenizer: Tokenizer; readonly contextLength: number },
): number[] {
  const half = Math.floor(contextLength / 2);
  const start = tokenizer.startSequence(language, options.task);
  if (options.withoutTimestamps) start.push(tokenizer.special.noTimestamps);
  // With the default sampleLen of `half` this is slice(-0): the whole prefix, as in openai-whisper.
  const prefix = options.prefix.slice(-(half - options.sampleLen));
  const room = promptRoom(contextLength);
  const hotwords = options.hotwords.slice(0, room);
  const previous = [...hotwords, ...lastOf(options.prompt, room - hotwords.length)];
  const prompt = previous.length > 0 ? [tokenizer.special.prev, ...previous] : [];
  return [...prompt, ...start, ...lastOf(prefix, prefixRoom(contextLength))];
}

/** Prompts as a caller gave them, in tokens. */
type Prompts = Partial<Record<"initialPrompt" | "prompt" | "hotwords" | "prefix", readonly number[]>>;

/** Says which of the prompts are longer than the room for them. */
export function warnOfLongPrompts(prompts: Prompts, contextLength: number, { onWarning }: RunControls): void {
  const warn = (name: keyof Prompts, room: number, part: string) => {
    const length = prompts[name]?.length ?? 0;
    if (length <= room) return;
    const message = `${name} has ${length} tokens and room for ${room}: only its ${part} counts`;
    onWarning?.({ code: "W_OPTION", message });
  };
  warn("initialPrompt", promptRoom(contextLength), "end");
  warn("prompt", promptRoom(contextLength), "end");
  warn("hotwords", promptRoom(contextLength), "beginning");
  warn("prefix", prefixRoom(contextLength), "end");
}
