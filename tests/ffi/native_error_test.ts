import { strictEqual } from "node:assert/strict";
import { nativeError, textOf } from "../../ffi/native_error.ts";
import { SottoStatus } from "../../ffi/cpu_symbols.ts";

const EXPECTED: Record<keyof typeof SottoStatus, string> = {
  SOTTO_OK: "E_NATIVE",
  SOTTO_INVALID_ARGUMENT: "E_NATIVE",
  SOTTO_INVALID_HANDLE: "E_NATIVE",
  SOTTO_OUT_OF_MEMORY: "E_MEMORY",
  SOTTO_UNSUPPORTED: "E_DEVICE",
  SOTTO_CANCELLED: "E_ABORTED",
  SOTTO_NON_FINITE: "E_MODEL_VALUES",
  SOTTO_BUSY: "E_BUSY",
  SOTTO_IO: "E_NATIVE",
  SOTTO_NO_THREADS: "E_NATIVE",
};

Deno.test("nativeError() gives every status its code, symbol, name and text", () => {
  for (const [name, code] of Object.entries(EXPECTED)) {
    const error = nativeError("sotto_x", SottoStatus[name as keyof typeof SottoStatus], "Cannot x");
    strictEqual(error.code, code);
    strictEqual(error.message, `Cannot x (sotto_x: ${name})`);
  }
});

Deno.test("nativeError() names a status it does not know and a missing text", () => {
  const error = nativeError("sotto_x", 99, "");
  strictEqual(error.code, "E_NATIVE");
  strictEqual(error.message, "The native library gave no reason (sotto_x: status 99)");
});

Deno.test("textOf() ends at the zero byte, or at the buffer's end", () => {
  strictEqual(textOf(new TextEncoder().encode("grün\0rest")), "grün");
  strictEqual(textOf(new TextEncoder().encode("whole")), "whole");
});
