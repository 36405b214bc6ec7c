import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import type { Warning } from "../../errors.ts";
import { DEVICE_NAMES, type DeviceChoice, openDevice, probeDevices } from "../../kernels/select.ts";
import { LIBRARY_PATH, testWithLibrary } from "../support/cpu_library.ts";

const NOWHERE = "/nowhere/libsotto_cpu.so";

/** Runs with SOTTO_LIBRARY naming a file that is not there. */
async function withoutLibrary(body: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("SOTTO_LIBRARY");
  Deno.env.set("SOTTO_LIBRARY", NOWHERE);
  try {
    await body();
  } finally {
    if (before === undefined) Deno.env.delete("SOTTO_LIBRARY");
    else Deno.env.set("SOTTO_LIBRARY", before);
  }
}

Deno.test("probeDevices() answers for every device, with reason and remedy where one is not usable", async () => {
  await withoutLibrary(async () => {
    const probes = await probeDevices();
    deepStrictEqual(probes.map(({ name }) => name), DEVICE_NAMES);
    const [cpu, portable] = ["cpu", "portable"].map((name) => probes.find((probe) => probe.name === name)!);
    deepStrictEqual([cpu.usable, cpu.code], [false, "E_NATIVE"]);
    match(cpu.detail, /no such file; tried \/nowhere/);
    match(cpu.hint, /deno task build/);
    deepStrictEqual([portable.usable, portable.hint, portable.code], [true, "", null]);
  });
});

Deno.test("openDevice(auto) takes the portable device with one warning that says why and what to do", async () => {
  await withoutLibrary(async () => {
    const warnings: Warning[] = [];
    using device = await openDevice("auto", { onWarning: (warning) => warnings.push(warning) });
    strictEqual(device.name, "portable");
    strictEqual(warnings.length, 1);
    strictEqual(warnings[0].code, "W_DEVICE");
    match(warnings[0].message, /portable device.*tried \/nowhere.*deno task build/);
  });
});

Deno.test("openDevice() refuses a device asked for by name that is not usable, and a library path that is wrong", async () => {
  await withoutLibrary(async () => {
    await rejects(openDevice("cpu"), { code: "E_NATIVE" });
  });
  await rejects(openDevice("auto", { library: NOWHERE }), { code: "E_NATIVE" });
});

Deno.test("openDevice() refuses names there are not, naming those there are", async () => {
  await rejects(openDevice("gpu" as DeviceChoice), {
    code: "E_OPTION",
    message: `Cannot open device "gpu": must be one of auto, ${DEVICE_NAMES.join(", ")}`,
  });
});

Deno.test("openDevice() refuses thread counts out of range on every choice that has threads", async () => {
  for (const threads of [0, -1, 1.5, 257, NaN]) {
    for (const choice of ["auto", "cpu"] as const) {
      await rejects(openDevice(choice, { threads }), { code: "E_OPTION", message: /from 1 to 256/ });
    }
  }
});

testWithLibrary("openDevice(auto) takes the CPU library without a warning", async () => {
  const warnings: Warning[] = [];
  const options = {
    threads: 1,
    library: LIBRARY_PATH,
    onWarning: (warning: Warning) => warnings.push(warning),
  };
  using device = await openDevice("auto", options);
  strictEqual(device.name, "cpu");
  match(device.description, /^.+, \w+, 1 thread$/);
  deepStrictEqual(warnings, []);
  const probes = await probeDevices({ threads: 1, library: LIBRARY_PATH });
  const cpu = probes.find(({ name }) => name === "cpu");
  const { looked, ...answer } = cpu!;
  deepStrictEqual(answer, { name: "cpu", usable: true, detail: device.description, hint: "", code: null });
  deepStrictEqual(looked.map(({ source }) => source), [
    "library option",
    "SOTTO_LIBRARY",
    "build folder",
    "npm package",
    "cache",
  ]);
  strictEqual(looked[0].path, LIBRARY_PATH);
  for (const { path, reason } of looked.slice(1)) {
    deepStrictEqual([path, reason], [null, "not looked at: a path was given"]);
  }
});

testWithLibrary("openDevice() refuses kernel variants there are not, also under auto", async () => {
  for (const choice of ["auto", "cpu"] as const) {
    await rejects(openDevice(choice, { library: LIBRARY_PATH, variant: "sse9" }), {
      code: "E_DEVICE",
      message: /sse9/,
    });
  }
});
