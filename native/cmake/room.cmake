# A room is one folder of native/. Its headers are reached as "room/header.h", and only by the targets that name it:
# every room has an include root of its own, which holds a single link back to the folder.

function(ostrich_include_root room)
  set(root ${CMAKE_BINARY_DIR}/rooms/${room})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/native/${room} ${root}/${room} SYMBOLIC)
endfunction()

# ostrich_sees(target room...): the rooms that the target's sources may include.
function(ostrich_sees target)
  foreach(room ${ARGN})
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/rooms/${room})
  endforeach()
  if(program IN_LIST ARGN)  # a ProgramSpec holds attributes as JSON values
    target_link_libraries(${target} PRIVATE nlohmann_json::nlohmann_json)
  endif()
endfunction()

# ostrich_room(name room...): the folder's sources as objects that see the folder itself and the named rooms.
function(ostrich_room name)
  ostrich_include_root(${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE simd CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/simd/*.cc)
  if(simd)  # compiled once per instruction set, by cpu/CMakeLists.txt
    list(REMOVE_ITEM sources ${simd})
  endif()
  if(NOT sources)  # a room of headers only: its targets may still be named everywhere
    set(sources ${CMAKE_BINARY_DIR}/rooms/empty.cc)
    file(TOUCH ${sources})
  endif()
  add_library(${name} OBJECT ${sources})
  ostrich_sees(${name} ${name} ${ARGN})
endfunction()

# ostrich_plugin(target): what both shared objects share. They are never unmapped (a thread of theirs may outlive a
# Node.js worker), export nothing but their entry points, and carry their own C++ runtime, so that the host needs
# no particular libstdc++ and cannot interpose its own. The unwinder stays shared: an exception that crosses from one
# object to the other is unwound by the thrower's, and a second copy aborts. Dropping unused sections of libstdc++ also
# drops the newest glibc symbols that it refers to.
function(ostrich_plugin target)
  set_target_properties(${target} PROPERTIES PREFIX "" INSTALL_RPATH "$ORIGIN"
    LIBRARY_OUTPUT_DIRECTORY ${OSTRICH_OUTPUT} LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/exports.map)
  target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/exports.map)
  if(NOT OSTRICH_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -Wl,--gc-sections)
  endif()
endfunction()

if(CMAKE_JS_INC AND NOT OSTRICH_SANITIZE)
  set(OSTRICH_OUTPUT ${CMAKE_SOURCE_DIR}/build/Release)
else()
  set(OSTRICH_OUTPUT ${CMAKE_BINARY_DIR})
endif()
