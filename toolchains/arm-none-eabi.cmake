# Bare-metal Cortex-M4F with newlib. Another core: -DEDGEJOULE_CPU_FLAGS="-mcpu=... -mthumb ...".
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)

if(NOT DEFINED CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER arm-none-eabi-gcc)
endif()
if(NOT DEFINED CMAKE_CXX_COMPILER)
  set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
endif()
if(NOT DEFINED EDGEJOULE_CPU_FLAGS)
  set(EDGEJOULE_CPU_FLAGS "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
endif()
set(CMAKE_C_FLAGS_INIT "${EDGEJOULE_CPU_FLAGS}")
set(CMAKE_CXX_FLAGS_INIT "${EDGEJOULE_CPU_FLAGS}")
set(CMAKE_ASM_FLAGS_INIT "${EDGEJOULE_CPU_FLAGS}")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EDGEJOULE_CPU_FLAGS)

set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a program needs a linker script
if(NOT DEFINED CMAKE_CROSSCOMPILING_EMULATOR)
  find_program(EDGEJOULE_QEMU_SYSTEM_ARM qemu-system-arm DOC "Runs Cortex-M programs on this machine")
  if(EDGEJOULE_QEMU_SYSTEM_ARM)
    # mps2-an386 is a Cortex-M4F board; semihosting carries exit code and output.
    set(CMAKE_CROSSCOMPILING_EMULATOR "${EDGEJOULE_QEMU_SYSTEM_ARM}" -M mps2-an386 -nographic -monitor none
        -serial none -semihosting-config enable=on,target=native -kernel)
  endif()
endif()
