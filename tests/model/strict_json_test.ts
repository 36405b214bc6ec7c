import assert from "node:assert/strict";
import { SottoError } from "../../errors.ts";
import { parseStrictJson } from "../../model/strict_json.ts";

const parse = (text: string): unknown => parseStrictJson(new TextEncoder().encode(text), "test.json");

Deno.test("parseStrictJson() answers what JSON.parse does for honest JSON", () => {
  const texts = [
    '{"a":{"b":1},"b":{"b":2},"c":["b","b",{"b":3}]}',
    '{"quote\\"":1,"quote":2,"back\\\\":3,"back":4}',
    '["{", "}", "\\"", ",", {"[": "]"}]',
    '{"a":"x,\\"b\\":1","b":2}',
    "3",
    '{"__proto__":1}',
  ];
  for (const text of texts) assert.deepEqual(parse(text), JSON.parse(text));
});

Deno.test("parseStrictJson() refuses repeated keys in any object and syntax errors", () => {
  const refusals: [string, RegExp][] = [
    ['{"a":1,"a":1}', /duplicate key "a"/],
    ['[{"b":{"a":1,"c":{},"a":[]}}]', /duplicate key "a"/],
    ['{"a":{"a":1},"b":[],"a":2}', /duplicate key "a"/],
    ['{"\\u00e4":1,"ä":2}', /duplicate key/],
    ['{"a":1,}', /not JSON/],
    ['{"a', /not JSON/],
    ['{"\\x":1}', /not JSON/],
    ["}}]]{{", /not JSON/],
    ["", /not JSON/],
    ["[".repeat(65) + "]".repeat(65), /deeper than 64/],
  ];
  for (const [text, message] of refusals) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof SottoError && message.test(error.message),
      text,
    );
  }
  assert.deepEqual(parse("[".repeat(64) + "]".repeat(64)), JSON.parse("[".repeat(64) + "]".repeat(64)));
});
