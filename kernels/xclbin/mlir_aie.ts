/**
 * The parts that all MLIR-AIE overlays share: one kernel `MLIR_AIE` with the arguments (opcode, instructions,
 * instruction count, bo0 … bo4), and two memory banks.
 *
 * @module
 */

/** The kernel's name. */
export const MLIR_AIE_KERNEL = "MLIR_AIE";
/** How many buffers it takes. */
export const MLIR_AIE_BUFFERS = 5;
/** Index of the first buffer among the arguments. */
export const FIRST_BUFFER_ARGUMENT = 3;
/** The id by which partition and kernel find each other. */
const KERNEL_ID = "0x901";

/** The kernel file. */
export function mlirAieKernels(): string {
  const buffer = (index: number) => ({
    "name": `bo${index}`,
    "memory-connection": "HOST",
    "address-qualifier": "GLOBAL",
    "type": "void*",
    "offset": `0x${(0x14 + 8 * index).toString(16)}`,
  });
  return JSON.stringify({
    "ps-kernels": {
      "kernels": [{
        "name": MLIR_AIE_KERNEL,
        "type": "dpu",
        "extended-data": { "subtype": "DPU", "functional": "0", "dpu_kernel_id": KERNEL_ID },
        "arguments": [
          { "name": "opcode", "address-qualifier": "SCALAR", "type": "uint64_t", "offset": "0x00" },
          {
            "name": "instr",
            "memory-connection": "SRAM",
            "address-qualifier": "GLOBAL",
            "type": "char *",
            "offset": "0x8",
          },
          { "name": "ninstr", "address-qualifier": "SCALAR", "type": "uint32_t", "offset": "0x10" },
          ...Array.from({ length: MLIR_AIE_BUFFERS }, (_, index) => buffer(index)),
        ],
        "instances": [{ "name": "MLIRAIE" }],
      }],
    },
  });
}

/** The memory file: host memory, and the part of it that instructions lie in. */
export function mlirAieMemory(): string {
  const bank = (tag: string, sizeKB: string) => ({
    "m_type": "MEM_DRAM",
    "m_used": "1",
    "m_sizeKB": sizeKB,
    "m_tag": tag,
    "m_base_address": "0x4000000",
  });
  return JSON.stringify({
    "mem_topology": { "m_count": "2", "m_mem_data": [bank("HOST", "0x10000"), bank("SRAM", "0xc000")] },
  });
}

/** The partition file of one PDI on `columns` columns that may start at any of `startColumns`. */
export function mlirAiePartition(columns: number, startColumns: readonly number[], uuid: string): string {
  return JSON.stringify({
    "aie_partition": {
      "operations_per_cycle": "2048",
      "inference_fingerprint": "23423",
      "pre_post_fingerprint": "12345",
      "partition": { "column_width": columns, "start_columns": startColumns },
      "PDIs": [{
        "uuid": uuid,
        "file_name": "design.pdi",
        "cdo_groups": [{
          "name": "DPU",
          "type": "PRIMARY",
          "pdi_id": "0x01",
          "dpu_kernel_ids": [KERNEL_ID],
          "pre_cdo_groups": ["0xC1"],
        }],
      }],
    },
  });
}
