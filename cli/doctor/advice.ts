/**
 * From what a machine has to what would make sotto run better on it.
 *
 * @module
 */

import type { DeviceProbe } from "../../kernels/device.ts";
import type { MachineFacts } from "./machine.ts";
import { NPU_DRIVER, type NpuFacts } from "./npu.ts";

/** Lockable memory that the buffers of a large encoder fit into with ease. */
const ENOUGH_MEMLOCK = 4 * 2 ** 30; // bytes

/** Weights of large-v3 in F16 and F32 work beside them. */
const ENOUGH_MEMORY = 6 * 2 ** 30; // bytes

/** Advice, the most useful first; a sentence each. Empty: nothing to improve. */
export function advice(
  machine: MachineFacts,
  npu: NpuFacts,
  probes: readonly DeviceProbe[],
): string[] {
  const cpu = probes.find(({ name }) => name === "cpu");
  return [
    ...(cpu && !cpu.usable ? [cpuAdvice(machine, cpu)] : []),
    ...npuAdvice(npu),
    ...(machine.ffmpeg === null
      ? ["Install ffmpeg to read m4a, mp4, webm and others; WAV, FLAC, MP3 and Ogg need none."]
      : []),
    ...(machine.memoryTotal < ENOUGH_MEMORY
      ? ["Memory is short for large models: take turbo, small or base."]
      : []),
  ];
}

function cpuAdvice({ compiler }: MachineFacts, { hint }: DeviceProbe): string {
  const how = compiler === null
    ? "Install a C compiler (such as gcc), then run: deno task build."
    : `${hint}.`;
  return `The CPU library is not usable, and TypeScript is many times slower. ${how}`;
}

/** One step at a time: what comes later cannot be seen before the earlier is there. */
function npuAdvice({ module, nodes, groups, memlock, firmware, libxrt }: NpuFacts): string[] {
  const own = nodes.filter(({ driver }) => driver === null || driver === NPU_DRIVER);
  if (!module && own.length === 0) return []; // most machines have no NPU: nothing to improve
  if (own.length === 0) {
    return [
      firmware.length === 0
        ? `${NPU_DRIVER} is loaded but made no device: its firmware (/lib/firmware/amdnpu) is missing; install linux-firmware.`
        : `${NPU_DRIVER} is loaded but made no device: dmesg says why; the NPU may be off in the firmware setup.`,
    ];
  }
  const steps: string[] = [];
  for (const { path, group, opens } of own.filter(({ opens }) => !opens)) {
    if (opens) continue;
    steps.push(
      groups.includes(group)
        ? `${path} may not be opened although you are in group ${group}: look at its mode.`
        : `${path} may not be opened: sudo usermod -aG ${group} $USER, then log in again.`,
    );
  }
  if (memlock !== null && memlock < ENOUGH_MEMLOCK) {
    const megabytes = Math.round(memlock / 2 ** 20);
    steps.push(
      `The limit of locked memory is ${megabytes} MiB: set memlock to unlimited in /etc/security/limits.conf.`,
    );
  }
  if (libxrt === null) steps.push("Install libxrt (XRT 2.19 or newer), then run: deno task build.");
  return steps;
}
