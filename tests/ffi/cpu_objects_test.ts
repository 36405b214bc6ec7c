import { match, rejects, strictEqual, throws } from "node:assert/strict";
import type { SottoError } from "../../errors.ts";
import { CpuContext, CpuPlan } from "../../ffi/cpu_context.ts";
import { CpuDecoder, CpuSession } from "../../ffi/cpu_decoder.ts";
import type { CpuSymbols } from "../../ffi/cpu_functions.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { CPU_SYMBOLS, SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import { openNativeLibrary } from "../../ffi/native_library.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";

function symbols(): CpuSymbols {
  const spec = { name: "sotto_cpu", symbols: CPU_SYMBOLS, abiSymbol: "sotto_cpu_abi", abi: SOTTO_CPU_ABI };
  return openNativeLibrary(spec, LIBRARY_PATH).symbols;
}

const f32 = (length: number) => new Float32Array(length);

testWithLibrary("calls on handles that never were are refused by every function", async () => {
  const native = symbols();
  const refused = (error: SottoError) =>
    error.code === "E_NATIVE" && /SOTTO_INVALID_HANDLE/.test(error.message);
  for (const handle of [0n, 1n, 0xdead_beefn, 2n ** 64n - 1n]) {
    const context = new CpuContext(native, handle);
    const program = { buffers: new BigInt64Array(3), steps: new BigInt64Array(20), arena: 16 };
    throws(() => context.describe(), refused);
    await rejects(context.logMel(f32(400), f32(201), f32(1), { frames: 1, bands: 1 }), refused);
    await rejects(context.createPlan(program, new BigUint64Array(4)), refused);
    await rejects(
      context.createDecoder(Int32Array.of(1, 1, 1, 1, 1, 1), new BigUint64Array(4 * 28), 0),
      refused,
    );
    await rejects(context.measure("f32_peak", 0.001), refused);
    await rejects(
      new CpuPlan(native, handle).run(f32(1), f32(1), { inputBuffer: 0, outputBuffer: 0 }),
      refused,
    );
    throws(() => new CpuDecoder(native, handle).createSession(1), refused);
    const session = new CpuSession(native, handle);
    const step = { session, tokens: Int32Array.of(0), sequences: 1, position: 0, rows: Int32Array.of(0) };
    await rejects(session.setFeatures(f32(1)), refused);
    await rejects(CpuSession.step([step], f32(1)), refused);
    await rejects(session.reorder(Int32Array.of(0)), refused);
  }
});

testWithLibrary("a handle of another kind is refused", async () => {
  const native = symbols();
  using context = CpuLibrary.open(LIBRARY_PATH).createContext(1, "");
  using file = await CpuLibrary.open(LIBRARY_PATH).copyFile(new Uint8Array(8));
  const plan = new CpuPlan(native, context.handle);
  await rejects(plan.run(f32(1), f32(1), { inputBuffer: 0, outputBuffer: 0 }), /SOTTO_INVALID_HANDLE/);
  throws(() => new CpuContext(native, file.handle).describe(), /SOTTO_INVALID_HANDLE/);
});

testWithLibrary("a destroyed handle stays stale after others were made", async () => {
  const native = symbols();
  const context = CpuLibrary.open(LIBRARY_PATH).createContext(1, "");
  const stale = context.handle;
  context[Symbol.dispose]();
  using _next = CpuLibrary.open(LIBRARY_PATH).createContext(1, "");
  throws(() => new CpuContext(native, stale).describe(), /SOTTO_INVALID_HANDLE/);
  await Promise.resolve();
});

testWithLibrary("empty, detached and short arrays are answered with an error, not read", async () => {
  using context = CpuLibrary.open(LIBRARY_PATH).createContext(1, "");
  const invalid = /SOTTO_INVALID_ARGUMENT/;
  const shape = { frames: 2, bands: 3 };
  const [samples, filters, out] = [f32(560), f32(603), f32(6)];
  await context.logMel(samples, filters, out, shape);
  await rejects(context.logMel(f32(559), filters, out, shape), invalid);
  await rejects(context.logMel(samples, f32(602), out, shape), invalid);
  await rejects(context.logMel(samples, filters, f32(5), shape), invalid);
  await rejects(context.logMel(samples, filters, out, { frames: -1, bands: 3 }), invalid);
  const detached = f32(560);
  structuredClone(detached, { transfer: [detached.buffer] });
  await rejects(context.logMel(detached, filters, out, shape), invalid);
  await rejects(
    context.createPlan(
      { buffers: new BigInt64Array(0), steps: new BigInt64Array(0), arena: 0 },
      new BigUint64Array(0),
    ),
    invalid,
  );
});

testWithLibrary("a context refuses thread counts, variants and measurements there are not", async () => {
  const library = CpuLibrary.open(LIBRARY_PATH);
  for (const threads of [0, -1, 257]) {
    throws(() => library.createContext(threads, ""), /SOTTO_INVALID_ARGUMENT/);
  }
  throws(() => library.createContext(1, "ref\0"), { code: "E_DEVICE" });
  throws(() => library.createContext(1, "x".repeat(10_000)), { code: "E_DEVICE" });
  using context = library.createContext(1, "ref");
  strictEqual(context.describe().variant, "ref");
  await rejects(context.measure("temperature" as "f32_peak", 0.001), /temperature/);
});

testWithLibrary("CpuLibrary.open() answers with the library that is open already", () => {
  strictEqual(CpuLibrary.open(LIBRARY_PATH), CpuLibrary.open(new URL(`file://${LIBRARY_PATH}`)));
  const { cpu, features, variants } = CpuLibrary.open(LIBRARY_PATH).describe();
  match(cpu, /\w/);
  strictEqual(Array.isArray(features), true);
  strictEqual(variants[0], "ref");
});
