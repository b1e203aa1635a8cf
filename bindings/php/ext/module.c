/* What happens when PHP starts, what is left behind when a request ends, and what phpinfo() shows.
 * May include: support.h, PHP's headers. Called by the wrapper that SWIG makes. */
#include "support.h"

#include <ext/standard/info.h>

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)
#define EXTENSION_VERSION DOTTED(SHOAL_VERSION_MAJOR, SHOAL_VERSION_MINOR, SHOAL_VERSION_PATCH)

/* Values that call while they are unserialised nest. What is deeper than this is given back by its owner alone. */
#define MOST_HELD 64

struct holding {
    void *thing;
    shoal_php_releaser *release;
};

SHOAL_PHP_PER_REQUEST struct holding holdings[MOST_HELD];
SHOAL_PHP_PER_REQUEST size_t held;

void shoal_php_hold(void *thing, shoal_php_releaser *release) {
    if (held < MOST_HELD)
        holdings[held] = (struct holding){thing, release};
    held++;
}

void shoal_php_release(void *thing, shoal_php_releaser *release) {
    held--;
    release(thing);
}

void shoal_php_end_request(void) {
    while (held > 0)
        if (--held < MOST_HELD)
            holdings[held].release(holdings[held].thing);
}

void shoal_php_start(void) {
    shoal_php_register_classes();
    EG(current_module)->version = EXTENSION_VERSION;
}

void shoal_php_print_info(void) {
    php_info_print_table_start();
    php_info_print_table_row(2, "Shoal", "memcached for fleets whose nodes come and go");
    php_info_print_table_row(2, "Extension's version", EXTENSION_VERSION);
    php_info_print_table_row(2, "libshoal's version", shoal_version());
    php_info_print_table_end();
}
