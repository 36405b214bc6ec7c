import { deepStrictEqual, throws } from "node:assert/strict";
import { parseHeader } from "../../ffi/c_header.ts";

Deno.test("parseHeader() reads defines, enums and functions past comments", () => {
  const header = parseHeader(`
    #define ABI 3 /* a number */
    #define SOTTO_API __attribute__((visibility("default")))
    #define TEXT "no number"
    enum colour { RED = 0, /* one, two; */ GREEN = -2 };
    // SOTTO_API int32_t not_this(void);
    SOTTO_API uint32_t abi(void);
    SOTTO_API int32_t run(uint64_t plan, const float *input,
                          size_t input_length);`);
  deepStrictEqual(header, {
    defines: [{ name: "ABI", value: 3 }],
    enums: [{ name: "colour", values: [{ name: "RED", value: 0 }, { name: "GREEN", value: -2 }] }],
    functions: [
      { name: "abi", result: "uint32_t", parameters: [] },
      {
        name: "run",
        result: "int32_t",
        parameters: [
          { declaration: "uint64_t plan", type: "uint64_t", name: "plan" },
          { declaration: "const float *input", type: "const float *", name: "input" },
          { declaration: "size_t input_length", type: "size_t", name: "input_length" },
        ],
      },
    ],
  });
});

for (
  const [what, source] of [
    ["an array parameter", "SOTTO_API int32_t f(float x[4]);"],
    ["a pointer to a pointer", "SOTTO_API int32_t f(float **x);"],
    ["a parameter without a name", "SOTTO_API int32_t f(float);"],
    ["a variadic function", "SOTTO_API int32_t f(int32_t n, ...);"],
    ["a declaration without an end", "SOTTO_API int32_t f(int32_t n)"],
    ["an enum value without a number", "enum e { A };"],
  ]
) {
  Deno.test(`parseHeader() refuses ${what}`, () => {
    throws(() => parseHeader(source), SyntaxError);
  });
}
