# cmake --install: the program, and the engine as a package: find_package(kern), target_link_libraries(app kern::kern).
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY KERN_ALL_LIBRARIES)

add_library(kern_all INTERFACE)  # every library at once; kern::engine and the like are there too
target_link_libraries(kern_all INTERFACE ${libraries})
set_target_properties(kern_all PROPERTIES EXPORT_NAME kern)
add_library(kern::kern ALIAS kern_all)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/kern)
install(TARGETS kern kern-opendtect RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${libraries} kern_all EXPORT kernTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT kernTargets NAMESPACE kern:: DESTINATION ${package_dir})
include(public_headers)
target_include_directories(kern_all INTERFACE $<BUILD_INTERFACE:${KERN_PUBLIC_INCLUDE}>)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY models/shipped/ DESTINATION ${CMAKE_INSTALL_DATADIR}/kern/models FILES_MATCHING PATTERN "*.safetensors")

# The manual page and what shells complete, as the program describes them itself.
set(described ${PROJECT_BINARY_DIR}/described)
file(MAKE_DIRECTORY ${described})
install(CODE "
  foreach(page \"man;kern.1\" \"completion;bash;kern\" \"completion;zsh;_kern\" \"completion;fish;kern.fish\")
    list(POP_BACK page file)
    execute_process(COMMAND \"$<TARGET_FILE:kern>\" \${page} OUTPUT_FILE \"${described}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
")
install(FILES ${described}/kern.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${described}/kern DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${described}/_kern DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${described}/kern.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

configure_package_config_file(cmake/kernConfig.cmake.in ${PROJECT_BINARY_DIR}/kernConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kernConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kernConfig.cmake ${PROJECT_BINARY_DIR}/kernConfigVersion.cmake DESTINATION ${package_dir})
