# How every folder of the project is built: one static library, unity batches, one test program.

option(CORACLE_WERROR "treat warnings as errors" ON)
option(CORACLE_CHECK_RESULTS "abort when a Result that holds an error dies unread" OFF)
set(CORACLE_SANITIZER "" CACHE STRING "address (with undefined) or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

add_compile_options(-Wall -Wextra -Wno-restrict -fno-plt -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)
if(CORACLE_WERROR)
  add_compile_options(-Werror)
endif()
if(CORACLE_CHECK_RESULTS)
  add_compile_definitions(CORACLE_CHECK_RESULTS)
endif()
if(CORACLE_SANITIZER STREQUAL "address")
  # GCC 12 sees uninitialized members in the standard library's own code under this sanitizer.
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  # Else a finding is one more line of output, and the test passes.
  add_compile_options(-fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(CORACLE_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# How many times longer a test may take than in a plain build.
set(CORACLE_TEST_PATIENCE 1)
if(CORACLE_SANITIZER)
  set(CORACLE_TEST_PATIENCE 6)
endif()

find_program(CORACLE_CCACHE ccache)
if(CORACLE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CORACLE_CCACHE})
endif()
find_program(CORACLE_MOLD mold)
if(CORACLE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# coracle_library(NAME
#   SOURCES ...     every source of the folder; CMAKE_UNITY_BUILD batches them by eight
#   ALONE ...       sources that cost more than three seconds and stay out of the batches
#   TESTS ...       x_test.cpp files; they become the program NAME_test
#   DEPENDS ...     other folders' libraries, as the include rule allows
#   LIBRARIES ...   foreign libraries, invisible to users of this one
#   TEST_LIBRARIES ...)
function(coracle_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ALONE;TESTS;DEPENDS;LIBRARIES;TEST_LIBRARIES")
  add_library(${name} STATIC ${arg_SOURCES} ${arg_ALONE})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES UNITY_BUILD_BATCH_SIZE 8)
  if(arg_ALONE)
    set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  if(arg_TESTS)
    coracle_test(${name}_test SOURCES ${arg_TESTS} DEPENDS ${name} LIBRARIES ${arg_TEST_LIBRARIES})
  endif()
endfunction()

# coracle_test(NAME SOURCES ... DEPENDS ... LIBRARIES ... [LABELS ...] [TIMEOUT seconds])
function(coracle_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;DEPENDS;LIBRARIES;LABELS")
  if(NOT TARGET catch_main)
    add_library(catch_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/catch_main.cpp)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE catch_main ${arg_DEPENDS} ${arg_LIBRARIES})
  target_compile_definitions(${name} PRIVATE CORACLE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Catch2's header costs more than the tests: share it within a batch.
  set_target_properties(${name} PROPERTIES UNITY_BUILD_BATCH_SIZE 6)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  coracle_limit_test(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS})
endfunction()

# coracle_limit_test(NAME TIMEOUT seconds-in-a-plain-build [LABELS ...])
function(coracle_limit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS")
  math(EXPR seconds "${arg_TIMEOUT} * ${CORACLE_TEST_PATIENCE}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${seconds} LABELS "${arg_LABELS}")
endfunction()
