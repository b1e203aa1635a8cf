# What find_package(shoal) reads: it brings the target shoal::shoal. The library needs nothing of its users' builds.
include(${CMAKE_CURRENT_LIST_DIR}/shoalTargets.cmake)
