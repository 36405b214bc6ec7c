import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { advice } from "../../cli/doctor/advice.ts";
import type { MachineFacts } from "../../cli/doctor/machine.ts";
import { npuFacts } from "../../cli/doctor/npu.ts";
import { SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import type { DeviceProbe } from "../../kernels/mod.ts";
import { assertDone, denoCommand, inFolder, resultOf } from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

const SCRIPT = new URL("cli/doctor/main.ts", PROJECT_ROOT).pathname;

const MACHINE: MachineFacts = {
  system: "linux x86_64",
  deno: "2.9.6",
  processors: 8,
  memoryTotal: 32 * 2 ** 30,
  memoryAvailable: 16 * 2 ** 30,
  compiler: "cc 12",
  ffmpeg: "ffmpeg version 7",
};
const CPU: DeviceProbe = { name: "cpu", usable: true, detail: "", hint: "", code: null, looked: [] };

/** A file system with these files. */
async function withRoot(
  files: Readonly<Record<string, string>>,
  look: (root: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (root) => {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    await look(root);
  });
}

const READY = {
  "proc/modules": "amdxdna 143360 0 - Live 0x0\n",
  "proc/self/status": "Name:\tdeno\nGroups:\t44 992 \n",
  "proc/self/limits":
    "Limit  Soft Limit  Hard Limit  Units\nMax locked memory         unlimited            unlimited            bytes\n",
  "etc/group": "root:x:0:\nvideo:x:44:\nrender:x:992:me\n",
  "dev/accel/accel0": "",
  "sys/class/accel/accel0/device/fw_version": "1.5.5.391\n",
  "lib/firmware/amdnpu/1502_00/npu.sbin": "firmware",
  "usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2": "",
  "usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.19.0": "",
};

Deno.test("doctor says what a machine without NPU has, where the library was found, and what auto takes", async () => {
  const run = (...args: string[]) =>
    resultOf(denoCommand(["run", "-A", "--no-check", SCRIPT, ...args]).spawn());
  const text = await run();
  assertDone(text);
  for (
    const line of [
      "Machine",
      "NPU",
      "Devices",
      "To improve",
      "  memory ",
      "  features ",
      "  memlock ",
      "  auto takes ",
    ]
  ) {
    assert.ok(text.stdout.includes(line), line);
  }
  const json = await run("--json");
  assertDone(json);
  const { devices, takes, abi, processor, npu, machine } = JSON.parse(json.stdout);
  assert.equal(abi, SOTTO_CPU_ABI);
  assert.equal(takes.device, HAS_LIBRARY ? "cpu" : "portable");
  const cpu = devices.find(({ name }: DeviceProbe) => name === "cpu");
  assert.equal(cpu.usable, HAS_LIBRARY);
  assert.equal(cpu.looked[2].path, LIBRARY_PATH);
  assert.equal(processor !== null, HAS_LIBRARY);
  assert.ok(machine.memoryTotal > machine.memoryAvailable && machine.processors >= 1);
  assert.ok(Array.isArray(npu.nodes));
});

Deno.test("npuFacts() reads module, node, groups, limit, firmware and libxrt", async () => {
  await withRoot(READY, async (root) => {
    const { nodes, ...facts } = await npuFacts(root);
    assert.deepEqual(facts, {
      module: true,
      groups: ["video", "render"],
      memlock: null,
      firmware: ["amdnpu/1502_00/npu.sbin"],
      firmwareVersion: "1.5.5.391",
      libxrt: "2.19.0",
    });
    assert.deepEqual(nodes.map(({ path, opens }) => [path, opens]), [["/dev/accel/accel0", true]]);
    assert.deepEqual(advice(MACHINE, await npuFacts(root), [CPU]), []);
  });
});

Deno.test("npuFacts() finds nothing on an empty machine, which is nothing to improve", async () => {
  await withRoot({}, async (root) => {
    const facts = await npuFacts(root);
    assert.deepEqual(facts, {
      module: false,
      nodes: [],
      groups: [],
      memlock: null,
      firmware: [],
      firmwareVersion: null,
      libxrt: null,
    });
    assert.deepEqual(advice(MACHINE, facts, [CPU]), []);
  });
});

Deno.test("advice() names each thing that keeps an NPU from running", async () => {
  const without = async (change: Record<string, string | null>): Promise<string> => {
    const files = Object.entries({ ...READY, ...change }).filter((entry): entry is [string, string] =>
      entry[1] !== null
    );
    let text = "";
    await withRoot(Object.fromEntries(files), async (root) => {
      text = advice(MACHINE, await npuFacts(root), [CPU]).join("\n");
    });
    return text;
  };
  const limits = "Max locked memory         8388608              8388608              bytes\n";
  assert.match(await without({ "proc/self/limits": limits }), /locked memory is 8 MiB.*memlock to unlimited/);
  const old = {
    "usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2": null,
    "usr/lib/x86_64-linux-gnu/libxrt_coreutil.so.2.19.0": null,
  };
  assert.match(await without(old), /Install libxrt/);
  assert.match(await without({ "dev/accel/accel0": null }), /made no device: dmesg/);
  const bare = { "dev/accel/accel0": null, "lib/firmware/amdnpu/1502_00/npu.sbin": null };
  assert.match(await without(bare), /firmware .* is missing/);

  const node = { path: "/dev/accel/accel0", driver: "amdxdna", group: "render", opens: false };
  const closed = (groups: string[]) =>
    advice(MACHINE, {
      module: true,
      nodes: [node],
      groups,
      memlock: null,
      firmware: [],
      firmwareVersion: null,
      libxrt: "2.19",
    }, [CPU]);
  assert.match(closed([])[0], /usermod -aG render/);
  assert.match(closed(["render"])[0], /although you are in group render/);
});

Deno.test("advice() says how to get the CPU library, ffmpeg and by with little memory", async () => {
  await withRoot({}, async (root) => {
    const npu = await npuFacts(root);
    const broken: DeviceProbe = { ...CPU, usable: false, hint: "Run: deno task build", code: "E_NATIVE" };
    assert.match(advice(MACHINE, npu, [broken])[0], /Run: deno task build\.$/);
    assert.match(advice({ ...MACHINE, compiler: null }, npu, [broken])[0], /Install a C compiler/);
    const small = advice({ ...MACHINE, ffmpeg: null, memoryTotal: 2 ** 31 }, npu, [CPU]);
    assert.equal(small.length, 2);
    assert.match(small.join("\n"), /ffmpeg[^]*Memory is short/);
  });
});
