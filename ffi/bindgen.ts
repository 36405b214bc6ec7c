/**
 * Writes the symbol tables for `Deno.dlopen` from our C headers.
 *
 *     deno task bindgen            # write ffi/cpu_symbols.ts and ffi/xrt_symbols.ts
 *     deno task bindgen --check    # exit 1 where it is not what the header says
 *
 * @module
 */

import { type CHeader, type CParameter, parseHeader } from "./c_header.ts";

/** A header, the table made of it, and which of its functions run off the main thread. */
export interface Binding {
  /** Path of the header from the project's root. */
  readonly header: string;
  /** Path of the generated module from the project's root. */
  readonly module: string;
  /** Name of the exported symbol table. */
  readonly table: string;
  /** One sentence for the generated module. */
  readonly about: string;
  /** Functions that can take more than about 1 ms: the event loop must not wait for them. */
  readonly nonblocking: readonly string[];
  /** Functions that take microseconds, or that must have happened when they return. */
  readonly blocking: readonly string[];
}

/** Every native library. */
export const BINDINGS: readonly Binding[] = [
  {
    header: "native/include/sotto_cpu.h",
    module: "ffi/cpu_symbols.ts",
    table: "CPU_SYMBOLS",
    about: "The C interface of libsotto_cpu",
    nonblocking: [
      "sotto_cpu_file_open", // a network file system may keep it waiting
      "sotto_cpu_file_copy",
      "sotto_cpu_log_mel",
      "sotto_cpu_plan_create",
      "sotto_cpu_plan_run",
      "sotto_cpu_decoder_create",
      "sotto_cpu_session_set_features",
      "sotto_cpu_sessions_step",
      "sotto_cpu_session_align",
      "sotto_cpu_session_reorder",
      "sotto_cpu_measure",
      "sotto_cpu_convert_f32_to_bf16",
      "sotto_cpu_convert_bf16_to_f32",
      "sotto_cpu_convert_f32_to_bfp16",
      "sotto_cpu_convert_bfp16_to_f32",
      "sotto_cpu_convert_f32_to_i8",
      "sotto_cpu_convert_i8_to_f32",
      "sotto_cpu_rows_pass",
    ],
    blocking: [
      "sotto_cpu_abi",
      "sotto_cpu_describe",
      "sotto_cpu_context_create",
      "sotto_cpu_context_describe",
      "sotto_cpu_destroy", // Symbol.dispose cannot wait
      "sotto_cpu_session_create", // reserves memory, touches none of it
      "sotto_cpu_session_best_logits",
      "sotto_cpu_session_sum_logits",
    ],
  },
  {
    header: "native/include/sotto_xrt.h",
    module: "ffi/xrt_symbols.ts",
    table: "XRT_SYMBOLS",
    about: "The C interface of libsotto_xrt and libsotto_npu_emulated",
    nonblocking: [
      "sotto_xrt_probe", // opens devices
      "sotto_xrt_device_open",
      "sotto_xrt_overlay_register",
      "sotto_xrt_context_create",
      "sotto_xrt_buffer_create",
      "sotto_xrt_buffer_write", // a flush of every cache line
      "sotto_xrt_buffer_read",
      "sotto_xrt_buffer_sync_to_device",
      "sotto_xrt_buffer_sync_from_device",
      "sotto_xrt_run_wait",
      "sotto_xrt_runlist_wait",
    ],
    blocking: [
      "sotto_xrt_abi",
      "sotto_xrt_describe",
      "sotto_xrt_model_configure",
      "sotto_xrt_device_describe",
      "sotto_xrt_overlay_describe",
      "sotto_xrt_kernel_open",
      "sotto_xrt_kernel_describe",
      "sotto_xrt_buffer_map",
      "sotto_xrt_run_create",
      "sotto_xrt_run_set_scalar",
      "sotto_xrt_run_set_buffer",
      "sotto_xrt_run_start",
      "sotto_xrt_run_state",
      "sotto_xrt_runlist_create",
      "sotto_xrt_runlist_add",
      "sotto_xrt_runlist_start",
      "sotto_xrt_counters",
      "sotto_xrt_destroy", // Symbol.dispose cannot wait
    ],
  },
];

/** Types of Deno's foreign function interface for the C types we use; every pointer is a "buffer". */
const NATIVE_TYPES: Readonly<Record<string, string>> = {
  int32_t: "i32",
  uint32_t: "u32",
  int64_t: "i64",
  uint64_t: "u64",
  size_t: "usize",
  float: "f32",
  double: "f64",
};

/** Pointers that may cross: arrays of numbers and text. A pointer to a pointer or a struct may not. */
const BUFFER_TYPE = /^(?:const )?(?:char|u?int(?:8|16|32|64)_t|float|double) \*$/;

function nativeType(type: string, where: string): string {
  const native = BUFFER_TYPE.test(type) ? "buffer" : NATIVE_TYPES[type];
  if (!native) throw new SyntaxError(`Cannot bind ${where}: no native type for "${type}"`);
  return native;
}

function parameterLines(parameters: readonly CParameter[], name: string): string[] {
  if (parameters.length === 0) return ["    parameters: [],"];
  const lines = parameters.map(({ type, declaration }) =>
    `      "${nativeType(type, name)}", // ${declaration}`
  );
  return ["    parameters: [", ...lines, "    ],"];
}

/** `sotto_status` → `SottoStatus`. */
const typeName = (name: string): string =>
  name.split("_").map((word) => word[0].toUpperCase() + word.slice(1)).join("");

/**
 * The text of the generated module.
 *
 * @throws {SyntaxError} if a function is in neither of the binding's lists, or in a list but not in the header.
 */
export function generate(binding: Binding, source: string): string {
  const header: CHeader = parseHeader(source);
  const listed = [...binding.nonblocking, ...binding.blocking];
  const declared = header.functions.map(({ name }) => name);
  for (const name of declared) {
    if (listed.filter((other) => other === name).length !== 1) {
      throw new SyntaxError(
        `Cannot bind ${name}: it must be in exactly one list of ffi/bindgen.ts, blocking or not`,
      );
    }
  }
  for (const name of listed) {
    if (!declared.includes(name)) {
      throw new SyntaxError(`Cannot bind ${name}: ${binding.header} does not declare it`);
    }
  }

  const lines = [
    "/**",
    ` * ${binding.about}, as \`${binding.header}\` declares it.`,
    " * Generated by `deno task bindgen`; not to be edited.",
    " *",
    " * @module",
    " */",
    "",
  ];
  for (const { name, value } of header.defines) {
    lines.push(`/** \`${name}\` of the header. */`, `export const ${name} = ${value};`, "");
  }
  for (const { name, values } of header.enums) {
    lines.push(`/** \`enum ${name}\` of the header. */`, `export const ${typeName(name)} = {`);
    for (const { name: key, value } of values) lines.push(`  ${key}: ${value},`);
    lines.push("} as const;", "");
  }
  lines.push(`/** Symbols of the library, in the header's order. */`, `export const ${binding.table} = {`);
  for (const { name, result, parameters } of header.functions) {
    lines.push(
      `  ${name}: {`,
      ...parameterLines(parameters, name),
      `    result: "${nativeType(result, name)}",`,
    );
    if (binding.nonblocking.includes(name)) lines.push("    nonblocking: true,");
    lines.push("  },");
  }
  lines.push("} as const satisfies Deno.ForeignLibraryInterface;", "");
  return lines.join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== "--check")) {
    console.error(`bindgen: unknown option ${args.find((arg) => arg !== "--check")} (only --check)`);
    return 64;
  }
  const root = new URL("../", import.meta.url);
  let drifted = 0;
  for (const binding of BINDINGS) {
    const text = generate(binding, await Deno.readTextFile(new URL(binding.header, root)));
    const url = new URL(binding.module, root);
    const present = await Deno.readTextFile(url).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    });
    if (present === text) continue;
    if (args.includes("--check")) {
      console.error(
        `bindgen: ${binding.module} is not what ${binding.header} declares; run: deno task bindgen`,
      );
      drifted = 1;
    } else {
      await Deno.writeTextFile(url, text);
      console.log(`bindgen: wrote ${binding.module}`);
    }
  }
  return drifted;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
