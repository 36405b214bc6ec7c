/**
 * What the NPU does for an encoder, and what it would take: launches, bytes, modelled times, accuracy, five benchmarks.
 *
 *     deno task npu-report [--rounds N] [--model strix] [--precision bfp16] [--bundled] [--json]
 *
 * `--bundled` measures the model that comes with the project, in seconds; the base encoder takes minutes.
 * Times of the emulated NPU are modelled and called so. What needs ../shared/data is skipped aloud without it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { planEncoder } from "../encoder/plan.ts";
import { SottoError } from "../errors.ts";
import { XrtLibrary } from "../ffi/xrt_library.ts";
import { CpuDevice } from "../kernels/cpu/device.ts";
import { NpuDevice } from "../kernels/npu/device.ts";
import {
  CATALOGUE,
  clockOf,
  demandsOf,
  explainSelection,
  type HostRates,
  selectKernels,
} from "../kernels/npu/mod.ts";
import type { NpuPrecision } from "../kernels/npu/policy.ts";
import { operationsOf } from "../kernels/step.ts";
import { openCheckpoint } from "../model/mod.ts";
import { benchmarks } from "./npu/benchmarks.ts";
import { encoderTable } from "./npu/encoders.ts";
import { kernelSetTable, launchTable } from "./npu/kernel_sets.ts";
import { type AccuracyData, policyTable } from "./npu/policies.ts";
import { publishedTable } from "./npu/published_table.ts";
import { readNpy, readTensor } from "./npu/read_data.ts";

const USAGE =
  "deno task npu-report [--rounds N] [--model phoenix|strix] [--precision POLICY] [--bundled] [--json]";
const DATA = new URL("../../shared/data/", import.meta.url);
const WEIGHTS = new URL("whisper-base-encoder/", DATA);
const BUNDLED = new URL("../models/demo/", import.meta.url);

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    return false;
  }
}

function title(text: string): void {
  console.log(`\n## ${text}\n`);
}

/** The CPU device's rates, measured: its whole encoder, and conversions. */
async function measuredHost(
  checkpoint: Awaited<ReturnType<typeof openCheckpoint>>,
): Promise<{ rates: HostRates; seconds: number; name: string }> {
  using device = CpuDevice.open();
  const plan = planEncoder(checkpoint.dims.encoder);
  using loaded = await device.loadPlan(plan, checkpoint.weights);
  const { rows, columns } = plan.buffers[plan.input];
  const input = new Float32Array(rows * columns);
  let seconds = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    await loaded.run(input);
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  const operations = plan.steps.reduce((sum, step) => sum + operationsOf(step), 0);
  const values = new Float32Array(1 << 22);
  const codes = new Uint16Array(values.length);
  await device.formats.toBf16(values, codes);
  let converting = Infinity;
  for (let round = 0; round < 10; round++) {
    const start = performance.now();
    await device.formats.toBf16(values, codes);
    converting = Math.min(converting, performance.now() - start);
  }
  const convert = values.byteLength / (converting * 1e6);
  return {
    rates: { convert, cpu: operations / seconds / 1e9 },
    seconds,
    name: `${device.description}, ${loaded.arithmetic}`,
  };
}

async function accuracyData(): Promise<AccuracyData> {
  const seed = (name: string) => readNpy(new URL(`seed/${name}.npy`, DATA));
  const golden = (name: string) => readTensor(new URL("golden/jfk.safetensors", DATA), name);
  return {
    seedInput: await seed("input"),
    seedExact: await seed("output_fp32"),
    seedBefore: await seed("output_cpp"),
    speech: await golden("log_mel"),
    speechExact: await golden("encoder_output"),
  };
}

/** What is asked for. */
interface ReportOptions {
  readonly rounds: string;
  readonly model: string;
  readonly precision?: string;
  readonly bundled: boolean;
  readonly json: boolean;
}

async function report(options: ReportOptions): Promise<void> {
  XrtLibrary.open("sotto_npu_emulated"); // before anything is measured for it
  const hasData = !options.bundled && exists(WEIGHTS);
  const checkpoint = await openCheckpoint((hasData ? WEIGHTS : BUNDLED).pathname);
  if (!hasData) {
    const why = options.bundled ? "as asked" : "no ../shared/data";
    console.log(`skipped: accuracy on speech, and sizes of base (${why}): the bundled model is measured`);
  }
  const { dims, weights } = { dims: checkpoint.dims.encoder, weights: checkpoint.weights };
  const data = hasData ? await accuracyData() : null;
  const input = data?.speech ??
    new Float32Array(dims.n_mels * 2 * dims.n_audio_ctx).map((_, i) => Math.sin(i * 0.37));
  const host = await measuredHost(checkpoint);
  console.log(`CPU device, measured: ${(1000 * host.seconds).toFixed(0)} ms a window (${host.name})`);

  title("Launches of one product");
  console.log(launchTable(host.rates));
  title(
    `A layer and a window of ${checkpoint.name}, by kernels (times modelled; host: conversions at this machine's rate; CPU: ${
      (1000 * host.seconds).toFixed(0)
    } ms, measured)`,
  );
  console.log(kernelSetTable(dims, host.rates, host.seconds));
  title("Published figures and the clock");
  console.log(publishedTable());
  title("Whole encoders on XDNA1");
  console.log(encoderTable(host.rates));

  {
    const deviceOptions = {
      npuModel: `device=${options.model}`,
      npuPrecision: options.precision as NpuPrecision | undefined,
    };
    using device = await NpuDevice.open("npu-emulated", deviceOptions);
    title(
      `Choices for ${device.description}, all linear layers in ${device.policy.linear} (${device.policy.name} runs ${
        device.policy.exactLayers > 0 ? "layer 0 in bf16" : "so"
      })`,
    );
    const { description, design } = device.session!;
    const clock = clockOf(description.clock, description.generation);
    const kernels = CATALOGUE.filter((kernel) =>
      kernel.design === design &&
      (kernel.operation === "attention" || kernel.name.includes(`_${device.policy.linear}_`))
    );
    console.log(explainSelection(selectKernels(demandsOf(planEncoder(dims)), kernels, clock, host.rates)));
    title(`Five benchmarks on ${device.description}, ${device.policy.name}`);
    const rounds = Math.max(1, Number(options.rounds));
    using joined = await NpuDevice.open("npu-emulated", { ...deviceOptions, npuOverlap: false });
    console.log(await benchmarks({ device, joined }, { dims, weights, input, rounds }));
    if (options.json) console.log(JSON.stringify({ usage: device.usage(), profile: device.profile() }));
  }

  title("A window by precision policy, as it runs (NPU times modelled, host measured)");
  console.log(await policyTable({ dims, weights }, input, data));
}

async function main(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: "string", default: "3" },
        model: { type: "string", default: "phoenix" },
        precision: { type: "string" },
        bundled: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) console.log(`Usage: ${USAGE}`);
    else await report(values);
    return 0;
  } catch (error) {
    if (error instanceof SottoError) {
      console.error(`npu-report: ${error.message}${error.hint && `\n            ${error.hint}`}`);
      return error.exitStatus;
    }
    if (!(error instanceof TypeError && "code" in error)) throw error;
    console.error(`npu-report: ${error.message}\nUsage: ${USAGE}`);
    return 64;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
