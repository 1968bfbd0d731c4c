# EDGEJOULE_WITH_ONNX: whether .onnx files can be imported, and the target
# edgejoule_libonnx for it. Needs libonnx and the headers of the protobuf it was built
# with; both are of the machine that builds, so a cross build goes without.
if(CMAKE_CROSSCOMPILING)
  set(edgejoule_onnx_default OFF)
else()
  set(edgejoule_onnx_default ON)
endif()
option(EDGEJOULE_WITH_ONNX "Import .onnx files (libonnx-dev, libprotobuf-dev)" ${edgejoule_onnx_default})

if(NOT EDGEJOULE_WITH_ONNX)
  message(STATUS "ONNX import: off (EDGEJOULE_WITH_ONNX)")
  return()
endif()

find_path(EDGEJOULE_ONNX_INCLUDE_DIR onnx/shape_inference/implementation.h)
find_library(EDGEJOULE_ONNX_LIBRARY onnx)
find_library(EDGEJOULE_ONNX_PROTO_LIBRARY onnx_proto)
find_package(Protobuf QUIET)
mark_as_advanced(EDGEJOULE_ONNX_INCLUDE_DIR EDGEJOULE_ONNX_LIBRARY EDGEJOULE_ONNX_PROTO_LIBRARY)
if(NOT EDGEJOULE_ONNX_INCLUDE_DIR OR NOT EDGEJOULE_ONNX_LIBRARY OR NOT EDGEJOULE_ONNX_PROTO_LIBRARY
   OR NOT Protobuf_FOUND)
  # A plain variable: found the next time, once it is installed.
  set(EDGEJOULE_WITH_ONNX OFF)
  message(STATUS "ONNX import: off, libonnx was not found (apt-get install libonnx-dev libprotobuf-dev)")
  return()
endif()
# Older ones infer no shape of a single node as onnx/library.cpp asks it.
file(STRINGS "${EDGEJOULE_ONNX_INCLUDE_DIR}/onnx/defs/shape_inference.h" edgejoule_onnx_is_new REGEX "getSymbolicInput")
if(NOT edgejoule_onnx_is_new)
  set(EDGEJOULE_WITH_ONNX OFF)
  message(STATUS "ONNX import: off, this libonnx is older than 1.12")
  return()
endif()
message(STATUS "ONNX import: on (${EDGEJOULE_ONNX_LIBRARY}, protobuf ${Protobuf_VERSION})")

add_library(edgejoule_libonnx INTERFACE)
target_include_directories(edgejoule_libonnx SYSTEM INTERFACE "${EDGEJOULE_ONNX_INCLUDE_DIR}")
target_compile_definitions(edgejoule_libonnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(edgejoule_libonnx INTERFACE "${EDGEJOULE_ONNX_LIBRARY}" "${EDGEJOULE_ONNX_PROTO_LIBRARY}"
                      protobuf::libprotobuf)
