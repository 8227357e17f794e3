# cmake --install: the program (--component program is what packages hold), and the engine as a package for others:
# find_package(kern), target_link_libraries(app kern::kern).
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY KERN_ALL_LIBRARIES)

add_library(kern_all INTERFACE)  # every library at once; kern::engine and the like are there too
target_link_libraries(kern_all INTERFACE ${libraries})
set_target_properties(kern_all PROPERTIES EXPORT_NAME kern)
add_library(kern::kern ALIAS kern_all)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/kern)
install(TARGETS kern kern-opendtect RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(TARGETS ${libraries} kern_all EXPORT kernTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT kernTargets NAMESPACE kern:: DESTINATION ${package_dir} COMPONENT development)
include(public_headers)
target_include_directories(kern_all INTERFACE $<BUILD_INTERFACE:${KERN_PUBLIC_INCLUDE}>)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY models/shipped/ DESTINATION ${CMAKE_INSTALL_DATADIR}/kern/models COMPONENT program FILES_MATCHING PATTERN "*.safetensors")
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/kern/configs COMPONENT program FILES_MATCHING PATTERN "*.yaml")

# The manual page and what shells complete, as the program describes them itself.
set(described ${PROJECT_BINARY_DIR}/described)
file(MAKE_DIRECTORY ${described})
install(CODE "
  foreach(page \"man;kern.1\" \"completion;bash;kern\" \"completion;zsh;_kern\" \"completion;fish;kern.fish\")
    list(POP_BACK page file)
    execute_process(COMMAND \"$<TARGET_FILE:kern>\" \${page} OUTPUT_FILE \"${described}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
" COMPONENT program)
install(FILES ${described}/kern.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${described}/kern DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${described}/_kern DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT program)
install(FILES ${described}/kern.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
# What scripts/release wrote before: what is linked, and under which licences.
install(FILES ${PROJECT_BINARY_DIR}/bill/kern.spdx.json ${PROJECT_BINARY_DIR}/bill/THIRD_PARTY_NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT program OPTIONAL)

configure_package_config_file(cmake/kernConfig.cmake.in ${PROJECT_BINARY_DIR}/kernConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kernConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kernConfig.cmake ${PROJECT_BINARY_DIR}/kernConfigVersion.cmake DESTINATION ${package_dir} COMPONENT development)
include(package)
