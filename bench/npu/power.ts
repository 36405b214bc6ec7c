/**
 * The energy that this machine used, where it says so.
 *
 * @module
 */

/** Counters of microjoules since some moment: Intel's and AMD's RAPL, as Linux shows it. */
const ENERGY = "/sys/class/powercap/intel-rapl:0/energy_uj";
const SENSORS = "/sys/class/hwmon";

async function number(path: string): Promise<number | null> {
  try {
    const value = Number(await Deno.readTextFile(path));
    return Number.isFinite(value) ? value : null;
  } catch {
    return null;
  }
}

/** Watts of the first power sensor, or null. */
async function sensorWatts(): Promise<number | null> {
  try {
    for await (const { name } of Deno.readDir(SENSORS)) {
      const microwatts = await number(`${SENSORS}/${name}/power1_input`);
      if (microwatts !== null) return microwatts / 1e6;
    }
  } catch {
    // no sensors
  }
  return null;
}

/** Does something and says what power the machine drew meanwhile, or that it does not say. */
export async function powerDuring(work: () => Promise<void>): Promise<string> {
  const [before, start] = [await number(ENERGY), performance.now()];
  await work();
  const [after, seconds] = [await number(ENERGY), (performance.now() - start) / 1000];
  if (before !== null && after !== null && after > before) {
    return `${((after - before) / 1e6 / seconds).toFixed(1)} W (RAPL, the whole package)`;
  }
  const watts = await sensorWatts();
  return watts === null ? "not measurable here: no RAPL, no hwmon sensor" : `${watts.toFixed(1)} W (hwmon)`;
}
