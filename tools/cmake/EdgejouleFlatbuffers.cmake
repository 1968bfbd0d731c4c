# Code from schemas by the matching host flatc. Generated headers stay in the build
# tree and are never installed: runtimes bring their own FlatBuffers.
find_package(FlatBuffers CONFIG QUIET)
if(NOT FlatBuffers_FOUND)
  find_package(flatbuffers CONFIG QUIET)  # the name since release 22.9
endif()
find_program(EDGEJOULE_FLATC flatc DOC "flatc that runs on this machine")
if(NOT EDGEJOULE_FLATC)
  message(FATAL_ERROR "flatc not found: install flatbuffers-compiler (it must run on the build machine), "
                      "or pass -DEDGEJOULE_FLATC=/path/to/flatc")
endif()
# The headers that belong to this flatc: generated code is only valid with its own version.
get_filename_component(edgejoule_flatc_path "${EDGEJOULE_FLATC}" REALPATH)
get_filename_component(edgejoule_flatc_prefix "${edgejoule_flatc_path}/../.." ABSOLUTE)
find_path(EDGEJOULE_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h HINTS "${edgejoule_flatc_prefix}/include"
          NO_CMAKE_FIND_ROOT_PATH DOC "Folder with flatbuffers/flatbuffers.h, of the same version as flatc")
if(NOT EDGEJOULE_FLATBUFFERS_INCLUDE)
  message(FATAL_ERROR "flatbuffers/flatbuffers.h not found: install libflatbuffers-dev, "
                      "or pass -DEDGEJOULE_FLATBUFFERS_INCLUDE=/path/to/include")
endif()
# A folder with nothing else in it: -I/usr/include would hand a cross compiler this machine's libc.
set(EDGEJOULE_FLATBUFFERS_ONLY "${PROJECT_BINARY_DIR}/generated/flatbuffers_headers")
file(MAKE_DIRECTORY "${EDGEJOULE_FLATBUFFERS_ONLY}")
file(CREATE_LINK "${EDGEJOULE_FLATBUFFERS_INCLUDE}/flatbuffers" "${EDGEJOULE_FLATBUFFERS_ONLY}/flatbuffers" SYMBOLIC)

# edgejoule_generate(<out-var> NAME <schema without .fbs> DIR <folder in the build tree> FLAGS <flatc flags>)
# Schemas it includes are generated beside it. EMBED_SCHEMA adds <schema>_bfbs_generated.h,
# the schema itself as bytes.
function(edgejoule_generate out_var)
  cmake_parse_arguments(arg "EMBED_SCHEMA" "NAME;DIR" "FLAGS;INCLUDES" ${ARGN})
  set(schemas "${PROJECT_SOURCE_DIR}/schemas")
  set(output "${arg_DIR}/${arg_NAME}_generated.h")
  if(arg_EMBED_SCHEMA)
    list(APPEND output "${arg_DIR}/${arg_NAME}_bfbs_generated.h")
    list(APPEND arg_FLAGS --schema --bfbs-gen-embed)
  endif()
  set(inputs "${schemas}/${arg_NAME}.fbs")
  foreach(include IN LISTS arg_INCLUDES)
    list(APPEND inputs "${schemas}/${include}.fbs")
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND "${EDGEJOULE_FLATC}" --cpp --scoped-enums ${arg_FLAGS} -I "${schemas}" -o "${arg_DIR}"
            "${schemas}/${arg_NAME}.fbs"
    DEPENDS ${inputs}
    COMMENT "flatc ${arg_NAME}.fbs"
    VERBATIM)
  set(${out_var} ${output} PARENT_SCOPE)
endfunction()
