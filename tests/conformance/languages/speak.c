/* Does what compare.py asks for, by the library itself; speak.py tells the arguments and the lines.
 * May include: libc and the public headers. */
#include <shoal/shoal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 1024

static shoal_client *client;

static void check(shoal_status status, shoal_error *error) {
    if (status < 0) {
        fprintf(stderr, "speak: %s\n", shoal_error_message(error));
        exit(1);
    }
}

static void connect_to(const char *endpoint, const char *preset) {
    shoal_config *config = NULL;
    shoal_error *error = NULL;
    check(shoal_config_new(&config, &error), error);
    check(shoal_config_set(config, "endpoint", endpoint, &error), error);
    if (*preset != '\0')
        check(shoal_config_set_preset(config, preset, &error), error);
    check(shoal_client_new(config, &client, &error), error);
    shoal_config_free(config);
}

static size_t read_hex(const char *text, char *bytes) {
    size_t size = 0;
    for (unsigned int byte; size < BYTES_MAX && sscanf(text + 2 * size, "%2x", &byte) == 1;)
        bytes[size++] = (char)byte;
    return size;
}

static void tell_route(const char *key, size_t size) {
    shoal_error *error = NULL;
    shoal_node *node = NULL;
    check(shoal_route(client, key, size, &node, &error), error);
    puts(shoal_node_name(node));
    shoal_node_free(node);
}

static void tell_value(const char *key, size_t size) {
    shoal_error *error = NULL;
    shoal_value *value = NULL;
    shoal_status status = shoal_get(client, key, size, &value, &error);
    check(status, error);
    const unsigned char *bytes = shoal_value_data(value);
    for (size_t i = 0; status == SHOAL_OK && i < shoal_value_size(value); ++i)
        printf("%02x", bytes[i]);
    puts(status == SHOAL_OK ? "" : "missing");
    shoal_value_free(value);
}

static void store(const char *key, size_t size, const char *value, size_t value_size) {
    shoal_error *error = NULL;
    check(shoal_set(client, key, size, value, value_size, 0, &error), error);
    puts("stored");
}

int main(int argc, char **argv) {
    char line[4 * BYTES_MAX + 16];
    char key[BYTES_MAX];
    char value[BYTES_MAX];
    if (argc != 3)
        return 2;
    connect_to(argv[1], argv[2]);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *verb = strtok(line, " \n");
        const char *key_text = strtok(NULL, " \n");
        const char *value_text = strtok(NULL, " \n");
        if (verb == NULL || key_text == NULL)
            return 2;
        size_t size = read_hex(key_text, key);
        if (strcmp(verb, "route") == 0)
            tell_route(key, size);
        else if (strcmp(verb, "get") == 0)
            tell_value(key, size);
        else
            store(key, size, value, value_text == NULL ? 0 : read_hex(value_text, value));
    }
    shoal_client_free(client);
    return 0;
}
