/**
 * GPT-2's printable stand-ins for bytes, in which `tokenizer.json` and `vocab.json` spell tokens.
 *
 * @module
 */

const isPlain = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);

/** Character → byte: printable Latin-1 stands for itself, the other bytes take the characters from 256 on in order. */
const BYTE_OF: ReadonlyMap<string, number> = new Map(
  [
    ...Array.from({ length: 256 }, (_, byte) => byte).filter(isPlain).map((byte) => [byte, byte]),
    ...Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPlain(byte)).map((
      byte,
      n,
    ) => [256 + n, byte]),
  ].map(([code, byte]) => [String.fromCharCode(code), byte]),
);

/** The bytes of a token as `tokenizer.json` spells it. */
export function tokenBytes(spelling: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(spelling, (character) => {
    const byte = BYTE_OF.get(character);
    if (byte === undefined) throw new SyntaxError(`${JSON.stringify(character)} is no GPT-2 byte character`);
    return byte;
  });
}

/** Every token of a `tokenizer.json` by id, special ones by their names, in bytes. */
export function tokensOfTokenizerJson(json: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer>[] {
  const { vocab } = json.model as { readonly vocab: Readonly<Record<string, number>> };
  const added = json.added_tokens as readonly { readonly id: number; readonly content: string }[];
  const tokens: Uint8Array<ArrayBuffer>[] = [];
  for (const [spelling, id] of Object.entries(vocab)) tokens[id] = tokenBytes(spelling);
  for (const { id, content } of added) tokens[id] = new TextEncoder().encode(content);
  return Array.from(tokens, (token) => token ?? new Uint8Array(0));
}
