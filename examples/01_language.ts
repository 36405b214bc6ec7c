// Which language is spoken in each file, and how sure that is.
//
//   deno run -A examples/01_language.ts [--model NAME] FILE…

import { languageName, loadModel } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

const { options, files } = commandLine("[--model NAME] FILE…", 1, { model: "base" });

using model = await loadModel(options.model);
for (const file of files) {
  const { probabilities } = await model.detectLanguage(file);
  const likeliest = Object.entries(probabilities).sort(([, a], [, b]) => b - a).slice(0, 3);
  const names = likeliest.map(([code, chance]) => `${languageName(code)} ${(100 * chance).toFixed(1)} %`);
  console.log(`${file}: ${names.join(", ")}`);
}
