/* The statuses' names, and the release.
 * May include: public headers. */
#include <shoal/status.h>
#include <shoal/version.h>

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *shoal_version(void) {
    return VERSION_TEXT(SHOAL_VERSION_MAJOR, SHOAL_VERSION_MINOR, SHOAL_VERSION_PATCH);
}

#define NAME_CASE(code) \
    case code:          \
        return #code

const char *shoal_status_name(shoal_status status) {
    switch (status) {
        NAME_CASE(SHOAL_OK);
        NAME_CASE(SHOAL_NOT_FOUND);
        NAME_CASE(SHOAL_NOT_STORED);
        NAME_CASE(SHOAL_EXISTS);
        NAME_CASE(SHOAL_STALE);
        NAME_CASE(SHOAL_COMPUTE);
        NAME_CASE(SHOAL_PARTIAL);
        NAME_CASE(SHOAL_E_INVALID);
        NAME_CASE(SHOAL_E_NO_MEMORY);
        NAME_CASE(SHOAL_E_BAD_OPTION);
        NAME_CASE(SHOAL_E_BAD_ENDPOINT);
        NAME_CASE(SHOAL_E_BAD_KEY);
        NAME_CASE(SHOAL_E_TOO_LARGE);
        NAME_CASE(SHOAL_E_NOT_A_NUMBER);
        NAME_CASE(SHOAL_E_CLOSED);
        NAME_CASE(SHOAL_E_TIMEOUT);
        NAME_CASE(SHOAL_E_NODE_DOWN);
        NAME_CASE(SHOAL_E_DISCOVERY);
        NAME_CASE(SHOAL_E_PROTOCOL);
        NAME_CASE(SHOAL_E_SERVER);
        NAME_CASE(SHOAL_E_UNSUPPORTED);
        NAME_CASE(SHOAL_E_SYSTEM);
        NAME_CASE(SHOAL_E_BAD_VALUE);
    default:
        return status < 0 ? "SHOAL_E_UNKNOWN" : "SHOAL_UNKNOWN";
    }
}
