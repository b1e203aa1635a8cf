/* The smallest useful program: connect, store, read. Give it an endpoint, such as the one that `shoal local` prints.
 * The README shows its middle part. */
#include <shoal/shoal.h>

#include <stdio.h>

static int fail(shoal_config *config, shoal_client *client, shoal_error *error) {
    fprintf(stderr, "quickstart: %s\n", shoal_error_message(error));
    shoal_error_free(error);
    shoal_client_free(client);
    shoal_config_free(config);
    return 1;
}

int main(int argc, char **argv) {
    shoal_error *error = NULL;
    shoal_config *config = NULL;
    shoal_client *client = NULL;
    shoal_value *value = NULL;

    if (shoal_config_new(&config, &error) < 0 ||
        shoal_config_set(config, "endpoint", argc > 1 ? argv[1] : "127.0.0.1:11211", &error) < 0 ||
        shoal_client_new(config, &client, &error) < 0)
        return fail(config, client, error);

    if (shoal_set(client, "greeting", 8, "hello", 5, 60, &error) < 0)
        return fail(config, client, error);

    shoal_status status = shoal_get(client, "greeting", 8, &value, &error);
    if (status < 0)
        return fail(config, client, error);
    if (status == SHOAL_OK)
        printf("%.*s\n", (int)shoal_value_size(value), (const char *)shoal_value_data(value));

    shoal_value_free(value);
    shoal_client_free(client);
    shoal_config_free(config);
    return 0;
}
