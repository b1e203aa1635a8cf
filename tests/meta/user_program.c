/* What a user's first program may look like: the install test builds it against an installed Shoal and runs it.
 * It touches no network, and yet every part of the library has to be there for it to start. */
#include <shoal/shoal.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    shoal_config *config = NULL;
    shoal_client *client = NULL;
    shoal_error *error = NULL;
    if (shoal_config_new(&config, &error) || shoal_config_set(config, "endpoint", "127.0.0.1:11211", &error) ||
        shoal_client_new(config, &client, &error)) {
        fprintf(stderr, "%s\n", shoal_error_message(error));
        return 1;
    }
    shoal_client_free(client);
    shoal_config_free(config);
    printf("%s\n", shoal_version());
    char headers[32];
    snprintf(headers, sizeof(headers), "%d.%d.%d", SHOAL_VERSION_MAJOR, SHOAL_VERSION_MINOR, SHOAL_VERSION_PATCH);
    return strcmp(headers, shoal_version()) != 0;
}
