#include "import/import.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "imported.h"
#include "support/temporary_folder.h"
#include "support/tflite_models.h"

namespace edgejoule::import {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

void write(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string failure_of(const std::filesystem::path& path) {
  try {
    static_cast<void>(import_model(path));
  } catch (const ImportError& error) {
    return error.what();
  }
  return "";
}

TEST(Import, RecognisesAFileByItsContentNotItsName) {
  const test::TemporaryFolder folder;
  write(folder.file("model.onnx"), test::tflite_cnn());
  const test::Imported graph(import_model(folder.file("model.onnx")));
  EXPECT_EQ(graph.view().model_name(), "model");
  EXPECT_EQ(graph.ops(), 8U);
}

TEST(Import, PassesAGraphThroughUnchanged) {
  const test::TemporaryFolder folder;
  write(folder.file("model.tflite"), test::tflite_cnn());
  const files::FileBytes graph = import_model(folder.file("model.tflite"));
  write(folder.file("model.ejg"), {reinterpret_cast<const std::uint8_t*>(graph.span().data()),
                                   reinterpret_cast<const std::uint8_t*>(graph.span().data()) + graph.size()});
  const files::FileBytes again = import_model(folder.file("model.ejg"));
  ASSERT_EQ(again.size(), graph.size());
  EXPECT_EQ(std::memcmp(again.span().data(), graph.span().data(), graph.size()), 0);
}

TEST(Import, RefusesADamagedGraphWithItsReason) {
  const test::TemporaryFolder folder;
  std::vector<std::uint8_t> damaged = bytes_of(
      "\x08\x00\x00\x00"
      "EJG1");
  damaged.resize(64, 0xFF);
  std::copy_n("\x08\0\0\0EJG1", 8, damaged.begin());
  write(folder.file("bad.ejg"), damaged);
  EXPECT_NE(failure_of(folder.file("bad.ejg")).find("import the model again"), std::string::npos);
}

TEST(Import, ReadsBytesAtAnyAddress) {
  const std::vector<std::uint8_t> model = test::tflite_cnn();
  std::vector<std::uint8_t> shifted(model.size() + 1);
  std::copy(model.begin(), model.end(), shifted.begin() + 1);
  const Span<const std::byte> bytes(reinterpret_cast<const std::byte*>(shifted.data()) + 1, model.size());
  EXPECT_EQ(test::Imported(import_bytes(bytes, "shifted")).total_macs(), test::imported(model).total_macs());
}

TEST(Import, SaysWhatAFileIsNot) {
  const std::string failure = test::import_failure(bytes_of("<!DOCTYPE html><html>"));
  EXPECT_NE(failure.find("neither a TFLite nor an ONNX model nor an EJG1 graph"), std::string::npos) << failure;
  EXPECT_NE(failure.find("3c 21 44 4f"), std::string::npos) << failure;
  EXPECT_NE(failure.find("download"), std::string::npos) << failure;
}

#ifdef EDGEJOULE_WITH_ONNX
TEST(Import, SaysThatAnOnnxFileIsCutShort) {
  const std::string failure = test::import_failure(bytes_of("\x08\x03\x12\x0bonnx-import"));
  EXPECT_NE(failure.find("not a whole ONNX model"), std::string::npos) << failure;
}
#else
TEST(Import, SaysHowAnOnnxFileIsReadWhereThisBuildDoesNot) {
  const std::string failure = test::import_failure(bytes_of("\x08\x03\x12\x0bonnx-import"));
  EXPECT_NE(failure.find("an ONNX model, which this build does not read"), std::string::npos) << failure;
  EXPECT_NE(failure.find("libonnx-dev"), std::string::npos) << failure;
}
#endif

TEST(Import, OnlyOnnxHasDimensionsToBind) {
  EXPECT_NE(test::import_failure(test::tflite_cnn(), {{"batch", 2}}).find("leave out --bind"), std::string::npos);
}

TEST(Import, NamesThePathOfAFileThatCannotBeRead) {
  const test::TemporaryFolder folder;
  EXPECT_NE(failure_of(folder.file("absent.tflite")).find("absent.tflite: cannot open"), std::string::npos);
  EXPECT_NE(failure_of(folder.path()).find("not a regular file"), std::string::npos);
  write(folder.file("empty.tflite"), {});
  EXPECT_NE(failure_of(folder.file("empty.tflite")).find("the file is empty"), std::string::npos);
}

}  // namespace
}  // namespace edgejoule::import
