# Flags are PRIVATE on targets; nothing is set globally.
include(GNUInstallDirs)

set(EDGEJOULE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND EDGEJOULE_WARNINGS -Wno-restrict)  # false alarms at "text" + string (GCC bug 105651)
endif()

# firmware-lib: C++17, no exceptions, no RTTI, no fused multiply-add that would make
# boards disagree in the last bit.
function(edgejoule_add_firmware_library name)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  add_library(edgejoule_${name} STATIC ${arg_SOURCES})
  add_library(edgejoule::${name} ALIAS edgejoule_${name})
  set_target_properties(edgejoule_${name} PROPERTIES EXPORT_NAME ${name} CXX_EXTENSIONS OFF)
  if(EDGEJOULE_BUILD_TESTS AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(edgejoule_${name} PRIVATE -fstack-usage)  # tests/architecture/check_frames
  endif()
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")  # a runtime's shared library may link it; a firmware never does
    set_target_properties(edgejoule_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # and yet calls its own functions, which can then be inlined
    target_compile_options(edgejoule_${name} PRIVATE -fno-semantic-interposition)
  endif()
  target_compile_features(edgejoule_${name} PUBLIC cxx_std_17)
  target_compile_options(edgejoule_${name} PRIVATE ${EDGEJOULE_WARNINGS} -fno-exceptions -fno-rtti
                         -ffp-contract=off -ffunction-sections -fdata-sections)
  target_include_directories(edgejoule_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/firmware-lib/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(EDGEJOULE_INSTALL)
    install(TARGETS edgejoule_${name} EXPORT edgejouleTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT edgejoule_development)
  endif()
  set_property(GLOBAL APPEND PROPERTY EDGEJOULE_FIRMWARE_LIBRARIES edgejoule_${name})  # tests/architecture reads it
endfunction()

# A library behind the two programs: tools/<name>, C++20, included as "<name>/x.h".
# PRECOMPILED: large headers that most of its files include.
function(edgejoule_add_tool_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRECOMPILED" ${ARGN})
  add_library(edgejoule_${name} STATIC ${arg_SOURCES})
  set_target_properties(edgejoule_${name} PROPERTIES CXX_EXTENSIONS OFF UNITY_BUILD ${EDGEJOULE_UNITY_BUILD})
  target_compile_features(edgejoule_${name} PUBLIC cxx_std_20)
  target_compile_options(edgejoule_${name} PRIVATE ${EDGEJOULE_WARNINGS})
  target_include_directories(edgejoule_${name} PUBLIC "${PROJECT_SOURCE_DIR}/tools")
  target_link_libraries(edgejoule_${name} PUBLIC ${arg_DEPENDS})
  if(arg_PRECOMPILED)
    target_precompile_headers(edgejoule_${name} PRIVATE ${arg_PRECOMPILED})
  endif()
endfunction()

# Half the time to compile; for command lines and tests, where nobody waits for the code.
function(edgejoule_compile_quickly name)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:RelWithDebInfo>:-O1>)
endfunction()

function(edgejoule_add_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRECOMPILED" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF UNITY_BUILD ${EDGEJOULE_UNITY_BUILD}
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE ${EDGEJOULE_WARNINGS})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS})
  edgejoule_compile_quickly(${name})
  if(arg_PRECOMPILED)
    target_precompile_headers(${name} PRIVATE ${arg_PRECOMPILED})
  endif()
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
