// Which language is spoken in each file, and how sure that is.
//
//   deno run -A examples/01_language.ts [--model NAME] FILE…

import { parseArgs } from "node:util";
import { languageName, loadModel } from "../mod.ts";

const { values, positionals } = parseArgs({
  options: { model: { type: "string", default: "base" } },
  allowPositionals: true,
});
if (positionals.length === 0) {
  console.error("usage: 01_language.ts [--model NAME] FILE…");
  Deno.exit(64);
}

using model = await loadModel(values.model);
for (const file of positionals) {
  const { probabilities } = await model.detectLanguage(file);
  const likeliest = Object.entries(probabilities).sort(([, a], [, b]) => b - a).slice(0, 3);
  const names = likeliest.map(([code, chance]) => `${languageName(code)} ${(100 * chance).toFixed(1)} %`);
  console.log(`${file}: ${names.join(", ")}`);
}
