import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { type Binding, BINDINGS, generate } from "../../ffi/bindgen.ts";
import { CPU_SYMBOLS, SOTTO_CPU_ABI, SottoStatus } from "../../ffi/cpu_symbols.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

async function deno(args: string[], input?: string): Promise<{ code: number; out: string; err: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: PROJECT_ROOT,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

for (const binding of BINDINGS) {
  Deno.test(`generate() gives what ${binding.module} holds, formatted`, async () => {
    const text = generate(binding, await Deno.readTextFile(new URL(binding.header, PROJECT_ROOT)));
    strictEqual(
      text,
      await Deno.readTextFile(new URL(binding.module, PROJECT_ROOT)),
      "run: deno task bindgen",
    );
    strictEqual((await deno(["fmt", "--ext=ts", "-"], text)).out, text);
  });
}

const TINY: Binding = {
  header: "native/include/tiny.h",
  module: "ffi/tiny_symbols.ts",
  table: "TINY_SYMBOLS",
  about: "A library",
  nonblocking: ["slow"],
  blocking: ["quick"],
};

Deno.test("generate() writes each parameter with its declaration, slow functions nonblocking", () => {
  const text = generate(
    TINY,
    "SOTTO_API int32_t slow(const double *x, size_t n);\nSOTTO_API uint64_t quick(void);",
  );
  const table = text.slice(text.indexOf("export const TINY_SYMBOLS"));
  strictEqual(
    table,
    `export const TINY_SYMBOLS = {
  slow: {
    parameters: [
      "buffer", // const double *x
      "usize", // size_t n
    ],
    result: "i32",
    nonblocking: true,
  },
  quick: {
    parameters: [],
    result: "u64",
  },
} as const satisfies Deno.ForeignLibraryInterface;
`,
  );
});

Deno.test("generate() refuses functions that nobody said whether they block", () => {
  const header =
    "SOTTO_API int32_t slow(void); SOTTO_API int32_t quick(void); SOTTO_API int32_t other(void);";
  throws(() => generate(TINY, header), /Cannot bind other/);
});

Deno.test("generate() refuses a listed function that the header lacks", () => {
  throws(() => generate(TINY, "SOTTO_API int32_t slow(void);"), /Cannot bind quick/);
});

Deno.test("generate() refuses types that have no native one", () => {
  const header = "SOTTO_API int32_t slow(struct thing *x); SOTTO_API int32_t quick(void);";
  throws(() => generate(TINY, header), SyntaxError);
  throws(() => generate(TINY, "SOTTO_API int32_t slow(long x); SOTTO_API int32_t quick(void);"), /"long"/);
});

Deno.test("bindgen --check answers 0 in sync and 64 for an unknown option", async () => {
  deepStrictEqual(await deno(["run", "--allow-read", "ffi/bindgen.ts", "--check"]), {
    code: 0,
    out: "",
    err: "",
  });
  const unknown = await deno(["run", "--allow-read", "ffi/bindgen.ts", "--chek"]);
  strictEqual(unknown.code, 64);
  match(unknown.err, /unknown option --chek/);
});

Deno.test("bindgen --check answers 1 and names the command where the table drifted", async () => {
  const root = await Deno.makeTempDir();
  try {
    const headers = Array.from(
      Deno.readDirSync(new URL("native/include/", PROJECT_ROOT)),
      ({ name }) => name,
    );
    const tables = headers.map((header) => header.replace(/^sotto_(.*)\.h$/, "ffi/$1_symbols.ts"));
    for (
      const file of [
        "ffi/bindgen.ts",
        "ffi/c_header.ts",
        ...tables,
        ...headers.map((name) => `native/include/${name}`),
      ]
    ) {
      await Deno.mkdir(`${root}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
      await Deno.copyFile(new URL(file, PROJECT_ROOT), `${root}/${file}`);
    }
    const header = await Deno.readTextFile(`${root}/native/include/sotto_cpu.h`);
    await Deno.writeTextFile(
      `${root}/native/include/sotto_cpu.h`,
      header.replace("int32_t threads,", "int64_t threads,"),
    );
    const check = await deno(["run", "--allow-read", `${root}/ffi/bindgen.ts`, "--check"]);
    strictEqual(check.code, 1);
    strictEqual(
      check.err,
      "bindgen: ffi/cpu_symbols.ts is not what native/include/sotto_cpu.h declares; run: deno task bindgen\n",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("the CPU symbols are the header's: ABI, statuses, nonblocking runs", () => {
  strictEqual(SottoStatus.SOTTO_OK, 0);
  strictEqual(Number.isInteger(SOTTO_CPU_ABI), true);
  strictEqual(CPU_SYMBOLS.sotto_cpu_plan_run.nonblocking, true);
  strictEqual("nonblocking" in CPU_SYMBOLS.sotto_cpu_abi, false);
});
