import assert from "node:assert/strict";
import { join } from "node:path";
import { ENCODER_NPU1 } from "../../kernels/npu/catalogue.ts";
import { modelledPdi, modelledXclbin } from "../../kernels/npu/container.ts";
import { productStream } from "../../kernels/npu/instructions.ts";
import { encodeTransaction, formatInstructionText } from "../../kernels/npu/transaction.ts";
import { mlirAiePartition } from "../../kernels/xclbin/mlir_aie.ts";
import { readNpuXclbin } from "../../kernels/xclbin/read.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const COMMAND = new URL("cli/xclbin.ts", PROJECT_ROOT).pathname;

/** Runs the command in a folder of its own, with permission for that folder alone. */
async function withFolder(
  body: (folder: string, run: (...args: string[]) => { code: number; out: string; err: string }) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    body(folder, (...args) => {
      const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--no-lock",
          `--allow-read=${folder}`,
          `--allow-write=${folder}`,
          COMMAND,
          ...args,
        ],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).outputSync();
      return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("xclbin inspect shows an overlay and a stream", async () => {
  await withFolder((folder, run) => {
    const [xclbin, stream] = [join(folder, "encoder.xclbin"), join(folder, "encoder.insts.txt")];
    Deno.writeFileSync(xclbin, modelledXclbin(ENCODER_NPU1));
    const words = encodeTransaction(productStream(ENCODER_NPU1, [{ M: 256, K: 64, N: 256 }]));
    Deno.writeTextFileSync(stream, formatInstructionText(words));
    const { code, out, err } = run("inspect", xclbin, stream);
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.match(out, /partition: 4 columns, from column 1, 2048 operations per cycle/);
    assert.match(out, /program 0 matmul tile 64 64 64/);
    assert.match(out, /argument 3 bo0: void\*, global, 8 bytes at 20, bank 0 HOST/);
    assert.match(out, /transaction 1\.0 for npu1, 4 columns, 60 operations/);
    assert.match(out, /buffer bo2: at least 262144 bytes/);
  });
});

Deno.test("xclbin pack makes an overlay of a PDI, and takes no PDI from elsewhere", async () => {
  await withFolder((folder, run) => {
    const [partition, output] = [join(folder, "aie_partition.json"), join(folder, "out.xclbin")];
    const text = mlirAiePartition(4, [1], "00112233445566778899aabbccddeeff");
    Deno.writeTextFileSync(partition, text);
    const missing = run("pack", "--partition", partition, output);
    assert.equal(missing.code, 66);
    assert.match(missing.err, /^E_INPUT: Cannot read .*design\.pdi/);

    Deno.writeFileSync(join(folder, "design.pdi"), modelledPdi(ENCODER_NPU1));
    const packed = run("pack", "--partition", partition, output);
    assert.equal(packed.err, "");
    assert.equal(packed.code, 0);
    const { partition: read } = readNpuXclbin(Deno.readFileSync(output));
    assert.deepEqual(read.pdis[0].image, modelledPdi(ENCODER_NPU1));

    Deno.writeTextFileSync(partition, text.replace("design.pdi", "../../etc/passwd"));
    const escaped = run("pack", "--partition", partition, output);
    assert.equal(escaped.code, 65);
    assert.match(escaped.err, /^E_PATH: /);
    assert.equal(run("pack", "--partition", partition, "--pdi", join(folder, "design.pdi"), output).code, 0);
    assert.deepEqual(Array.from(Deno.readDirSync(folder), (entry) => entry.name).sort(), [
      "aie_partition.json",
      "design.pdi",
      "out.xclbin",
    ]);
  });
});

Deno.test("xclbin says in one line what is wrong", async () => {
  await withFolder((folder, run) => {
    const broken = join(folder, "broken.xclbin");
    Deno.writeFileSync(broken, modelledXclbin(ENCODER_NPU1).subarray(0, 1000));
    const cases = [
      [["inspect", broken], 65, /^E_XCLBIN: Cannot read the xclbin because its header says/],
      [["inspect", join(folder, "none.xclbin")], 66, /^E_INPUT: /],
      [["inspect", "/etc/hostname"], 77, /^E_PERMISSION: .*--allow-read=\/etc\/hostname/],
      [["inspect"], 64, /^E_OPTION: Cannot inspect without a file/],
      [["polish"], 64, /^E_OPTION: Cannot polish/],
      [["pack", "--cheese"], 64, /^E_OPTION: /],
      [["pack"], 64, /^E_OPTION: Cannot pack without/],
    ] as const;
    for (const [args, code, message] of cases) {
      const result = run(...args);
      assert.equal(result.code, code, args.join(" "));
      assert.match(result.err, message);
      assert.equal(result.err.trim().split("\n").length, 1);
      assert.equal(result.out, "");
    }
    assert.match(run("--help").out, /deno task xclbin inspect/);
  });
});
