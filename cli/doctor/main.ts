/**
 * Says what this machine has, what will run where and why, and what to improve: `deno task doctor [--json]`.
 *
 * @module
 */

import { SOTTO_CPU_ABI } from "../../ffi/cpu_symbols.ts";
import { CpuLibrary } from "../../ffi/cpu_library.ts";
import { type DeviceProbe, openDevice, probeDevices } from "../../kernels/mod.ts";
import { printError } from "../console.ts";
import { taskArguments } from "../task_arguments.ts";
import { advice } from "./advice.ts";
import { type MachineFacts, machineFacts } from "./machine.ts";
import { type NpuFacts, npuFacts } from "./npu.ts";

/** All that is found; plain data. */
export interface Diagnosis {
  readonly machine: MachineFacts;
  /** What the CPU library says of the processor; null without it. */
  readonly processor: {
    readonly cpu: string;
    readonly features: readonly string[];
    readonly variants: readonly string[];
  } | null;
  /** The ABI number that the library must have. */
  readonly abi: number;
  readonly devices: readonly DeviceProbe[];
  /** What `auto` takes. */
  readonly takes: { readonly device: string; readonly why: string };
  readonly npu: NpuFacts;
  /** What to improve, a sentence each. */
  readonly advice: readonly string[];
}

/** Looks at everything. */
export async function diagnose(): Promise<Diagnosis> {
  const [machine, npu, devices] = await Promise.all([machineFacts(), npuFacts(), probeDevices()]);
  const cpu = devices.find(({ name }) => name === "cpu")!;
  let why = "it is the fastest that is usable";
  using taken = await openDevice("auto", { onWarning: ({ message }) => why = message });
  return {
    machine,
    processor: cpu.usable ? CpuLibrary.open().describe() : null,
    abi: SOTTO_CPU_ABI,
    devices,
    takes: { device: taken.name, why },
    npu,
    advice: advice(machine, npu, devices),
  };
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The diagnosis as lines for people. */
export function report({ machine, processor, abi, devices, takes, npu, advice }: Diagnosis): string {
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const looked = devices.find(({ name }) => name === "cpu")!.looked;
  const opens = npu.nodes.map(({ path, group, opens }) =>
    `${path} (${opens ? "opens" : `closed, group ${group}`})`
  );
  const sections: [title: string, rows: [name: string, value: string][]][] = [
    ["Machine", [
      ["system", machine.system],
      ["Deno", machine.deno],
      [
        "processor",
        processor ? `${processor.cpu}, ${machine.processors} threads` : `${machine.processors} threads`,
      ],
      ["features", processor?.features.join(" ") || "–"],
      ["memory", `${gibibytes(machine.memoryTotal)}, ${gibibytes(machine.memoryAvailable)} free`],
      ["C compiler", machine.compiler ?? "none"],
      ["ffmpeg", machine.ffmpeg ?? "none"],
    ]],
    [
      `CPU library (ABI ${abi})`,
      looked.map((
        { source, path, reason },
      ) => [source, path === null ? reason : `${path}${isThere(path) ? "" : " (not there)"}`]),
    ],
    ["NPU", [
      ["kernel module", npu.module ? "amdxdna is loaded" : "amdxdna is not loaded"],
      ["device", opens.join(", ") || "no /dev/accel/accel*"],
      ["groups", npu.groups.join(" ") || "–"],
      ["memlock", npu.memlock === null ? "unlimited" : `${Math.round(npu.memlock / 2 ** 20)} MiB`],
      ["libxrt", npu.libxrt ?? "not found"],
      [
        "firmware",
        npu.firmwareVersion ?? (npu.firmware.length > 0 ? `${npu.firmware.length} files` : "none"),
      ],
    ]],
    ["Devices", [
      ...devices.map((
        { name, usable, detail },
      ): [string, string] => [name, `${usable ? "usable" : "not usable"}: ${detail}`]),
      ["auto takes", `${takes.device}: ${takes.why}`],
    ]],
  ];
  const text = sections.map(([title, rows]) =>
    `${title}\n${rows.map(([name, value]) => `  ${name.padEnd(15)} ${value}\n`).join("")}`
  );
  const tips = advice.length === 0 ? "Nothing to improve.\n" : advice.map((line) => `- ${line}\n`).join("");
  return `${text.join("\n")}\nTo improve\n${tips}`;
}

async function main(args: readonly string[]): Promise<void> {
  const options = { json: { type: "boolean" } } as const;
  const { values } = taskArguments(args, { options }, "--json is its only option.");
  const diagnosis = await diagnose();
  console.log(values.json ? JSON.stringify(diagnosis, null, 2) : report(diagnosis));
}

if (import.meta.main) await main(Deno.args).catch((error) => Deno.exit(printError(error, false)));
