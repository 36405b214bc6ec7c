import assert from "node:assert/strict";
import { join } from "node:path";
import { mlirAieKernels, mlirAieMemory } from "../../kernels/xclbin/mlir_aie.ts";
import { readNpuXclbin, readXclbin } from "../../kernels/xclbin/read.ts";
import { packXclbin } from "../../kernels/xclbin/write.ts";
import { testWithData } from "../support/shared_data.ts";
import { partsIn, SEED_KERNELS } from "./_xclbin_parts.ts";

const ONE_CORE = "xclbin/matmul_256x256x256_64x64x32_1core.npu1.xclbin";
const ARGUMENTS = ["opcode", "instr", "ninstr", "bo0", "bo1", "bo2", "bo3", "bo4"];

testWithData("readNpuXclbin() reads a container of the toolchain", [ONE_CORE], (path) => {
  const xclbin = readNpuXclbin(Deno.readFileSync(path));
  assert.equal(xclbin.uuid, "795845d1-84ac-0b70-6d47-8fb4c234c7ff");
  assert.equal(xclbin.version, "2.18.0");
  assert.deepEqual(xclbin.sections.map((section) => section.kindName), [
    "MEM_TOPOLOGY",
    "AIE_PARTITION",
    "EMBEDDED_METADATA",
    "IP_LAYOUT",
    "CONNECTIVITY",
    "ASK_GROUP_CONNECTIVITY",
    "ASK_GROUP_TOPOLOGY",
  ]);
  const { partition, kernels, memory, ips } = xclbin;
  assert.equal(partition.columnWidth, 1);
  assert.equal(partition.operationsPerCycle, 2048);
  assert.deepEqual(partition.startColumns, [1, 2, 3, 4]);
  assert.equal(partition.pdis.length, 1);
  assert.deepEqual(partition.pdis[0].groups, [
    { name: "DPU", type: "PRIMARY", pdiId: 1n, kernelIds: [0x901n], preGroups: [0xc1n] },
  ]);
  assert.deepEqual(memory.map((bank) => bank.tag), ["HOST", "SRAM"]);
  assert.deepEqual(ips, [{ type: 7, kernelId: 0x901, name: "MLIR_AIE:MLIRAIE" }]);
  assert.equal(kernels.length, 1);
  const [kernel] = kernels;
  assert.deepEqual([kernel.name, kernel.kernelId, kernel.instances], ["MLIR_AIE", 0x901n, ["MLIRAIE"]]);
  assert.deepEqual(kernel.arguments.map((argument) => argument.name), ARGUMENTS);
  assert.deepEqual(kernel.arguments.map((argument) => argument.bank), [null, 1, null, 0, 0, 0, 0, 0]);
  assert.deepEqual(kernel.arguments.map((argument) => argument.offset), [0, 8, 16, 20, 28, 36, 44, 52]);
});

testWithData(
  "packXclbin() gives the toolchain's own sections",
  ["xclbin/parts/matrix_vector_288x288"],
  (folder) => {
    const genuine = readXclbin(Deno.readFileSync(join(folder, "whole.xclbin")));
    const ours = readXclbin(packXclbin(partsIn(folder)));
    assert.deepEqual(
      ours.sections.map(({ kind, name, offset }) => ({ kind, name, offset })),
      genuine.sections.map(({ kind, name, offset }) => ({ kind, name, offset })),
    );
    for (const [index, section] of ours.sections.entries()) {
      assert.deepEqual(section.bytes, genuine.sections[index].bytes, section.kindName);
    }
  },
);

for (const name of SEED_KERNELS) {
  testWithData(`packXclbin() packs the predecessor's ${name}`, [`xclbin/seed_kernels/${name}`], (folder) => {
    const packed = packXclbin(partsIn(folder, "main_"));
    const xclbin = readNpuXclbin(packed);
    assert.deepEqual(xclbin.partition.pdis[0].image, Deno.readFileSync(join(folder, "main.pdi")));
    assert.equal(xclbin.kernels[0].name, "MLIR_AIE");
    assert.deepEqual(packXclbin(partsIn(folder, "main_")), packed, "the same parts, the same bytes");
  });
}

testWithData(
  "packXclbin() takes the parts of every container apart and gives the same sections",
  [ONE_CORE, "xclbin/mel_fixed_v3.npu1.xclbin"],
  (...paths) => {
    for (const path of paths) {
      const genuine = readNpuXclbin(Deno.readFileSync(path));
      const { partition } = genuine;
      const [pdi] = partition.pdis;
      const packed = readXclbin(packXclbin({
        kernels: mlirAieKernels(),
        memory: mlirAieMemory(),
        partition: JSON.stringify({
          aie_partition: {
            operations_per_cycle: partition.operationsPerCycle,
            inference_fingerprint: String(partition.inferenceFingerprint),
            pre_post_fingerprint: String(partition.prePostFingerprint),
            partition: { column_width: partition.columnWidth, start_columns: partition.startColumns },
            PDIs: [{
              uuid: pdi.uuid,
              file_name: "x.pdi",
              cdo_groups: pdi.groups.map((group) => ({
                name: group.name,
                type: group.type,
                pdi_id: String(group.pdiId),
                dpu_kernel_ids: group.kernelIds.map(String),
                pre_cdo_groups: group.preGroups.map(String),
              })),
            }],
          },
        }),
        pdi: () => pdi.image,
      }));
      for (const [index, section] of packed.sections.entries()) {
        assert.deepEqual(section.bytes, genuine.sections[index].bytes, section.kindName);
      }
    }
  },
);
