// An example: runs a .tflite model under Arm NN (20.08, Debian 12) with its profiler on, and prints the profile.
//
// usage: armnn_profile MODEL RUNS > profile.json
//        edge-calibrate timeline profile.json --model MODEL -o run.ejl
// Arm NN crashes on some models; it is no gate. Inputs are zeros, the backend is the CPU reference.
#include <armnn/ArmNN.hpp>
#include <armnn/BackendRegistry.hpp>
#include <armnnTfLiteParser/ITfLiteParser.hpp>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace {

// Of each binding the memory, kept as long as the tensors.
template <class Tensors>
Tensors tensors_of(const std::vector<std::pair<int, armnn::TensorInfo>>& bindings,
                   std::list<std::vector<std::uint8_t>>& memory) {
  Tensors out;
  for (const auto& [id, info] : bindings) {
    memory.emplace_back(info.GetNumBytes());
    out.emplace_back(id, typename Tensors::value_type::second_type(info, memory.back().data()));
  }
  return out;
}

int profile(const std::string& model, int runs) {
  const armnnTfLiteParser::ITfLiteParserPtr parser = armnnTfLiteParser::ITfLiteParser::Create();
  const armnn::INetworkPtr network = parser->CreateNetworkFromBinaryFile(model.c_str());
  const armnn::IRuntimePtr runtime = armnn::IRuntime::Create(armnn::IRuntime::CreationOptions());
  armnn::IOptimizedNetworkPtr optimized = armnn::Optimize(*network, {armnn::Compute::CpuRef}, runtime->GetDeviceSpec());
  armnn::NetworkId id = 0;
  if (!optimized || runtime->LoadNetwork(id, std::move(optimized)) != armnn::Status::Success) {
    std::cerr << "armnn_profile: Arm NN cannot run " << model << '\n';
    return 1;
  }
  runtime->GetProfiler(id)->EnableProfiling(true);
  std::vector<std::pair<int, armnn::TensorInfo>> inputs, outputs;
  for (const std::string& name : parser->GetSubgraphInputTensorNames(0)) {
    inputs.push_back(parser->GetNetworkInputBindingInfo(0, name));
  }
  for (const std::string& name : parser->GetSubgraphOutputTensorNames(0)) {
    outputs.push_back(parser->GetNetworkOutputBindingInfo(0, name));
  }
  std::list<std::vector<std::uint8_t>> memory;
  const auto in = tensors_of<armnn::InputTensors>(inputs, memory);
  const auto out = tensors_of<armnn::OutputTensors>(outputs, memory);
  for (int i = 0; i < runs; ++i) {
    if (runtime->EnqueueWorkload(id, in, out) != armnn::Status::Success) {
      std::cerr << "armnn_profile: run " << i << " failed\n";
      return 1;
    }
  }
  runtime->GetProfiler(id)->Print(std::cout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::atoi(argv[2]) < 1) {
    std::cerr << "usage: armnn_profile MODEL.tflite RUNS > profile.json\n";
    return 2;
  }
  try {
    return profile(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& error) {
    std::cerr << "armnn_profile: " << error.what() << '\n';
    return 1;
  }
}
