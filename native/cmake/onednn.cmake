# oneDNN v3 with the OpenMP runtime: the copy that native/setup.mjs unpacked.
set(bundled ${CMAKE_SOURCE_DIR}/native/.deps/onednn/lib/cmake/dnnl)
if(NOT EXISTS ${bundled}/dnnl-config.cmake)
  message(FATAL_ERROR "oneDNN: expected it in native/.deps/onednn, got none; run node native/setup.mjs")
endif()
find_package(dnnl 3 CONFIG REQUIRED PATHS ${bundled} NO_DEFAULT_PATH)
if(NOT DNNL_CPU_THREADING_RUNTIME STREQUAL "OMP")
  message(FATAL_ERROR "oneDNN: expected the OMP runtime, got ${DNNL_CPU_THREADING_RUNTIME}; run node native/setup.mjs")
endif()

# native/cpu/openmp.cc answers what this library asks of OpenMP; what it does not have would be libgomp's, whose threads
# and numbers are others.
get_target_property(library DNNL::dnnl LOCATION)
execute_process(COMMAND ${CMAKE_NM} --dynamic --undefined-only ${library} OUTPUT_VARIABLE asked)
string(REGEX MATCHALL "(GOMP|omp)_[a-z_]+" asked "${asked}")
if(NOT asked)
  message(FATAL_ERROR "oneDNN: expected ${library} to call OpenMP, got no such function by ${CMAKE_NM}")
endif()
file(READ ${CMAKE_SOURCE_DIR}/native/cpu/openmp.cc answered)
foreach(name ${asked})
  if(NOT answered MATCHES "OSTRICH_OPENMP [a-z]+ ${name}\\(")
    message(FATAL_ERROR "oneDNN: expected functions of OpenMP that native/cpu/openmp.cc has, got ${name}; run node native/setup.mjs")
  endif()
endforeach()

# ostrich_copy_runtime(target): puts libdnnl and libgomp beside the target, under the names it was linked with.
function(ostrich_copy_runtime target)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libgomp.so.1
    OUTPUT_VARIABLE gomp OUTPUT_STRIP_TRAILING_WHITESPACE)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy_if_different $<TARGET_FILE:DNNL::dnnl>
      ${OSTRICH_OUTPUT}/$<TARGET_SONAME_FILE_NAME:DNNL::dnnl>
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${gomp} ${OSTRICH_OUTPUT}/libgomp.so.1)
endfunction()
