// Runs an ONNX model under onnxruntime-node with its profiler on.
// usage: run_onnx.js FOLDER_OF_NODE_MODULES MODEL PROFILE_PREFIX RUNS OPTIMISATION_LEVEL
'use strict';
const path = require('path');
const [, , folder, model, prefix, runs, level] = process.argv;
const ort = require(path.join(folder, 'node_modules', 'onnxruntime-node'));

async function main() {
  const session = await ort.InferenceSession.create(model, {
    enableProfiling: true,
    profileFilePrefix: prefix,
    graphOptimizationLevel: level,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const feeds = {};
  for (const input of session.inputMetadata) {
    const dims = input.shape.map((size) => (typeof size === 'number' ? size : 1));
    const count = dims.reduce((a, b) => a * b, 1);
    feeds[input.name] = new ort.Tensor(input.type, new Float32Array(count).fill(0.5), dims);
  }
  for (let i = 0; i < Number(runs); ++i) await session.run(feeds);
  session.endProfiling();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
