# The CUDA toolkit (compiler and headers only: nothing of it is linked), and kernels as embedded fatbins.
# OSTRICH_CUDA_ROOT is a toolkit root; native/setup.mjs --cuda finds or fetches one and says so in cuda-root.cmake.
set(OSTRICH_CUDA_ARCHITECTURES "75;80;86;89;90;100;120" CACHE STRING "Compute capabilities to build kernels for; the last also as PTX")
include(${CMAKE_SOURCE_DIR}/native/.deps/cuda-root.cmake OPTIONAL)
if(NOT OSTRICH_CUDA_ROOT)
  message(FATAL_ERROR "CUDA: expected a toolkit; run node native/setup.mjs --cuda")
endif()
find_program(OSTRICH_NVCC nvcc PATHS ${OSTRICH_CUDA_ROOT}/bin NO_DEFAULT_PATH REQUIRED)

if(POLICY CMP0116)
  cmake_policy(SET CMP0116 NEW)  # dependency files are read as the build's generator wants them
endif()

# ostrich_sees_cuda(target): the headers of the toolkit, as system headers.
function(ostrich_sees_cuda target)
  target_include_directories(${target} SYSTEM PRIVATE ${OSTRICH_CUDA_INCLUDES})
endfunction()

# ostrich_fatbins(output_variable source...): compiles each .cu for every architecture and gives one generated source
# that holds all of them and the table kFatbins. What ptxas says of each kernel (registers, spills) is kept beside the
# fatbin, in X.fatbin.log, for test/cuda/budget.mjs.
function(ostrich_fatbins output)
  # Compressed kernels need a driver for CUDA 12.4 or newer: kOldestDriver of native/cuda/libraries.cc.
  set(flags -std=c++17 --compress-mode=size -Werror all-warnings -Xcompiler -Wall -fmad=false -Xptxas -v)
  set(logged "log=$1 && shift && ( \"$@\" 2> \"$log\" || ( cat \"$log\" >&2 && false ) )")
  foreach(arch ${OSTRICH_CUDA_ARCHITECTURES})
    list(APPEND flags -gencode arch=compute_${arch},code=sm_${arch})
  endforeach()
  list(GET OSTRICH_CUDA_ARCHITECTURES -1 newest)
  list(APPEND flags -gencode arch=compute_${newest},code=compute_${newest})
  set(rooms)
  foreach(room cuda program math core)
    list(APPEND rooms -I${CMAKE_BINARY_DIR}/rooms/${room})
  endforeach()
  set(folder ${CMAKE_BINARY_DIR}/fatbins)
  file(MAKE_DIRECTORY ${folder})
  set(assembly ".section .rodata\n")
  set(table "#include \"cuda/kernel_library.h\"\nextern \"C\" {\n")
  set(rows "")
  set(count 0)
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME_WE)
    set(fatbin ${folder}/${name}.fatbin)
    add_custom_command(OUTPUT ${fatbin} ${fatbin}.log DEPENDS ${source} DEPFILE ${fatbin}.d
      COMMAND sh -c ${logged} sh ${fatbin}.log ${OSTRICH_NVCC} -fatbin ${flags} ${rooms} -MD -MF ${fatbin}.d -MT ${fatbin} -o ${fatbin} ${source}
      VERBATIM COMMENT "Kernels ${name}.cu")
    list(APPEND fatbins ${fatbin})
    string(APPEND assembly ".balign 64\n.globl ostrich_fatbin_${name}\n.hidden ostrich_fatbin_${name}\nostrich_fatbin_${name}:\n.incbin \"${fatbin}\"\n")
    string(APPEND table "extern const char ostrich_fatbin_${name}[];\n")
    string(APPEND rows "    {\"${name}\", ostrich_fatbin_${name}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  string(APPEND assembly ".section .note.GNU-stack,\"\",@progbits\n")
  string(APPEND table "}\nnamespace ostrich::cuda {\nconst Fatbin kFatbins[] = {\n${rows}};\nconst int kFatbinCount = ${count};\n}  // namespace ostrich::cuda\n")
  file(CONFIGURE OUTPUT ${folder}/fatbins.S CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT ${folder}/table.cc CONTENT "${table}" @ONLY)
  set_source_files_properties(${folder}/fatbins.S PROPERTIES OBJECT_DEPENDS "${fatbins}")
  set(${output} ${folder}/fatbins.S ${folder}/table.cc PARENT_SCOPE)
endfunction()
