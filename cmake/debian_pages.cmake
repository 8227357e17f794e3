# Runs where cpack has put the files together: pages as Debian wants them, compressed and under its names, held to by lintian.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(doc ${share}/doc/kern)

# The package's own list of changes, which Debian's tools read, names the project's.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH where it is set
file(WRITE ${doc}/changelog "kern (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n  * What is new is in CHANGELOG.md.gz.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
foreach(page IN ITEMS ${doc}/changelog ${doc}/CHANGELOG.md ${share}/man/man1/kern.1)
  execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# The licence's text is on every Debian; what is linked has its own file beside it.
file(REMOVE ${doc}/LICENSE)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/debian_copyright ${doc}/copyright)
file(MAKE_DIRECTORY ${share}/lintian/overrides)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/debian_overrides ${share}/lintian/overrides/kern)
